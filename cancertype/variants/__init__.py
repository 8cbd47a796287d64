"""The canonical tables of cases and variants, and how to read protein changes, consequences and gene symbols."""
