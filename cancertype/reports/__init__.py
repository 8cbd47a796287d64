"""The data report and the evaluation report, as HTML pages that need no other file."""
