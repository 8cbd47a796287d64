"""Megabytes per second at which free text is read: a long typed list, the same without line ends, and reports.

    python -m benchmarks.free_text [--megabytes 16]

CPU seconds are counted, so that other work on the machine matters less. Twice the text should take twice as long.
"""

import argparse
import random
import time
from collections.abc import Callable

from cancertype.sources import free_text

GENES = ("TP53", "KRAS", "BRAF", "EGFR", "PIK3CA", "APC", "PTEN", "CDKN2A", "IDH1", "ATRX")
REPORT = (
    "Patient: {name}",
    "Tumor Mutational Burden: {number} Muts/Mb",
    "{gene} p.A{number}D (VAF 34%), exon 5",
    "{gene} amplification, CDKN2A/B loss and gain of chromosome 7",
    "No pathogenic variants were detected in {gene}, NRAS or BRAF.",
)


def typed_list(draws: random.Random, characters: int) -> list[str]:
    lines: list[str] = []
    while characters > 0:
        items = (f"{draws.choice(GENES)} A{draws.randint(2, 900)}{draws.choice('CDEFGHIK')}" for _ in range(8))
        lines.append(f"s{len(lines)}: " + ", ".join(items))
        characters -= len(lines[-1])
    return lines


def one_line(draws: random.Random, characters: int) -> list[str]:
    return [", ".join(line.partition(": ")[2] for line in typed_list(draws, characters)) + ", banana"]


def reports(draws: random.Random, characters: int) -> list[str]:
    lines: list[str] = []
    while characters > 0:
        line = draws.choice(REPORT)
        lines.append(line.format(name=draws.random(), number=draws.randint(2, 900), gene=draws.choice(GENES)))
        characters -= len(lines[-1])
    return lines


def seconds(make: Callable[[random.Random, int], list[str]], characters: int) -> float:
    lines = make(random.Random(0), characters)
    start = time.process_time()
    free_text.read(lines)
    return time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=float, default=16.0)
    characters = int(parser.parse_args().megabytes * 1e6)
    for make in (typed_list, one_line, reports):
        half, whole = seconds(make, characters // 2), seconds(make, characters)
        print(f"{make.__name__:12s} {characters / 1e6:6.2f} MB in {whole:6.1f} s ({half:.1f} s for half of it)")


if __name__ == "__main__":
    main()
