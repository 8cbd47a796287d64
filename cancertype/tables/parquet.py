"""Reading and writing Parquet, the only table format between stages."""

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


def write_parquet(table: pa.Table, path: Path) -> None:
    """Write ``table`` whole or not at all, with nothing in the file that differs between machines or library versions.

    pandas records its own version in the schema, so the metadata is dropped.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".part")
    try:
        pq.write_table(table.replace_schema_metadata(None), beside, compression="zstd")
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
