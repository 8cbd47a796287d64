"""Made-up whole-genome segments for tests: every autosomal arm of a build, with a value of one's choice."""

from pathlib import Path

from cancertype.alterations.genome import arm_bounds
from cancertype.alterations.schema import ARMS


def arm_segments(build: str = "hg38", neutral: float = 0.0, **values: float) -> list[tuple[str, int, int, float]]:
    """(chromosome, start, end, value) of each of the 39 arms; ``values`` are keyed ``arm_7p`` and the like."""
    altered = {name.removeprefix("arm_"): value for name, value in values.items()}
    return [(*arm_bounds(build)[arm], altered.get(arm, neutral)) for arm in ARMS]


def write(path: Path, *lines: str) -> Path:
    """A text file of ``lines``."""
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def calls_of(alterations, case: str) -> dict[str, int | None]:
    """The arm calls of one case."""
    return {row["arm"]: row["call"] for row in alterations.arms.to_pylist() if row["case_id"] == case}


def genes_of(alterations, case: str) -> dict[str, int]:
    """The gene calls of one case."""
    return {row["gene"]: row["call"] for row in alterations.genes.to_pylist() if row["case_id"] == case}


def altered(calls: dict[str, int | None]) -> dict[str, int | None]:
    """Only what is gained, lost or without a call."""
    return {name: call for name, call in calls.items() if call != 0}
