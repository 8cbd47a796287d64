"""One reader per raw layout; each makes the canonical tables of cases and variants."""
