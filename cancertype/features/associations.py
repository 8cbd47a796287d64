"""How often each cancer of the training cases has an alteration: what an answer cites as evidence.

Counts of many patients, never of one: an alteration that fewer than ``FEWEST`` training cases have is left out.
"""

from collections.abc import Iterator
from itertools import combinations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..alterations.of_cases import AMPLIFIED, DELETED, OfCases
from ..alterations.schema import ARMS
from ..labels import LABELS
from ..tables.columns import positions
from ..variants.genes import fusion_genes
from ..variants.schema import TRUNCATING
from .lookup import case_rows, mutation_names
from .vocabulary import Vocabulary

FEWEST = 5
ARM_WORDS = {1: "gained", -1: "lost"}

SCHEMA = pa.schema(
    [
        ("kind", pa.string()),
        ("name", pa.string()),
        ("found", pa.list_(pa.int32(), len(LABELS))),
        ("looked_at", pa.list_(pa.int32(), len(LABELS))),
    ]
)
"""One row per alteration: how many training cases of each label have it, and of how many it would be known. ``kind`` is
"gene" (mutated in any way: APC), "truncated" (APC), "change" (BRAF V600E), "arms" (``7 gained``, or two together:
``7 gained, 10 lost``), "amplified", "deleted" (EGFR), "fusion" (TMPRSS2-ERG) or "fusion_gene" (ERG)."""

_TYPICAL = 0.2
"""The share of a label's cases from which an arm counts as typical of it."""

_AS_WHOLE = 0.8
"""Where so many of the cases with an arm have the whole chromosome, only the chromosome is named."""

_PAIRS = 8


def associations(cases: pa.Table, variants: pa.Table, alterations: OfCases, vocabulary: Vocabulary) -> pa.Table:
    """A table of ``SCHEMA``, counted in the training split of ``cases`` (``described``).

    ``variants`` come from ``informative_variants``; ``alterations`` are of the same cases in the same order. Mutations
    are counted in whole exomes, which would show any of them."""
    training = np.flatnonzero(pc.equal(cases["split"], "train").to_numpy(zero_copy_only=False))
    cases, alterations = cases.take(pa.array(training)), alterations.take(training)
    label = positions(cases["label"].to_pylist(), LABELS)
    exome = cases["panel"].is_null().to_numpy(zero_copy_only=False)
    rows = []
    parts = (
        (exome, _mutations(cases, variants, vocabulary)),
        (alterations.arms_known, _arms(alterations.arms, label)),
        (alterations.genes_known, _genes(alterations, vocabulary)),
        (alterations.fusions_known, _fusions(alterations, vocabulary)),
    )
    for known, items in parts:
        looked_at = np.bincount(label[known], minlength=len(LABELS))
        for kind, name, has in items:
            found = np.bincount(label[has & known], minlength=len(LABELS))
            if found.sum() >= FEWEST:
                rows.append((kind, name, found.tolist(), looked_at.tolist()))
    columns = zip(*rows, strict=True) if rows else ([] for _ in SCHEMA)
    return pa.table([pa.array(list(column), f.type) for column, f in zip(columns, SCHEMA, strict=True)], schema=SCHEMA)


_Items = Iterator[tuple[str, str, np.ndarray]]
"""Kind, name, and which cases (bool, shape (cases,)) have it."""


def _mutations(cases: pa.Table, variants: pa.Table, vocabulary: Vocabulary) -> _Items:
    rows = case_rows(cases, variants)
    variants, rows = variants.filter(pa.array(rows >= 0)), rows[rows >= 0]
    truncating = pc.is_in(variants["consequence"], pa.array(TRUNCATING)).to_numpy(zero_copy_only=False)
    genes = vocabulary.names("gene")
    of_gene = positions(variants["gene"].to_pylist(), genes)
    changes = vocabulary.names("change")
    of_change = positions(mutation_names(variants), changes)
    for kind, names, place, counts in (
        ("gene", genes, of_gene, np.ones(len(rows), bool)),
        ("truncated", genes, of_gene, truncating),
        ("change", changes, of_change, np.ones(len(rows), bool)),
    ):
        for number, name in enumerate(names):
            has = np.zeros(cases.num_rows, bool)
            has[rows[(place == number) & counts]] = True
            yield kind, name, has


def altered(arms: np.ndarray) -> dict[str, np.ndarray]:
    """``7p gained``, ``7 gained`` (both arms), ... to the cases (bool, shape (n,)) of ``arms`` (n, 39) that have it."""
    found = {}
    for call, word in ARM_WORDS.items():
        for place, arm in enumerate(ARMS):
            found[f"{arm} {word}"] = arms[:, place] == call
        for arm in ARMS:
            if arm.endswith("p"):
                both = (ARMS.index(arm), ARMS.index(f"{arm[:-1]}q"))
                found[f"{arm[:-1]} {word}"] = (arms[:, both] == call).all(axis=1)
    return found


def _arms(arms: np.ndarray, label: np.ndarray) -> _Items:
    found = altered(arms)
    yield from (("arms", name, has) for name, has in found.items())
    pairs = dict.fromkeys(pair for number in range(len(LABELS)) for pair in _typical_pairs(found, label == number))
    for one, other in pairs:
        yield "arms", f"{one}, {other}", found[one] & found[other]


def _typical_pairs(found: dict[str, np.ndarray], own: np.ndarray) -> list[tuple[str, str]]:
    """The pairs of alterations of different chromosomes that set the cases ``own`` apart best."""
    if own.sum() < FEWEST or own.all():
        return []
    n = {name: (has & own).sum() for name, has in found.items()}
    common = [name for name in found if n[name] >= max(FEWEST, _TYPICAL * own.sum())]
    kept = [name for name in common if n.get(_whole(name), 0) < _AS_WHOLE * n[name] or _whole(name) == name]
    scored = []
    for one, other in combinations(kept, 2):
        if _chromosome(one) == _chromosome(other):
            continue
        both = found[one] & found[other]
        share, elsewhere = both[own].mean(), (both[~own].sum() + 1) / ((~own).sum() + 1)
        if share >= _TYPICAL:
            scored.append((share * np.log2(share / elsewhere), one, other))
    best = sorted(scored, key=lambda item: (-item[0], *item[1:]))[:_PAIRS]
    return [(one, other) for score, one, other in best if score > 0]


def _chromosome(name: str) -> str:
    return name.split()[0].rstrip("pq")


def _whole(name: str) -> str:
    """The same alteration of the whole chromosome."""
    return f"{_chromosome(name)} {name.split()[1]}"


def _genes(alterations: OfCases, vocabulary: Vocabulary) -> _Items:
    place = {gene: number for number, gene in enumerate(alterations.genes)}
    for kind, call in (("amplified", AMPLIFIED), ("deleted", DELETED)):
        for gene in vocabulary.names(kind):
            if gene in place:
                yield kind, gene, alterations.calls[:, place[gene]] == call


def _fusions(alterations: OfCases, vocabulary: Vocabulary) -> _Items:
    fused = [{gene for each in found or () for gene in fusion_genes(each)} for found in alterations.fusions]
    for name in vocabulary.names("fusion"):
        yield "fusion", name, np.array([name in (found or ()) for found in alterations.fusions], bool)
    for gene in vocabulary.names("fusion_gene"):
        yield "fusion_gene", gene, np.array([gene in genes for genes in fused], bool)
