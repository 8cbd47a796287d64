"""Tables as files and as Arrow columns: Parquet between stages, delimited text of unknown origin."""
