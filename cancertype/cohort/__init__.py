"""Which cases are kept, which belong to one patient, and which split each is in."""
