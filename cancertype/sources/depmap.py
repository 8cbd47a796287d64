"""Cell lines: a DepMap release's OmicsSomaticMutations.csv and Model.csv."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..cohort.settings import Cohort
from ..errors import InputError
from ..labels import mapping
from ..tables import delimited
from ..tables.columns import compacted, encoded, matching
from ..tables.delimited import TEXT
from ..variants import canonical
from ..variants.cases import CASES, Dropped, SourceTables, unlabelled

# Where nearly every value of a block is another, coding each block costs more than coding the whole column.
_MUTATIONS = (
    dict.fromkeys(("ModelID", "Chrom", "Ref", "Alt"), TEXT)
    | dict.fromkeys(("HugoSymbol", "ProteinChange"), pa.string())
    | {"Pos": pa.int64()}
)
_CONSEQUENCES = ("VariantInfo", "MolecularConsequence")
_FREQUENCIES = ("GnomadeAF", "GnomadgAF")
_OPTIONAL = (
    dict.fromkeys((*_CONSEQUENCES, "Hotspot", "IsDefaultEntryForModel"), TEXT)
    | dict.fromkeys((*_FREQUENCIES, "AF", "DP"), pa.float64())
)  # fmt: skip
COLUMNS = (*_MUTATIONS, *_OPTIONAL)
"""Every column of the mutations that is read where it is there."""

_MODEL = ("ModelID", "PatientID", "OncotreeCode", "OncotreePrimaryDisease", "OncotreeLineage")
_MODEL_OPTIONAL = ("OncotreeSubtype", "Sex", "EngineeredModel", "CulturedResistanceDrug")
_EXAMPLES = 5
_YES = ("true", "yes", "1")


@dataclass
class _Seen:
    """What is met while the mutations stream past."""

    counts: Counter[str] = field(default_factory=Counter)
    models: set[str] = field(default_factory=set)
    burden: Counter[str] = field(default_factory=Counter)


def read(folder: Path, settings: Cohort) -> SourceTables:
    """Read a release's two files (packed with gzip or not); a case is a model.

    Columns are found by name, since releases differ in them. Lines have no matched normal, so variants that look
    inherited or are poorly supported are left out: known to gnomAD at more than
    ``germline_max_population_frequency``, or read at less than ``min_variant_allele_fraction`` or ``min_read_depth``,
    unless DepMap marks them as a hotspot. Each limit holds where the release carries its column. Models that are
    engineered, drug-adapted or non-cancerous, and those that contradict the other models of their patient, are left
    out. ``notes`` tells the burden before and after the filter.

    Raises ``InputError`` with file, line and column for anything that cannot be read.
    """
    source = delimited.origin(folder, "depmap")
    path = delimited.named_file(folder, "OmicsSomaticMutations.csv")
    models = _models(delimited.named_file(folder, "Model.csv"))
    seen = _Seen()
    rows, columns = _mutations(path, settings, seen)
    cases, left_out = _cases(models, seen.models, source)
    rows = rows.filter(pa.array(matching(encoded(rows["case_id"]), set(cases["case_id"].to_pylist()).__contains__)))
    rows, repeated = canonical.without_repeats(rows, source)
    table, unclear = canonical.table(rows.drop_columns(["chromosome", "position"]), source)
    dropped = [Dropped(source, "variant", reason, n) for reason, n in sorted(seen.counts.items()) if n]
    notes = {
        "files": [path.name],
        "germline_filter": _limits(columns[1], settings),
        "burden": _burdens(cases["case_id"].to_pylist(), seen.burden, table),
    }
    return SourceTables(cases, table, left_out + dropped + repeated + unclear, notes)


def read_lines(path: Path, settings: Cohort) -> SourceTables:
    """Read the mutations alone, without a Model.csv, for prediction: a case is a model, unlabelled, of unknown sex.

    The limits of ``read`` against inherited and poorly supported variants hold. Raises ``InputError`` as ``read``
    does.
    """
    source = "depmap"
    seen = _Seen()
    rows, columns = _mutations(path, settings, seen)
    named = matching(encoded(rows["case_id"]), bool)
    seen.counts["no ModelID"] += int((~named).sum())
    rows, repeated = canonical.without_repeats(rows.filter(pa.array(named)), source)
    table, unclear = canonical.table(rows.drop_columns(["chromosome", "position"]), source)
    dropped = [Dropped(source, "variant", reason, n) for reason, n in sorted(seen.counts.items()) if n]
    notes = {"files": [path.name], "germline_filter": _limits(columns[1], settings)}
    cases = unlabelled(sorted(seen.models - {""}), source, "cell line")
    return SourceTables(cases, table, dropped + repeated + unclear, notes)


def _mutations(
    path: Path, settings: Cohort, seen: _Seen
) -> tuple[pa.Table, tuple[dict[str, pa.DataType], dict[str, pa.DataType]]]:
    """The rows that may count, and the columns that were read; adds what it meets to ``seen``."""
    columns = _columns(path)
    batches = [
        _telling(batch, settings, seen)
        for batch in delimited.DelimitedFile(path).batches(*columns, f"reading {path.name}")
    ]
    return compacted(pa.Table.from_batches(batches, schema=_ROWS)), columns


def _columns(path: Path) -> tuple[dict[str, pa.DataType], dict[str, pa.DataType]]:
    """Required and optional columns of the mutations, as far as the file has them."""
    top = delimited.header(path)
    optional = {name: kind for name, kind in _OPTIONAL.items() if name in top.names}
    if not set(_CONSEQUENCES) & set(optional):
        raise InputError(
            f"{path}: line {top.line}: neither column {' nor '.join(_CONSEQUENCES)}: fetch the whole file again"
        )
    return _MUTATIONS, optional


_ROWS = pa.schema(
    [
        ("case_id", TEXT),
        ("gene", pa.string()),
        ("protein_change", pa.string()),
        ("consequence", TEXT),
        ("reference", TEXT),
        ("alternative", TEXT),
        ("chromosome", TEXT),
        ("position", pa.int64()),
    ]
)


def _telling(batch: pa.RecordBatch, settings: Cohort, seen: _Seen) -> pa.RecordBatch:
    """The rows that may count, as ``_ROWS``; adds what it meets to ``seen``."""
    default = _is_default(batch)
    seen.counts["not the model's default entry"] += int((~default).sum())
    if not default.all():
        batch = batch.filter(pa.array(default))
    model, stated = batch.column("ModelID"), _stated(batch)
    seen.models.update(model.dictionary.take(pc.unique(model.indices)).to_pylist())
    telling = canonical.tells(stated, seen.counts)
    burden = np.bincount(model.indices.to_numpy()[telling], minlength=len(model.dictionary))
    seen.burden.update(dict(zip(model.dictionary.to_pylist(), burden.tolist(), strict=True)))
    first, last = ("ModelID", "HugoSymbol", "ProteinChange"), ("Ref", "Alt", "Chrom", "Pos")
    arrays = [*map(batch.column, first), stated, *map(batch.column, last)]
    rows = pa.RecordBatch.from_arrays(arrays, schema=_ROWS)
    return rows.filter(pa.array(_somatic(batch, telling, settings, seen.counts)))


def _is_default(batch: pa.RecordBatch) -> np.ndarray:
    if "IsDefaultEntryForModel" not in batch.schema.names:
        return np.ones(batch.num_rows, bool)
    return matching(batch.column("IsDefaultEntryForModel"), _is_yes)


def _is_yes(text: str) -> bool:
    return text.strip().lower() in _YES


def _stated(batch: pa.RecordBatch) -> pa.DictionaryArray:
    """VariantInfo (the term of one transcript), or MolecularConsequence where that is empty or not in the release."""
    present = [batch.column(name) for name in _CONSEQUENCES if name in batch.schema.names]
    if len(present) == 1 or "" not in present[0].dictionary.to_pylist():
        return present[0]
    first, second = (column.dictionary.take(column.indices) for column in present)
    return pc.if_else(pc.equal(first, ""), second, first).dictionary_encode()


def _somatic(batch: pa.RecordBatch, keep: np.ndarray, settings: Cohort, counts: Counter[str]) -> np.ndarray:
    """Which rows of ``keep`` are likely somatic and well supported, or hotspots; a missing number speaks against no
    row."""
    names = batch.schema.names

    def beyond(name: str, test: str, limit: float) -> np.ndarray:
        if name not in names:
            return np.zeros(batch.num_rows, bool)
        return pc.fill_null(getattr(pc, test)(batch.column(name), limit), False).to_numpy(zero_copy_only=False)

    hotspot = np.zeros(batch.num_rows, bool)
    if "Hotspot" in names:
        hotspot = matching(batch.column("Hotspot"), _is_yes)
    known = [beyond(name, "greater", settings.germline_max_population_frequency) for name in _FREQUENCIES]
    for reason, against in (
        ("likely inherited: known to gnomAD", np.logical_or.reduce(known)),
        ("low allele fraction", beyond("AF", "less", settings.min_variant_allele_fraction)),
        ("low read depth", beyond("DP", "less", settings.min_read_depth)),
    ):
        refused = keep & against & ~hotspot
        counts[reason] += int(refused.sum())
        keep = keep & ~refused
    return keep


def _models(path: Path) -> dict[str, dict[str, str]]:
    """Model.csv by ModelID."""
    table = delimited.read(path, dict.fromkeys(_MODEL, TEXT), dict.fromkeys(_MODEL_OPTIONAL, TEXT))
    models: dict[str, dict[str, str]] = {}
    for row in table.to_pylist():
        if row["ModelID"] in models:
            raise InputError(f"{path}: column ModelID holds {row['ModelID']!r} twice: remove one of the rows")
        models[row["ModelID"]] = row
    return models


def _cases(models: dict[str, dict[str, str]], sequenced: Iterable[str], source: str) -> tuple[pa.Table, list[Dropped]]:
    """The cases, and the models left out by reason."""
    usable: dict[str, mapping.Assignment] = {}
    left_out: dict[str, list[str]] = {}
    sequenced = set(sequenced)
    for name in sorted(sequenced | set(models)):
        if name not in models:
            left_out.setdefault("in the mutations, but not in Model.csv", []).append(name or "(empty)")
        elif reason := mapping.model_exclusion(models[name]):
            left_out.setdefault(reason, []).append(name)
        else:
            usable[name] = _assignment(models[name])
    for name, reason in mapping.patient_conflicts(_of_patients(models, usable)).items():
        left_out.setdefault(reason, []).append(name)
        usable.pop(name, None)
    rows = [_case(models[name], assignment, source) for name, assignment in usable.items() if name in sequenced]
    absent = [name for name in usable if name not in sequenced]
    counted = {reason: [name for name in names if name in sequenced] for reason, names in left_out.items()}
    counted["in Model.csv, but without mutations: not sequenced in this release"] = absent
    dropped = [
        Dropped(source, "case", reason, len(names), tuple(names[:_EXAMPLES]))
        for reason, names in counted.items()
        if names
    ]
    return pa.Table.from_pylist(rows, schema=CASES), dropped


def _assignment(model: dict[str, str]) -> mapping.Assignment:
    return mapping.from_oncotree(
        model["OncotreeCode"], model["OncotreePrimaryDisease"], model.get("OncotreeSubtype"), model["OncotreeLineage"]
    )


def _of_patients(
    models: dict[str, dict[str, str]], usable: dict[str, mapping.Assignment]
) -> Iterable[mapping.PatientModel]:
    for name, assignment in usable.items():
        yield mapping.PatientModel(name, models[name]["PatientID"], models[name]["OncotreeLineage"], assignment)


def _case(model: dict[str, str], assignment: mapping.Assignment, source: str) -> dict[str, str | None]:
    return {
        "case_id": model["ModelID"],
        "patient_id": model["PatientID"] or model["ModelID"],
        "source": source,
        "kind": "cell line",
        "label": assignment.label,
        "scope": assignment.scope,
        "origin": model["OncotreeCode"],
        "sex": delimited.sex(model.get("Sex")),
        "panel": None,
    }


def _limits(present: dict[str, pa.DataType], settings: Cohort) -> dict[str, float | str]:
    """The limits in force; "no column" where the release does not carry what a limit is about."""
    limits = {
        "germline_max_population_frequency": (_FREQUENCIES, settings.germline_max_population_frequency),
        "min_variant_allele_fraction": (("AF",), settings.min_variant_allele_fraction),
        "min_read_depth": (("DP",), settings.min_read_depth),
    }
    return {name: limit if set(columns) & set(present) else "no column" for name, (columns, limit) in limits.items()}


def _burdens(cases: list[str], before: Counter[str], after: pa.Table) -> dict[str, dict[str, float]]:
    """Median and mean non-silent variants a case, before the filter and as kept."""
    kept = Counter(dict(zip(*_value_counts(after["case_id"]), strict=True)))
    tables = {"before": before, "after": kept}
    return {
        when: {"median": float(np.median(n)), "mean": round(float(np.mean(n)), 1)}
        for when, counts in tables.items()
        if (n := [counts[case] for case in cases])
    }


def _value_counts(column: pa.ChunkedArray) -> tuple[list[str], list[int]]:
    counts = column.value_counts()
    return counts.field("values").to_pylist(), counts.field("counts").to_pylist()
