"""Copy number and fusions: what is known of a case beside its small mutations."""
