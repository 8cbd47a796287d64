"""Fetch the user's own table, if there is one."""

from pathlib import Path

from cancertype.fetch import releases
from cancertype.fetch.settings import Table
from pipeline.params import read, run

RAW = Path("data/raw/table")


def main() -> None:
    sources, table = read({"data.sources": list[str], "data.table": Table})
    RAW.mkdir(parents=True, exist_ok=True)
    if "table" in sources:
        releases.fetch_table(table, RAW / "release")


if __name__ == "__main__":
    run(main)
