"""A case as a prompt and a completion."""
