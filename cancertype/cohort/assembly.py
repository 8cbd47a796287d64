"""From the sources' tables to one cohort: rules, patients and splits applied in that order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..alterations.schema import Alterations
from ..errors import InputError
from ..tables.columns import encoded, translated, with_column
from ..variants.cases import Dropped, SourceTables, restrict_to_panel
from ..variants.spectra import SPECTRA
from . import patients, quality, splits, views
from .settings import Cohort as Settings
from .views import Calls


@dataclass(frozen=True)
class Cohort:
    """``cases`` (the schema ``CASES`` and ``split``, sorted by source and case_id), the ``profiles`` of each
    (``patients.profiles``), their ``variants``, and what was left out.

    ``further``: the calls of later folders in the same cases, one ``Calls`` per folder. ``panels``: the genes of every
    panel that a case or a further call has. ``alterations`` and ``spectra`` (schema ``SPECTRA``): of the cases, as far
    as they are known."""

    cases: pa.Table
    profiles: list[str | None]
    variants: pa.Table
    dropped: list[Dropped]
    further: list[Calls] = field(default_factory=list)
    panels: dict[str, list[str]] = field(default_factory=dict)
    alterations: Alterations = field(default_factory=Alterations)
    spectra: pa.Table = field(default_factory=SPECTRA.empty_table)

    def restricted(self, genes: Sequence[str]) -> "Cohort":
        """The same with the variants of ``genes`` only: what a panel of these would have shown."""
        further = [replace(calls, variants=restrict_to_panel(calls.variants, genes)) for calls in self.further]
        return replace(self, variants=restrict_to_panel(self.variants, genes), further=further)


def assemble(tables: Sequence[SourceTables], settings: Settings) -> Cohort:
    """Join the sources, apply the cohort's rules and split by patient.

    A case that several folders have is one case with the calls of the first; what the others call is ``further``. Cases
    without a label are dropped and counted. Cases of cancers that are none of the 26 are kept in the split
    "out_of_scope", for evaluation only. Raises ``InputError`` for an empty cohort, for a case id that two sources
    share (TCGA barcodes apart), and where ``quality.apply_rules`` does."""
    if not sum(table.cases.num_rows for table in tables):
        raise InputError("the cohort is empty: no source gave a case. Check data.sources and the locations beside it")
    joined, places, further = views.merged_cases(tables)
    folder_of = dict(zip(joined["case_id"].to_pylist(), places, strict=True))
    kept = quality.apply_rules(joined, settings)
    cases = kept.cases.take(pc.sort_indices(kept.cases, [("source", "ascending"), ("case_id", "ascending")]))
    variants = _variants_of(cases, tables, folder_of)
    # Out-of-scope cases take part in the grouping, because a patient with a tumour of each kind must not be both
    # trained on and tested. So do further calls: another folder may have the same tumour under another name.
    fingerprints, groups = _profiles_and_groups(cases, variants, views.further_calls(cases, tables, further))
    cases = cases.append_column("split", pa.array(_split(cases, groups, settings)))
    kept = quality.Kept(cases.append_column("profile", pa.array(fingerprints, pa.string())), kept.dropped)
    for left_out, reason in splits.outside_experiment(cases, groups, settings):
        takes_part = np.array([case_id not in left_out for case_id in kept.cases["case_id"].to_pylist()], dtype=bool)
        kept = kept.where(takes_part, reason)
    fingerprints = kept.cases["profile"].to_pylist()
    splits.check(kept.cases, fingerprints)
    cases = kept.cases.drop_columns("profile")
    alterations, no_case = views.alterations_of(cases, tables)
    spectra, no_spectrum = views.spectra_of(cases, tables)
    return Cohort(
        cases,
        fingerprints,
        variants,
        [entry for table in tables for entry in table.dropped] + kept.dropped + no_case + no_spectrum,
        views.further_calls(cases, tables, further),
        {name: genes for table in tables for name, genes in table.panels.items()},
        alterations,
        spectra,
    )


def _variants_of(cases: pa.Table, tables: Sequence[SourceTables], folder_of: Mapping[str, int]) -> pa.Table:
    """The variants of ``cases``, each from the folder whose calls it has (``folder_of``: case to its place)."""
    names = cases["case_id"].to_pylist()
    parts = [
        views.variants_of(table.variants, [name for name in names if folder_of[name] == place])
        for place, table in enumerate(tables)
    ]
    return pa.concat_tables(parts).unify_dictionaries()


def _profiles_and_groups(
    cases: pa.Table, variants: pa.Table, further: Sequence[Calls]
) -> tuple[list[str | None], list[int]]:
    """The fingerprint of each case's own calls, and a group number per case over these and the further calls."""
    all_cases, all_variants = [cases.select(["case_id", "patient_id", "panel"])], [variants]
    for place, calls in enumerate(further):
        # Fingerprints compare within one table only. There each view needs a name of its own.
        names = {name: f"{place}\0{name}" for name in calls.cases["case_id"].to_pylist()}
        all_cases.append(
            with_column(calls.cases, "case_id", pa.array(names.values(), pa.string())).select(all_cases[0].column_names)
        )
        own = translated(encoded(calls.variants["case_id"]), names.get)
        all_variants.append(with_column(calls.variants, "case_id", own))
    views_of = pa.concat_tables(all_cases)
    fingerprints = patients.profiles(views_of, pa.concat_tables(all_variants).unify_dictionaries())
    groups = patients.groups(views_of["patient_id"].to_pylist(), fingerprints)
    return fingerprints[: cases.num_rows], groups[: cases.num_rows]


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
