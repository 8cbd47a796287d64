"""Fetch the cell lines: a DepMap release, simulated lines, both or neither."""

from pathlib import Path

from cancertype.settings.data import DepMap, Simulated
from cancertype.sources import fetch, simulated
from stages.params import read, run

RAW = Path("data/raw/depmap")
SCRATCH = Path("scratch/downloads")


def main() -> None:
    sources, depmap, simulation = read({"data.sources": list[str], "data.depmap": DepMap, "data.simulated": Simulated})
    RAW.mkdir(parents=True, exist_ok=True)
    if "simulated" in sources:
        simulated.write_depmap(RAW / "simulated", simulation)
    if "depmap" in sources:
        fetch.fetch_depmap(depmap, RAW / "release", SCRATCH)


if __name__ == "__main__":
    run(main)
