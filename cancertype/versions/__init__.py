"""The text dataset of a git revision, and what changed between two."""
