"""A study as cBioPortal's datahub and AACR GENIE distribute it, or as cBioPortal's web page gives it for download."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from ..alterations import combine
from ..errors import InputError
from ..tables import delimited
from ..tables.columns import encoded, matching, translated, with_column
from ..tables.delimited import TEXT, DelimitedFile
from ..tables.layout import Column
from ..variants import canonical
from ..variants.cases import NOTHING, Dropped, SourceTables
from ..variants.genes import current_symbol
from . import beside, cbioportal_web, folder_files, gene_panels, maf
from .cbioportal_samples import EXOMES, Sample, cases_table, one_per_patient, plain, read_patients, read_samples
from .rows import Block

_MUTATIONS = ("data_mutations.txt", "data_mutations_extended.txt", "data_mutations_mskcc.txt")
_SAMPLES = ("data_clinical_sample.txt", "data_clinical_samples.txt")
_PATIENTS = ("data_clinical_patient.txt", "data_clinical_patients.txt")
_MATRICES = ("data_gene_panel_matrix.txt", "data_gene_matrix.txt")
_GENOMIC_INFORMATION = "genomic_information.txt"
_SEQUENCED = "cases_sequenced.txt"
_SCREENED = "cases_sv.txt"

_COMMON = "common_variant"
"""The flag with which GENIE and the datahub mark what gnomAD knows as common, in the column FILTER."""

_WHOLE_EXOME_GENES = 1 << 20
"""More genes than any panel: where all are sequenced."""


def is_study(folder: Path) -> bool:
    """Whether ``folder`` is laid out as a cBioPortal study, or holds tables of its web download."""
    return _optional(folder, _MUTATIONS) is not None or bool(cbioportal_web.tables(folder))


def read(folder: Path, genomes: Sequence[Path] = ()) -> SourceTables:
    """Read a study folder; a case is a patient. The bases around variants of which data_mutations.txt gives none come
    from the first of ``genomes`` (FASTA) that fits.

    Files, each packed with gzip or not:

    - data_mutations.txt (or data_mutations_extended.txt): a MAF.
    - data_clinical_sample.txt: SAMPLE_ID, PATIENT_ID and ONCOTREE_CODE (or CANCER_TYPE and CANCER_TYPE_DETAILED).
      data_clinical_patient.txt, where it is there, gives the sex.
    - Which panel a sample was sequenced with: data_gene_panel_matrix.txt, or GENIE's column SEQ_ASSAY_ID. The panels'
      genes: data_gene_panel_*.txt, genomic_information.txt, or ID.bed, in the folder or one level below. A panel
      whose genes are nowhere keeps its id in the cases' column ``panel`` and has no entry in ``panels``.

    A sample counts as sequenced when it has a mutation, or when the gene-panel matrix, SEQ_ASSAY_ID, the case list
    cases_sequenced.txt or the line ``#Sequenced_Samples:`` says so. ``one_per_patient`` states which sample stands for
    a patient. Germline calls and variants marked common_variant are left out. Labels come from the OncoTree code.

    Copy number and fusions are read from data_cna.txt, data_armlevel_cna.txt, a .seg file, data_sv.txt and
    data_fusions.txt; the case list cases_sv.txt says whose fusions were looked for. A patient whose mutations were not
    looked at, but whose copy number or fusions are known, is a case with the panel ``NOTHING``.

    A folder without mutations of this layout may hold tables of cBioPortal's web download instead
    (``cbioportal_web.read``); there copy number and fusions stay under the names of the samples.

    Raises ``InputError`` with file, line and column for anything that cannot be read.
    """
    source = delimited.origin(folder, "cbioportal")
    mutations = _optional(folder, _MUTATIONS)
    files = folder_files.sorted_files(folder, lenient=True)
    if mutations is None:
        return _of_web_download(folder, files, source)
    clinical = _optional(folder, _SAMPLES)
    if clinical is None:
        raise InputError(f"{folder}: {mutations.name} is there without {_SAMPLES[0]}, which has the labels: copy it in")
    samples = read_samples(clinical, read_patients(_optional(folder, _PATIENTS)))
    panels = _Panels.of(folder, samples)
    file, reader = DelimitedFile(mutations), StudyReader()
    for layout in (maf.LAYOUT, maf.LAYOUT_OF_CHANGES):
        layout.check(file)
    reader.genomes = genomes
    rows = reader.rows([file])
    sequenced = {name.strip() for name in reader.samples} - {""}
    kept, left_out = one_per_patient(
        samples.values(),
        sequenced | panels.sequenced | _listed_as_sequenced(folder, file),
        panels.sizes(samples),
        source,
    )
    unknown = sorted(sequenced - set(samples))
    if unknown:
        left_out.append(Dropped(source, "case", f"not in {clinical.name}", len(unknown), tuple(unknown[:5])))
    rows = _of_kept(rows, kept, reader)
    table, unclear = canonical.table(rows.drop_columns(["filter", "status"]), source)
    reader.tally.take(unclear)
    reader.tally.used = table.num_rows
    dropped = reader.tally.dropped(source, "variant") + [
        each for each in unclear if each.what not in ("row", "variant")
    ]
    cases = cases_table(kept, panels.of_sample, source)
    notes = {
        "files": [path.name for path in (mutations, clinical)],
        "panels": {name: len(genes) for name, genes in sorted(panels.genes.items())},
        "panels_without_genes": sorted(set(panels.of_sample.values()) - set(panels.genes) - {None}),
    }
    used = {name: panels.genes[name] for name in panels.genes if name in set(cases["panel"].to_pylist())}
    tables = SourceTables(cases, table, left_out + dropped, notes, used, reader.tally.account("row"))
    files[folder_files.SCREENED] = [*files.get(folder_files.SCREENED, []), *_below(folder, _SCREENED)]
    return _with_alterations(tables, beside.read(files, source), samples, kept, source)


def _with_alterations(
    tables: SourceTables, found: beside.Beside, samples: dict[str, Sample], kept: dict[str, Sample], source: str
) -> SourceTables:
    """``tables`` with the copy number and fusions of the samples that stand for their patients."""
    if found.alterations is None:
        return replace(tables, spectra=found.spectra, dropped=tables.dropped + found.dropped)
    stated = beside.samples_of(found.alterations)
    patients = {sample.patient for sample in kept.values()}
    others = [samples[name] for name in stated if name in samples and samples[name].patient not in patients]
    silent, _ = one_per_patient(others, set(stated), {}, source)
    cases = pa.concat_tables([tables.cases, cases_table(silent, dict.fromkeys(silent, NOTHING), source)])
    case_of = {name: sample.patient for name, sample in (kept | silent).items()}
    dropped = tables.dropped + found.dropped
    if without := [name for name in stated if name not in case_of]:
        reason = "copy number or fusions of a sample that is no case"
        dropped = [*dropped, Dropped(source, "sample", reason, len(without), tuple(without[:5]))]
    return replace(
        tables,
        cases=cases,
        dropped=dropped,
        notes=tables.notes | {"beside": found.notes},
        panels=tables.panels | ({NOTHING: []} if silent else {}),
        alterations=combine.under_names(found.alterations, {name: [case] for name, case in case_of.items()}),
        spectra=found.spectra,
    )


def _of_web_download(folder: Path, files: dict[str, list[Path]], source: str) -> SourceTables:
    tables = cbioportal_web.read(folder, source)
    copies = [p for p in files.get(folder_files.WEB_TABLE, []) if not cbioportal_web.holds_mutations(p)]
    found = beside.read(files, source, copies)
    notes = tables.notes | ({"beside": found.notes} if found.notes else {})
    dropped = tables.dropped + found.dropped
    return replace(tables, dropped=dropped, notes=notes, alterations=found.alterations, spectra=found.spectra)


# --- Files ---


def _optional(folder: Path, names: tuple[str, ...]) -> Path | None:
    """The first of ``names`` that is in ``folder``, packed or not."""
    paths = (folder / f"{name}{end}" for name in names for end in ("", ".gz"))
    return next((path for path in paths if path.is_file()), None)


def _below(folder: Path, pattern: str) -> list[Path]:
    """Files that match ``pattern`` (packed or not) in ``folder`` and in the folders in it."""
    ways = (f"{below}{pattern}{end}" for below in ("", "*/") for end in ("", ".gz"))
    return sorted(path for way in ways for path in folder.glob(way) if path.is_file())


def _listed_as_sequenced(folder: Path, mutations: DelimitedFile) -> set[str]:
    """Samples of the case list of sequenced samples, and of the comment ``#Sequenced_Samples:`` of the mutations."""
    names = set(maf.sequenced_samples(mutations))
    for path in _below(folder, _SEQUENCED):
        for _, line in delimited.lines(path):
            key, _, value = line.partition(":")
            if key.strip() == "case_list_ids":
                names.update(value.split())
    return names


# --- Panels ---


@dataclass(frozen=True)
class _Panels:
    """``of_sample``: sample to panel id (None for an exome; no entry where nothing is said). ``genes``: panel id to
    genes. ``sequenced``: the samples of which some file says that their mutations were looked for."""

    of_sample: dict[str, str | None]
    genes: dict[str, list[str]]
    sequenced: set[str]

    @classmethod
    def of(cls, folder: Path, samples: dict[str, Sample]) -> "_Panels":
        stated = {name: sample.assay for name, sample in samples.items() if sample.assay}
        matrix = _optional(folder, _MATRICES)
        if matrix is not None:
            stated |= _of_matrix(matrix)
        sequenced = {name for name, panel in stated.items() if panel}
        of_sample = {name: None if plain(panel) in EXOMES else panel for name, panel in stated.items() if panel}
        wanted = set(of_sample.values()) - {None}
        return cls(of_sample, {name: genes for name, genes in _gene_lists(folder) if name in wanted}, sequenced)

    def sizes(self, samples: Iterable[str]) -> dict[str, int]:
        """Sample to the number of genes that were looked at; more than any panel has where no panel is named."""
        whole = {name: _WHOLE_EXOME_GENES for name in samples if self.of_sample.get(name) is None}
        return whole | {name: len(self.genes.get(panel, ())) for name, panel in self.of_sample.items() if panel}


def _of_matrix(path: Path) -> dict[str, str]:
    """The gene-panel matrix: sample to the panel of its mutations, "" where they were not looked for."""
    names = delimited.header(path).names
    column = next((name for name in names if name.lower() in ("mutations", "mutations_extended")), None)
    if column is None:
        raise InputError(f"{path}: line {delimited.header(path).line}: no column mutations: add it, or remove the file")
    table = delimited.read(path, {"SAMPLE_ID": TEXT, column: TEXT})
    panels = (panel.strip() for panel in table[column].to_pylist())
    names = (name.strip() for name in table["SAMPLE_ID"].to_pylist())
    return {name: "" if panel in delimited.MISSING else panel for name, panel in zip(names, panels, strict=True)}


def _gene_lists(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Panel ids and genes: BED files first, then GENIE's genomic information, then cBioPortal's gene-panel files."""
    for path in _below(folder, "*.bed"):
        yield path.name.removesuffix(".gz").removesuffix(".bed"), list(gene_panels.read(path).genes)
    information = _optional(folder, (_GENOMIC_INFORMATION,))
    if information is not None:
        yield from _genomic_information(information).items()
    for path in _below(folder, "data_gene_panel_*.txt"):
        if path.name.removesuffix(".gz") not in _MATRICES:
            listed = gene_panels.read(path)
            yield listed.name, list(listed.genes)


def _genomic_information(path: Path) -> dict[str, list[str]]:
    """GENIE's table of intervals: the genes of which an assay includes an exon."""
    optional = dict.fromkeys(("Feature_Type", "includeInPanel"), TEXT)
    genes: dict[str, dict[str, None]] = {}
    for batch in DelimitedFile(path).batches({"Hugo_Symbol": TEXT, "SEQ_ASSAY_ID": TEXT}, optional):
        keep = np.ones(batch.num_rows, bool)
        if "Feature_Type" in batch.schema.names:
            keep &= matching(batch.column("Feature_Type"), lambda kind: kind.lower() in ("exon", ""))
        if "includeInPanel" in batch.schema.names:
            keep &= matching(batch.column("includeInPanel"), lambda included: included.lower() != "false")
        pairs = pa.table({name: batch.column(name) for name in ("SEQ_ASSAY_ID", "Hugo_Symbol")}).filter(pa.array(keep))
        for row in pairs.group_by(["SEQ_ASSAY_ID", "Hugo_Symbol"]).aggregate([]).to_pylist():
            if symbol := current_symbol(row["Hugo_Symbol"]):
                genes.setdefault(row["SEQ_ASSAY_ID"], {})[symbol] = None
    return {name: sorted(symbols) for name, symbols in genes.items()}


# --- Mutations ---


class StudyReader(maf.MafReader):
    """Reads the mutations of a study, which has filtered its own calls: of the flags in FILTER only common_variant
    refuses a row."""

    layout = replace(
        maf.LAYOUT,
        columns={role: column for role, column in maf.LAYOUT.columns.items() if role != "filter"}
        | {"flags": Column(("FILTER",))},
    )
    source = "cbioportal"

    def wanted(self, block: Block) -> np.ndarray:
        """Mask of the rows that may count: those of ``MafReader`` that are not marked as common."""
        keep = super().wanted(block)
        if "flags" not in block:
            return keep
        common = matching(block.text("flags"), lambda text: _COMMON in maf.flags(text))
        return self.refuse(keep, common, "marked common_variant")


def _of_kept(rows: pa.Table, kept: dict[str, Sample], reader: StudyReader) -> pa.Table:
    """The rows of the samples that stand for their patients, under the patients' ids."""
    case = translated(encoded(rows["case_id"]), lambda name: kept[name.strip()].patient if name.strip() in kept else "")
    of_kept = matching(case, bool)
    reader.tally.leave_out("of a sample that is not kept", int((~of_kept).sum()))
    return with_column(rows, "case_id", case).filter(pa.array(of_kept))
