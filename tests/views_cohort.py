"""A made-up cohort with copy number, fusions and spectra, of which each label's cases have their own share."""

import numpy as np
import pyarrow as pa

from cancertype.alterations.schema import ARM_CALLS, ARMS, FUSIONS, GENE_CALLS, Alterations
from cancertype.cohort.assembly import Cohort
from cancertype.variants.schema import SCHEMA, TRINUCLEOTIDES
from cancertype.variants.spectra import CLASSES, SPECTRA

from .small_cohort import cases_table

GENES = ("TP53", "KRAS", "PIK3CA", "BRAF", "APC", "PTEN", "RB1", "NF1", "EGFR", "ARID1A")
"""Genes that most named panels hold."""


def made_up_cohort(known: dict[str, float], each: int, seed: int = 0, split: str = "train") -> Cohort:
    """``each`` cases of every label of ``known``, which maps a label to the share of its cases of which arms, genes,
    fusions and matrices of spectra are known, each kind by its own draw.

    Nothing else differs between labels: mutations, calls and fusions are drawn alike for all of them."""
    rng = np.random.default_rng(seed)
    labels = {f"{label} {i}": label for label in known for i in range(each)}
    cases = cases_table([{"case_id": name, "label": label, "sex": "female"} for name, label in labels.items()])
    cases = cases.append_column("split", pa.array([split] * len(labels)))

    def those() -> list[str]:
        return [name for name, label in labels.items() if rng.random() < known[label]]

    return Cohort(
        cases,
        [None] * len(labels),
        pa.Table.from_pylist([row for name in labels for row in _variants(name, rng)], schema=SCHEMA),
        [],
        alterations=_alterations(those(), those(), those(), rng),
        spectra=pa.Table.from_pylist([row for name in those() for row in _spectra(name)], schema=SPECTRA),
    )


def _variants(name: str, rng: np.random.Generator) -> list[dict]:
    genes = rng.choice(GENES, rng.integers(3, 7), replace=False)
    one = {"case_id": name, "consequence": "missense", "dna": "snv", "substitution": "C>T", "context": "A[C>T]G"}
    changes = [(gene, int(rng.integers(10, 13))) for gene in genes]
    return [one | {"gene": gene, "codon": at, "protein_change": f"R{at}H"} for gene, at in changes]


def _alterations(arms: list[str], genes: list[str], fusions: list[str], rng: np.random.Generator) -> Alterations:
    def table(rows: list[tuple], schema: pa.Schema) -> pa.Table:
        return pa.Table.from_pylist([dict(zip(schema.names, row, strict=True)) for row in rows], schema=schema)

    return Alterations(
        arms=table([(name, arm, int(rng.integers(-1, 2))) for name in arms for arm in ARMS], ARM_CALLS),
        genes=table([(name, gene, int(rng.choice([-2, 0, 2]))) for name in genes for gene in GENES], GENE_CALLS),
        fusions=table([(name, "TMPRSS2", "ERG") for name in fusions if rng.random() < 0.5], FUSIONS),
        screened_for_fusions=frozenset(fusions),
    )


def _spectra(name: str) -> list[dict]:
    shares = {"SBS96": np.full(len(TRINUCLEOTIDES), 1 / 96), "ID83": np.full(len(CLASSES["ID83"]), 1 / 83)}
    return [
        {"case_id": name, "kind": kind, "total": 100.0, "shares": each.astype(np.float32).tolist()}
        for kind, each in shares.items()
    ]
