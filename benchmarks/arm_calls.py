"""How well arms called from a gene matrix agree with published arm calls of the same tumours, as a Markdown table.

    python -m benchmarks.arm_calls FOLDER

``FOLDER`` holds ``arms.tsv`` (a table of arm calls, such as Taylor et al. 2018 publish) and ``cna.tsv.gz`` (a gene
matrix, such as cBioPortal's web download). "Agree" counts the cells with a call in both. "Opposite" are gains in one
and losses in the other. "No call" is the share of all cells.
"""

import argparse
from pathlib import Path

import numpy as np

from cancertype.alterations import combine, genome
from cancertype.alterations.of_cases import NO_CALL, OfCases
from cancertype.alterations.schema import ARMS
from cancertype.sources import copy_number


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    matrix = copy_number.read(folder / "cna.tsv.gz").alterations
    measured = set(matrix.genes["gene"].unique().to_pylist())
    samples = matrix.arms["case_id"].unique().to_pylist()
    published, _ = combine.for_cases(copy_number.read(folder / "arms.tsv").alterations, samples)
    there = OfCases.of(published, samples).arms_known
    samples = [name for name, known in zip(samples, there.tolist(), strict=True) if known]
    ours, theirs = OfCases.of(matrix, samples).arms, OfCases.of(published, samples).arms
    print(f"{len(samples):,} tumours\n")
    print("| arm | cancer genes | agree | opposite | no call, genes | no call, published |")
    print("|---|---|---|---|---|---|")
    for place, arm in enumerate(ARMS):
        n = sum(genome.gene_arms()[gene] == arm for gene in measured)
        print(f"| {arm} | {n} | {_row(ours[:, place], theirs[:, place])} |")
    print(f"| all | {len(measured):,} | {_row(ours, theirs)} |")


def _row(ours: np.ndarray, theirs: np.ndarray) -> str:
    both = (ours != NO_CALL) & (theirs != NO_CALL)
    agree = f"{(ours == theirs)[both].mean():.1%}" if both.any() else "–"
    opposite = f"{(ours == -theirs)[both & (ours != 0)].sum() / both.sum():.2%}" if both.any() else "–"
    return f"{agree} | {opposite} | {(ours == NO_CALL).mean():.1%} | {(theirs == NO_CALL).mean():.1%}"


if __name__ == "__main__":
    main()
