"""How well arms called from a gene matrix agree with published arm calls of the same tumours, as a Markdown table.

    python -m benchmarks.arm_calls FOLDER

``FOLDER`` holds ``arms.tsv`` (a table of arm calls, such as Taylor et al. 2018 publish) and ``cna.tsv.gz`` (a gene
matrix, such as cBioPortal's web download). "Agree" counts the cells with a call in both. "Opposite" are gains in one
and losses in the other. "No call" is the share of all cells.
"""

import argparse
from pathlib import Path

import numpy as np

from cancertype.alterations import combine, features, genome
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
    samples = [name for name in samples if name in features.cases_with_arms(published)]
    ours, theirs = features.arm_vectors(matrix, samples), features.arm_vectors(published, samples)
    print(f"{len(samples):,} tumours\n")
    print("| arm | cancer genes | agree | opposite | no call, genes | no call, published |")
    print("|---|---|---|---|---|---|")
    for place, arm in enumerate(ARMS):
        n = sum(genome.gene_arms()[gene] == arm for gene in measured)
        print(f"| {arm} | {n} | {_row(ours[:, place], theirs[:, place])} |")
    print(f"| all | {len(measured):,} | {_row(ours, theirs)} |")


def _row(ours: np.ndarray, theirs: np.ndarray) -> str:
    both = ~np.isnan(ours) & ~np.isnan(theirs)
    agree = f"{(ours == theirs)[both].mean():.1%}" if both.any() else "–"
    opposite = f"{(ours * theirs == -1)[both].mean():.2%}" if both.any() else "–"
    return f"{agree} | {opposite} | {np.isnan(ours).mean():.1%} | {np.isnan(theirs).mean():.1%}"


if __name__ == "__main__":
    main()
