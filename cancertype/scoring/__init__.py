"""Exact likelihoods of the 26 labels, and merging an adapter into its base."""
