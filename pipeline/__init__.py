"""What the stages share: parameters, revisions, the summary table, making a release."""
