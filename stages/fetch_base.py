"""Fetch the base model: weights and tokenizer, converted once."""

from pathlib import Path

from cancertype.files import remove_leftovers
from cancertype.language_model import conversion
from pipeline.params import read, run

BASE = Path("models/base")


def main() -> None:
    base, revision = read({"model.base": str, "model.revision": str | None})
    remove_leftovers(BASE)
    conversion.fetch(base, revision, BASE)


if __name__ == "__main__":
    run(main)
