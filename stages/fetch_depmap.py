"""Fetch the cell lines: a DepMap release, simulated lines, both or neither."""

from pathlib import Path

from cancertype.fetch import releases
from cancertype.fetch.settings import DepMap
from cancertype.simulator import simulation
from cancertype.simulator.settings import Simulated
from pipeline.params import read, run

RAW = Path("data/raw/depmap")
SCRATCH = Path("scratch/downloads")


def main() -> None:
    sources, depmap, simulated = read({"data.sources": list[str], "data.depmap": DepMap, "data.simulated": Simulated})
    RAW.mkdir(parents=True, exist_ok=True)
    if "simulated" in sources:
        simulation.write_depmap(RAW / "simulated", simulated)
    if "depmap" in sources:
        releases.fetch_depmap(depmap, RAW / "release", SCRATCH)


if __name__ == "__main__":
    run(main)
