"""cBioPortal's web download of mutations: STUDY_ID, SAMPLE_ID, then one column per gene with WT, NS or changes."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from ..errors import InputError
from ..tables import delimited
from ..tables.columns import encoded
from ..tables.delimited import TEXT
from ..variants import canonical
from ..variants.cases import RowAccount, SourceTables
from ..variants.genes import current_symbol
from ..variants.protein_changes import parse_protein_change
from ..variants.schema import SILENT
from .cbioportal_samples import (
    Sample,
    cases_table,
    one_per_patient,
    read_cohorts,
    read_patients,
    read_samples,
    tcga_patient,
)

_KEYS = ("STUDY_ID", "SAMPLE_ID")
_WILD_TYPE = ("WT", "wt")
_NOT_SEQUENCED = ("NS", "NP", "NA", "")
"""NS: not sequenced; NP: not profiled."""

SMALLEST_EXOME = 5000
"""A download with fewer gene columns shows a chosen set of genes, and is a panel."""

_COPY_NUMBERS = frozenset(("-2", "-1.5", "-1", "0", "1", "2"))
_CHANGE = re.compile(r"(?P<change>[^\s,;\[\]()]+)(?P<remark>(?:\s*(?:\[[^\]]*\]|\([^)]*\)))*)")
_GERMLINE = "germline"
_MUTATED, _WITHOUT, _UNREADABLE = "mutated", "wild type", "protein change not readable"
_STUDY_COHORT = re.compile(r"([a-z]+)_tcga(?:_|$)")


def tables(folder: Path) -> list[Path]:
    """The files of ``folder`` that begin with the columns STUDY_ID and SAMPLE_ID and have gene columns with mutations
    (not with copy numbers)."""
    found = []
    for path in delimited.table_files(folder):
        if delimited.header(path).names[:2] == _KEYS and holds_mutations(path):
            found.append(path)
    return found


def holds_mutations(path: Path) -> bool:
    """Whether the cells of the first rows are other than numbers."""
    for number, line in delimited.lines(path):
        cells = {cell.strip() for cell in re.split(r"[\t,;]", line)[2:]} - set(_NOT_SEQUENCED)
        if number > delimited.header(path).line and cells:
            return not cells <= _COPY_NUMBERS
    return False


@dataclass
class _Cells:
    """What is met in the cells: parallel lists of the mutations, and counts of the cells."""

    row: list[int] = field(default_factory=list)
    gene: list[str] = field(default_factory=list)
    change: list[str] = field(default_factory=list)
    total: int = 0
    used: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    not_understood: int = 0

    def count(self, kind: str, n: int) -> None:
        """``n`` more cells of a ``_kind``."""
        if kind in (_MUTATED, _WITHOUT):
            self.used += n
        elif kind == _UNREADABLE:
            self.not_understood += n
        else:
            self.left_out[kind] += n

    def account(self) -> RowAccount:
        left_out = {reason: n for reason, n in sorted(self.left_out.items()) if n}
        not_understood = {_UNREADABLE: self.not_understood} if self.not_understood else {}
        return RowAccount("cell", self.total, self.used, left_out, not_understood)


def read(folder: Path, source: str) -> SourceTables:
    """Read the download's tables of mutations in ``folder``; see ``read_tables``.

    Raises ``InputError`` where there is none.
    """
    paths = tables(folder)
    if not paths:
        raise InputError(
            f"{folder}: neither data_mutations.txt nor a table that begins with STUDY_ID and SAMPLE_ID is there: give "
            "the folder of a cBioPortal study, or of its web download"
        )
    cohorts: dict[str, tuple[str, str | None]] = {}
    for path in delimited.table_files(folder):
        if "bcr_patient_barcode" in delimited.header(path).names:
            cohorts |= read_cohorts(path)
    return read_tables(paths, folder, source, cohorts)


def read_tables(
    paths: list[Path], folder: Path, source: str, cohorts: Mapping[str, tuple[str, str | None]]
) -> SourceTables:
    """Read the download's tables of mutations; a case is a patient. ``cohorts`` has the TCGA cohort and the sex of
    patients.

    ``WT`` says that the gene was sequenced and has no mutation, ``NS`` that it was not sequenced, and everything else
    lists protein changes; ``[germline]`` behind one leaves it out. Each set of genes that samples have sequenced is a
    panel, named ``cbioportal`` (and a number, where there are several); samples with ``SMALLEST_EXOME`` genes are whole
    exomes. Labels come from the folder's data_clinical_sample.txt (OncoTree codes), from ``cohorts``, or from the
    study's name (``brca_tcga_...``). There is no DNA in such a table: the consequence follows from the protein change.

    Raises ``InputError`` with file, line and column for anything that cannot be read, and for a sample that is there
    twice.
    """
    whole = pa.concat_tables([_whole(path) for path in paths], promote_options="default")
    names = [name.strip() for name in whole["SAMPLE_ID"].to_pylist()]
    _check_names(paths, names)
    samples = _samples(folder, cohorts, whole["STUDY_ID"].to_pylist(), names)
    genes = [name for name in whole.column_names if name not in _KEYS]
    sequenced = _sequenced(whole, genes)
    panel_of, panels = _panels(names, genes, sequenced)
    with_genes = {name for name, row in zip(names, sequenced, strict=True) if row.any()}
    kept, left_out = one_per_patient([samples[name] for name in names], with_genes, {}, source)
    cells = _mutations(whole, genes, np.array([name in kept for name in names], bool))
    rows = pa.table(
        {
            "case_id": pa.array([samples[names[row]].patient for row in cells.row], pa.string()),
            "gene": pa.array(cells.gene, pa.string()),
            "protein_change": pa.array(cells.change, pa.string()),
        }
    )
    table, unclear = canonical.table(rows, source)
    cases = cases_table(kept, panel_of, source)
    notes = {"files": [path.name for path in paths], "gene_columns": len(genes)}
    used = {name: panels[name] for name in sorted(set(cases["panel"].to_pylist()) & set(panels))}
    return SourceTables(cases, table, left_out + unclear, notes, used, cells.account())


def _whole(path: Path) -> pa.Table:
    return delimited.read(path, dict.fromkeys(delimited.header(path).names, TEXT))


def _check_names(paths: list[Path], names: list[str]) -> None:
    twice = [name for name, n in Counter(names).items() if n > 1]
    if twice:
        listed = ", ".join(path.name for path in paths)
        raise InputError(f"{listed}: column SAMPLE_ID holds {twice[0]!r} twice: keep one of the rows")


def _samples(
    folder: Path, cohorts: Mapping[str, tuple[str, str | None]], studies: list[str], names: list[str]
) -> dict[str, Sample]:
    """The samples, with what the clinical files of the folder say of them."""
    clinical = next((p for p in delimited.table_files(folder) if p.name.startswith("data_clinical_sample")), None)
    stated: dict[str, Sample] = {}
    if clinical:
        patients = next((p for p in delimited.table_files(folder) if p.name.startswith("data_clinical_patient")), None)
        stated = read_samples(clinical, read_patients(patients))
    samples = {}
    for study, name in zip(studies, names, strict=True):
        sample = stated.get(name) or Sample(name, tcga_patient(name))
        cohort, sex = cohorts.get(sample.patient, ("", None))
        of_study = _STUDY_COHORT.match(study.strip())
        cohort = sample.cohort or cohort or (of_study[1].upper() if of_study else "")
        samples[name] = replace(sample, cohort=cohort, sex=sample.sex or sex)
    return samples


def _sequenced(whole: pa.Table, genes: list[str]) -> np.ndarray:
    """Whether each gene was sequenced in each sample, shape (samples, genes)."""
    sequenced = np.empty((whole.num_rows, len(genes)), bool)
    for place, gene in enumerate(genes):
        column = encoded(whole[gene])
        known = [value.strip() not in _NOT_SEQUENCED for value in column.dictionary.to_pylist()]
        sequenced[:, place] = np.array(known or [False], bool)[column.indices.to_numpy()]
    return sequenced


def _panels(names: list[str], genes: list[str], sequenced: np.ndarray) -> tuple[dict[str, str | None], dict]:
    """Sample to panel (None for an exome), and panel to genes: one panel per distinct set of sequenced genes."""
    rows = np.packbits(sequenced, axis=1)
    number_of: dict[bytes, int] = {}
    which = [number_of.setdefault(row.tobytes(), len(number_of)) for row in rows]
    sets = sequenced[[which.index(number) for number in range(len(number_of))]]
    symbols = np.array([current_symbol(gene) for gene in genes], object)
    panels: dict[str, list[str]] = {}
    called: list[str | None] = []
    for number, held in enumerate(sets, 1):
        is_panel = held.sum() < SMALLEST_EXOME
        called.append((f"cbioportal {number}" if len(sets) > 1 else "cbioportal") if is_panel else None)
        if is_panel:
            panels[called[-1]] = list(dict.fromkeys(filter(None, symbols[held])))
    return {name: called[number] for name, number in zip(names, which, strict=True)}, panels


def _mutations(whole: pa.Table, genes: list[str], kept: np.ndarray) -> _Cells:
    """The protein changes of the kept samples' cells; every cell is counted."""
    cells = _Cells(total=whole.num_rows * len(genes))
    cells.left_out["of a sample that is not kept"] = int((~kept).sum()) * len(genes)
    rows = np.flatnonzero(kept)
    for gene in genes:
        column = encoded(whole[gene])
        values = [value.strip() for value in column.dictionary.to_pylist()]
        codes = column.indices.to_numpy()[kept]
        kinds = [_kind(value) for value in values]
        for kind, n in zip(kinds, np.bincount(codes, minlength=len(values)).tolist(), strict=True):
            cells.count(kind, n)
        mutated = np.array([kind == _MUTATED for kind in kinds] or [False])[codes]
        for at in np.flatnonzero(mutated).tolist():
            changes = _somatic(values[codes[at]])
            cells.row += [int(rows[at])] * len(changes)
            cells.gene += [gene] * len(changes)
            cells.change += changes
    return cells


def _kind(value: str) -> str:
    """ "mutated", "wild type", or why a cell counts for nothing."""
    if value in _WILD_TYPE:
        return _WITHOUT
    if value in _NOT_SEQUENCED:
        return "not sequenced"
    changes = _somatic(value)
    if not changes:
        return "germline only"
    read = [parse_protein_change(change) for change in changes]
    if any(change and change.consequence != SILENT for change in read):
        return _MUTATED
    return SILENT if all(read) else _UNREADABLE


def _somatic(value: str) -> list[str]:
    """The protein changes of a cell, each once, without those marked as germline and without remarks such as
    ``(driver)``."""
    found = (match for match in _CHANGE.finditer(value) if _GERMLINE not in match["remark"].lower())
    return list(dict.fromkeys(match["change"] for match in found))
