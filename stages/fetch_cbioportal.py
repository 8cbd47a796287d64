"""Fetch the user's cBioPortal studies, if there are any."""

from pathlib import Path

from cancertype.fetch import releases
from cancertype.fetch.settings import Cbioportal
from pipeline.params import read, run

RAW = Path("data/raw/cbioportal")


def main() -> None:
    sources, cbioportal = read({"data.sources": list[str], "data.cbioportal": Cbioportal})
    RAW.mkdir(parents=True, exist_ok=True)
    if "cbioportal" in sources:
        releases.fetch_cbioportal(cbioportal, RAW / "release")


if __name__ == "__main__":
    run(main)
