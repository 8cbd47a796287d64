"""Reading and writing Parquet, the only table format between stages."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ..files import whole_file


def write_parquet(table: pa.Table, path: Path) -> None:
    """Write ``table`` whole or not at all, with nothing in the file that differs between machines or library versions.

    pandas records its own version in the schema, so the metadata is dropped.
    """
    with whole_file(path) as part:
        pq.write_table(table.replace_schema_metadata(None), part, compression="zstd")
