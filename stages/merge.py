"""Merge the adapter into the 16-bit base model, and fail when the two disagree."""

from pathlib import Path

import pyarrow.parquet as pq

from cancertype.files import remove_leftovers, write_json
from cancertype.scoring.merging import merge
from cancertype.text.prompt import completions
from pipeline.params import read, run

MERGED = Path("models/merged")
PROMPTS = 8
TOLERANCE = 0.25
"""Nats of a label's log-likelihood. Rounding merged weights to the base's 16 bits was measured to cost up to 0.05."""


TRACKED = ("log_likelihood_difference", "adapter_effect_on_log_likelihood")
"""The figures, in nats, that are metrics. A merge that fails names all of them."""


def main() -> None:
    (completion,) = read({"text.completion": str})
    remove_leftovers(MERGED)
    prompts = pq.read_table("data/text/validation.parquet", columns=["prompt"])["prompt"].to_pylist()[:PROMPTS]
    parity = merge(
        Path("models/base"),
        Path("models/adapter"),
        MERGED,
        prompts,
        list(completions(completion).values()),
        tolerance=TOLERANCE,
    )
    write_json(Path("metrics/merge.json"), {name: parity[name] for name in TRACKED})


if __name__ == "__main__":
    run(main)
