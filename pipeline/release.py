"""Copy the trained model, without its base, to ``released/``: small enough for git, and used by default.

    python -m pipeline.release

This is no stage of the pipeline, because a person chooses what is released and commits it.
"""

from pathlib import Path

from cancertype.publishing import hub
from pipeline.params import run
from pipeline.size import LARGEST

PUBLISHED, TRAINED, OUT = Path("models/published"), Path("models/adapter"), Path("released")


def main() -> None:
    hub.assemble_adapter(OUT, published=PUBLISHED, adapter=TRAINED, largest=LARGEST)
    size = sum(path.stat().st_size for path in OUT.rglob("*") if path.is_file())
    print(f"{OUT}: {size / 2**20:.1f} MiB")


if __name__ == "__main__":
    run(main)
