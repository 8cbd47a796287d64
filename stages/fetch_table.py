"""Fetch the user's own table, if there is one."""

from pathlib import Path

from cancertype.settings.data import Table
from cancertype.sources import fetch
from stages.params import read, run

RAW = Path("data/raw/table")


def main() -> None:
    sources, table = read({"data.sources": list[str], "data.table": Table})
    RAW.mkdir(parents=True, exist_ok=True)
    if "table" in sources:
        fetch.fetch_table(table, RAW / "release")


if __name__ == "__main__":
    run(main)
