"""Cell lines: a DepMap release's files, and other tables of the same lines."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..errors import InputError
from ..labels import mapping
from ..tables import delimited
from ..tables.columns import encoded, matching
from ..tables.delimited import TEXT, DelimitedFile
from ..variants import canonical
from ..variants.cases import CASES, NOTHING, Dropped, SourceTables
from ..variants.schema import SCHEMA
from . import beside, folder_files, gene_panels, maf
from .layouts import DEPMAP_MODELS as MODELS
from .layouts import DEPMAP_MUTATIONS as MUTATIONS
from .rows import Block, RowReader, read_samples
from .settings import ReadingLimits

_EXAMPLES = 5
_YES = ("true", "yes", "1")


class DepMapReader(RowReader):
    """Reads the mutations, without those that are likely inherited or poorly supported: lines have no matched normal.

    ``burden`` counts the non-silent variants of each model before that filter."""

    layout = MUTATIONS
    source = "depmap"
    kind = "cell line"

    def __init__(self, limits: ReadingLimits) -> None:
        super().__init__(limits)
        self.burden: Counter[str] = Counter()

    def wanted(self, block: Block) -> np.ndarray:
        """Mask of the rows that are the model's default entry, coding, likely somatic, and well supported."""
        keep = np.ones(block.rows, bool)
        if "default_entry" in block:
            default = matching(block.text("default_entry"), _is_yes)
            keep = self.refuse(keep, ~default, "not the model's default entry")
        stated, protein = self.consequence(block), block.column("protein_change")
        for reason, mask in canonical.silent_and_non_coding(stated, protein).items():
            keep = self.refuse(keep, mask, reason)
        model = block.text("sample")
        counts = np.bincount(model.indices.to_numpy()[keep], minlength=len(model.dictionary))
        self.burden.update(dict(zip(model.dictionary.to_pylist(), counts.tolist(), strict=True)))
        return self._somatic(block, keep)

    def _somatic(self, block: Block, keep: np.ndarray) -> np.ndarray:
        """Which rows of ``keep`` are likely somatic and well supported, or hotspots; a missing number speaks against no
        row."""
        hotspot = matching(block.text("hotspot"), _is_yes)
        for reason, against in (
            (
                "likely inherited: known to gnomAD",
                self._beyond(block, "frequency", "germline_max_population_frequency"),
            ),
            ("low allele fraction", self._beyond(block, "allele_fraction", "min_variant_allele_fraction")),
            ("low read depth", self._beyond(block, "depth", "min_read_depth")),
        ):
            keep = self.refuse(keep, against & ~hotspot, reason)
        return keep

    def _beyond(self, block: Block, role: str, limit: str) -> np.ndarray:
        test = pc.greater if limit.startswith("germline_max") else pc.less
        masks = [pc.fill_null(test(column, getattr(self.limits, limit)), False) for column in block.columns(role)]
        return np.logical_or.reduce([np.zeros(block.rows, bool), *(m.to_numpy(zero_copy_only=False) for m in masks)])

    def consequence(self, block: Block) -> pa.DictionaryArray:
        """VariantInfo (the term of one transcript), or MolecularConsequence where that is empty or not in the
        release."""
        present = block.columns("consequence")
        if len(present) == 1 or "" not in present[0].dictionary.to_pylist():
            return present[0]
        first, second = (column.dictionary_decode() for column in present)
        return pc.if_else(pc.equal(first, ""), second, first).dictionary_encode()


def read(folder: Path, limits: ReadingLimits) -> SourceTables:
    """Read a source that is one folder; see ``read_folders``."""
    (tables,) = read_folders([folder], limits)
    return tables


def read_folders(folders: Sequence[Path], limits: ReadingLimits, genomes: Sequence[Path] = ()) -> list[SourceTables]:
    """Read all folders of the source, one ``SourceTables`` each, in their order; a case is a model. ``genomes`` (FASTA)
    give the bases around variants of MAFs of lines that have none.

    A folder holds a release's OmicsSomaticMutations.csv (and, where they are there, OmicsCNGene.csv and
    OmicsFusionFiltered.csv), or MAFs whose samples are ModelIDs with the panel's genes in genes.txt (without it the
    lines count as exomes), or copy number, fusions or spectra alone; each file packed with gzip or not. The Model.csv
    of any folder serves all.

    Lines have no matched normal, so variants of a release that look inherited or are poorly supported are left out:
    known to gnomAD at more than ``germline_max_population_frequency``, or read at less than
    ``min_variant_allele_fraction`` or ``min_read_depth``, unless DepMap marks them as a hotspot. Each limit holds where
    the release has its column. Models that are engineered, drug-adapted or non-cancerous, and those that contradict the
    other models of their patient, are left out. ``notes`` has the burden before and after the filter.

    Raises ``InputError`` with file, line and column for anything that cannot be read, and for a source without
    mutations or Model.csv.
    """
    contents = [(folder, _files(folder)) for folder in folders]
    models = _all_models(contents)
    tables = []
    for folder, files in contents:
        source = delimited.origin(folder, "depmap")
        found = beside.read(files, source)
        if mutations := files.get(folder_files.DEPMAP_MUTATIONS):
            own = _of_release(DelimitedFile(mutations[0]), models, limits, source)
        elif mafs := files.get(folder_files.MAF):
            own = _of_mafs(mafs, files.get(folder_files.GENE_LIST, []), models, source, genomes)
        else:
            own = SourceTables(CASES.empty_table(), SCHEMA.empty_table(), notes={"files": []})
        notes = own.notes | ({"beside": found.notes} if found.notes else {})
        if ignored := [path.name for kind in _NOT_USED for path in files.get(kind, [])]:
            notes["ignored_files"] = ignored
        dropped = own.dropped + found.dropped
        own = replace(own, dropped=dropped, notes=notes, alterations=found.alterations, spectra=found.spectra)
        tables.append(own)
    source = delimited.origin(folders[0], "depmap")
    tables = beside.with_silent_cases(tables, lambda *given: _silent(models, *given), source)
    return _with_absent(tables, models, source)


_NOT_USED = (folder_files.OTHER, folder_files.CLINICAL, folder_files.STUDY_CLINICAL, folder_files.WEB_TABLE)


def _files(folder: Path) -> dict[str, list[Path]]:
    """The folder's files by what they hold. Raises ``InputError`` for a folder without anything to read."""
    names = ("Model.csv", "OmicsSomaticMutations.csv")
    named = {name: [path for path in (folder / name, folder / f"{name}.gz") if path.is_file()] for name in names}
    for name in names:
        if len(named[name]) > 1:
            delimited.named_file(folder, name)
    files = folder_files.sorted_files(folder, lenient=True)
    kinds = (folder_files.MAF, folder_files.SPECTRA, folder_files.FUSIONS, *folder_files.COPY_NUMBER)
    if not named["OmicsSomaticMutations.csv"] and not any(files.get(kind) for kind in kinds):
        delimited.named_file(folder, "OmicsSomaticMutations.csv")
    return files


def _all_models(contents: Sequence[tuple[Path, dict[str, list[Path]]]]) -> dict[str, dict[str, str]]:
    """The models of every folder's Model.csv, the first folder's row of each."""
    found = [path for _, files in contents for path in files.get(folder_files.DEPMAP_MODELS, [])]
    if not found:
        delimited.named_file(contents[0][0], "Model.csv")
    models: dict[str, dict[str, str]] = {}
    for path in found:
        models = _models(DelimitedFile(path)) | models
    return models


def _of_release(
    file: DelimitedFile, models: dict[str, dict[str, str]], limits: ReadingLimits, source: str
) -> SourceTables:
    reader = _reader(file, limits)
    rows = reader.rows([file])
    cases, left_out = _cases(models, reader.samples, source)
    of_case = matching(encoded(rows["case_id"]), set(cases["case_id"].to_pylist()).__contains__)
    dropped = reader.tally.dropped(source, "variant")
    reader.tally.leave_out("of a model that is no case", int((~of_case).sum()))
    table, unclear = canonical.table(
        rows.filter(pa.array(of_case)).drop_columns(["filter", "status", "around"]), source
    )
    reader.tally.take(unclear)
    notes = {
        "files": [file.path.name],
        "germline_filter": _limits(file, limits),
        "burden": _burdens(cases["case_id"].to_pylist(), reader.burden, table),
    }
    reader.tally.used = table.num_rows
    account = reader.tally.account("row")
    return SourceTables(cases, table, left_out + dropped + unclear, notes, account=account)


def _of_mafs(
    paths: Sequence[Path],
    lists: Sequence[Path],
    models: dict[str, dict[str, str]],
    source: str,
    genomes: Sequence[Path],
) -> SourceTables:
    """Lines from MAFs whose samples are ModelIDs, seen through the panel of the genes in ``lists``."""
    files, reader = [DelimitedFile(path) for path in paths], maf.MafReader()
    reader.genomes = genomes
    for file in files:
        maf.LAYOUT.check(file)
        maf.LAYOUT_OF_CHANGES.check(file)
    genes = list(dict.fromkeys(gene for path in lists for gene in gene_panels.read(path).genes))
    panel = paths[0].name.removesuffix(".gz").partition(".")[0] if genes else None
    rows = reader.rows(files)
    cases, left_out = _cases(models, reader.samples, source, panel)
    of_case = matching(encoded(rows["case_id"]), set(cases["case_id"].to_pylist()).__contains__)
    dropped = reader.tally.dropped(source, "variant")
    reader.tally.leave_out("of a model that is no case", int((~of_case).sum()))
    table, unclear = canonical.table(rows.filter(pa.array(of_case)).drop_columns(["filter", "status"]), source)
    reader.tally.take(unclear)
    notes = {"files": [path.name for path in (*paths, *lists)]}
    panels = {panel: genes} if panel else {}
    reader.tally.used = table.num_rows
    account = reader.tally.account("row")
    return SourceTables(cases, table, left_out + dropped + unclear, notes, panels, account)


def _silent(models: dict[str, dict[str, str]], samples: Sequence[str], seen: set[str], source: str) -> pa.Table:
    """The cases of the models among ``samples`` that are not ``seen``."""
    names = (set(samples) - seen) & set(models)
    return _cases(models, names, source, NOTHING)[0] if names else CASES.empty_table()


def _with_absent(tables: list[SourceTables], models: dict[str, dict[str, str]], source: str) -> list[SourceTables]:
    """With a count of the usable models of which no folder has anything."""
    cases = {name for table in tables for name in table.cases["case_id"].to_pylist()}
    absent = [name for name in _usable(models, models)[0] if name not in cases]
    if not absent:
        return tables
    reason = "in Model.csv, but without mutations: not sequenced in this release"
    entry = Dropped(source, "case", reason, len(absent), tuple(absent[:_EXAMPLES]))
    return [*tables[:-1], replace(tables[-1], dropped=[*tables[-1].dropped, entry])]


def read_lines(file: DelimitedFile, limits: ReadingLimits) -> SourceTables:
    """Read the mutations alone, without a Model.csv, for prediction: a case is a model, unlabelled, of unknown sex.

    The limits of ``read`` against inherited and poorly supported variants hold. Raises ``InputError`` as ``read``
    does.
    """
    tables = read_samples(file, _reader(file, limits))
    tables.notes["germline_filter"] = _limits(file, limits)
    return tables


def _reader(file: DelimitedFile, limits: ReadingLimits) -> DepMapReader:
    consequence = MUTATIONS.columns["consequence"].names
    if not set(consequence) & set(file.names):
        what = f"neither column {' nor '.join(consequence)}"
        raise InputError(f"{file.path}: line {file.header.line}: {what}: fetch the whole file again")
    MUTATIONS.check(file)
    return DepMapReader(limits)


def _is_yes(text: str) -> bool:
    return text.strip().lower() in _YES


def _models(file: DelimitedFile) -> dict[str, dict[str, str]]:
    """Model.csv by ModelID."""
    MODELS.check(file)
    # A file may spell the names in another way (present), the rows are by those of the layout.
    spelt = {role: names[0] for role, names in MODELS.present(file.names).items()}
    table = file.read(dict.fromkeys(spelt.values(), TEXT))
    models: dict[str, dict[str, str]] = {}
    for row in table.select(list(spelt.values())).rename_columns(list(spelt)).to_pylist():
        if row["ModelID"] in models:
            raise InputError(f"{file.path}: column ModelID holds {row['ModelID']!r} twice: remove one of the rows")
        models[row["ModelID"]] = row
    return models


def _cases(
    models: dict[str, dict[str, str]], sequenced: Iterable[str], source: str, panel: str | None = None
) -> tuple[pa.Table, list[Dropped]]:
    """The cases of the models that were ``sequenced``, and those left out by reason."""
    sequenced = set(sequenced)
    usable, left_out = _usable(models, sequenced | set(models))
    rows = [_case(models[name], usable[name], source, panel) for name in usable if name in sequenced]
    counted = {reason: [name for name in names if name in sequenced] for reason, names in left_out.items()}
    dropped = [
        Dropped(source, "case", reason, len(names), tuple(names[:_EXAMPLES]))
        for reason, names in counted.items()
        if names
    ]
    return pa.Table.from_pylist(rows, schema=CASES), dropped


def _usable(
    models: dict[str, dict[str, str]], names: Iterable[str]
) -> tuple[dict[str, mapping.Assignment], dict[str, list[str]]]:
    """The models among ``names`` that may be cases, with their labels, and the others by reason."""
    usable: dict[str, mapping.Assignment] = {}
    left_out: dict[str, list[str]] = {}
    for name in sorted(names):
        if name not in models:
            left_out.setdefault("in the mutations, but not in Model.csv", []).append(name or "(empty)")
        elif reason := mapping.model_exclusion(models[name]):
            left_out.setdefault(reason, []).append(name)
        else:
            usable[name] = _assignment(models[name])
    for name, reason in mapping.patient_conflicts(_of_patients(models, usable)).items():
        left_out.setdefault(reason, []).append(name)
        usable.pop(name, None)
    return usable, left_out


def _assignment(model: dict[str, str]) -> mapping.Assignment:
    return mapping.from_oncotree(
        model["OncotreeCode"], model["OncotreePrimaryDisease"], model.get("OncotreeSubtype"), model["OncotreeLineage"]
    )


def _of_patients(
    models: dict[str, dict[str, str]], usable: dict[str, mapping.Assignment]
) -> Iterable[mapping.PatientModel]:
    for name, assignment in usable.items():
        yield mapping.PatientModel(name, models[name]["PatientID"], models[name]["OncotreeLineage"], assignment)


def _case(
    model: dict[str, str], assignment: mapping.Assignment, source: str, panel: str | None
) -> dict[str, str | None]:
    return {
        "case_id": model["ModelID"],
        "patient_id": model["PatientID"] or model["ModelID"],
        "source": source,
        "kind": "cell line",
        "label": assignment.label,
        "scope": assignment.scope,
        "origin": model["OncotreeCode"],
        "sex": delimited.sex(model.get("Sex")),
        "panel": panel,
    }


def _limits(file: DelimitedFile, limits: ReadingLimits) -> dict[str, float | str]:
    """The limits in force; "no column" where the release does not carry what a limit is about."""
    present = MUTATIONS.present(file.names)
    roles = {
        "germline_max_population_frequency": "frequency",
        "min_variant_allele_fraction": "allele_fraction",
        "min_read_depth": "depth",
    }
    return {name: getattr(limits, name) if role in present else "no column" for name, role in roles.items()}


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
