"""The simulated cohort, written in the layouts of the real sources."""
