"""One short script a stage: read the parameters, call the library, write the outputs."""
