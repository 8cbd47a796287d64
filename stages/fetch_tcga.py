"""Fetch the patients: TCGA's MC3, simulated tumours, both or neither."""

from pathlib import Path

from cancertype.fetch import releases
from cancertype.fetch.settings import Tcga
from cancertype.simulator import simulation
from cancertype.simulator.settings import Simulated
from pipeline.params import read, run

RAW = Path("data/raw/tcga")
SCRATCH = Path("scratch/downloads")


def main() -> None:
    sources, tcga, simulated = read({"data.sources": list[str], "data.tcga": Tcga, "data.simulated": Simulated})
    RAW.mkdir(parents=True, exist_ok=True)
    if "simulated" in sources:
        simulation.write_tcga(RAW / "simulated", simulated)
    if "tcga" in sources:
        releases.fetch_tcga(tcga, RAW / "release", SCRATCH)


if __name__ == "__main__":
    run(main)
