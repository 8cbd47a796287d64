"""Fetch the patients: TCGA's MC3, simulated tumours, both or neither."""

from pathlib import Path

from cancertype.settings.data import Simulated, Tcga
from cancertype.sources import fetch, simulated
from stages.params import read, run

RAW = Path("data/raw/tcga")
SCRATCH = Path("scratch/downloads")


def main() -> None:
    sources, tcga, simulation = read({"data.sources": list[str], "data.tcga": Tcga, "data.simulated": Simulated})
    RAW.mkdir(parents=True, exist_ok=True)
    if "simulated" in sources:
        simulated.write_tcga(RAW / "simulated", simulation)
    if "tcga" in sources:
        fetch.fetch_tcga(tcga, RAW / "release", SCRATCH)


if __name__ == "__main__":
    run(main)
