"""From the sources' tables to one cohort: rules, patients and splits applied in that order."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..alterations.schema import Alterations
from ..errors import InputError
from ..tables.columns import codes
from ..variants.cases import Dropped, SourceTables, restrict_to_panel
from ..variants.spectra import SPECTRA
from . import patients, quality, splits
from .settings import Cohort as Settings


@dataclass(frozen=True)
class Cohort:
    """``cases`` (the schema ``CASES`` and ``split``, sorted by source and case_id), the ``profiles`` of each
    (``patients.profiles``), their ``variants``, and what was left out."""

    cases: pa.Table
    profiles: list[str | None]
    variants: pa.Table
    dropped: list[Dropped]
    further: list = field(default_factory=list)
    panels: dict[str, list[str]] = field(default_factory=dict)
    alterations: Alterations = field(default_factory=Alterations)
    spectra: pa.Table = field(default_factory=SPECTRA.empty_table)

    def restricted(self, genes: Sequence[str]) -> "Cohort":
        """The same with the variants of ``genes`` only: what a panel of these would have shown."""
        further = [replace(calls, variants=restrict_to_panel(calls.variants, genes)) for calls in self.further]
        return replace(self, variants=restrict_to_panel(self.variants, genes), further=further)


def assemble(tables: Sequence[SourceTables], settings: Settings) -> Cohort:
    """Join the sources, apply the cohort's rules and split by patient.

    Cases without a label are dropped and counted. Cases of cancers that are none of the 26 are kept in the split
    "out_of_scope", for evaluation only. Raises ``InputError`` for an empty cohort, for a case id that two sources
    share, and where ``quality.apply_rules`` does."""
    kept = quality.apply_rules(_joined_cases(tables), settings)
    cases = kept.cases.take(pc.sort_indices(kept.cases, [("source", "ascending"), ("case_id", "ascending")]))
    variants = _variants_of(cases, tables)
    fingerprints = patients.profiles(cases, variants)
    # Out-of-scope cases take part in the grouping, because a patient with a tumour of each kind must not be both
    # trained on and tested.
    groups = patients.groups(cases["patient_id"].to_pylist(), fingerprints)
    cases = cases.append_column("split", pa.array(_split(cases, groups, settings)))
    kept = quality.Kept(cases.append_column("profile", pa.array(fingerprints, pa.string())), kept.dropped)
    for left_out, reason in splits.outside_experiment(cases, groups, settings):
        takes_part = np.array([case_id not in left_out for case_id in kept.cases["case_id"].to_pylist()], dtype=bool)
        kept = kept.where(takes_part, reason)
    fingerprints = kept.cases["profile"].to_pylist()
    splits.check(kept.cases, fingerprints)
    dropped = [entry for table in tables for entry in table.dropped] + kept.dropped
    return Cohort(kept.cases.drop_columns("profile"), fingerprints, variants, dropped)


def _joined_cases(tables: Sequence[SourceTables]) -> pa.Table:
    """The cases of all sources, each id once."""
    if not sum(table.cases.num_rows for table in tables):
        raise InputError("the cohort is empty: no source gave a case. Check data.sources and the locations beside it")
    cases = pa.concat_tables([table.cases for table in tables])
    twice = [case_id for case_id, n in Counter(cases["case_id"].to_pylist()).items() if n > 1]
    if twice:
        raise InputError(
            f"{len(twice)} case ids come from more than one source, the first being {twice[0]}: rename one of them"
        )
    return cases


def _variants_of(cases: pa.Table, tables: Sequence[SourceTables]) -> pa.Table:
    """The variants of ``cases`` from all sources."""
    variants = pa.concat_tables([table.variants for table in tables]).unify_dictionaries()
    rows, names = codes(variants["case_id"])
    kept = set(cases["case_id"].to_pylist())
    return variants.filter(pa.array(np.array([name in kept for name in names] or [False])[rows]))


def _split(cases: pa.Table, groups: Sequence[int], settings: Settings) -> list[str]:
    """The split of each case; a case without one of the 26 labels is out of scope."""
    labels, patient_ids = cases["label"].to_pylist(), cases["patient_id"].to_pylist()
    inside = [row for row, label in enumerate(labels) if label]
    split = ["out_of_scope"] * cases.num_rows
    assigned = splits.assign(
        [labels[row] for row in inside],
        [patient_ids[row] for row in inside],
        [groups[row] for row in inside],
        settings,
    )
    for row, name in zip(inside, assigned, strict=True):
        split[row] = name
    return split
