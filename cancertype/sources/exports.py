"""Tables with one mutation per row that other tools and portals write, and plain lists of sample, gene and change."""

import csv
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..errors import InputError
from ..tables.columns import encoded, matching, single, translated
from ..tables.containers import tab_separated
from ..tables.delimited import TEXT, DelimitedFile
from ..tables.layout import Column, Layout, plain
from ..variants.cases import Dropped, SourceTables
from ..variants.consequences import consequence_class
from ..variants.genes import current_symbol, known_genes, symbol_of
from ..variants.protein_changes import is_unstated, parse_protein_change
from . import list_cells
from .check_boxes import has_box, tick
from .common_names import with_symbols
from .maf import flags
from .report_readings import CLASS_UNKNOWN
from .report_words import Kind, classify
from .rows import Block, RowReader, read_samples
from .settings import ReadingLimits
from .vcf_samples import NORMAL_TISSUE, named_normals

_MANY = pa.string()
_FREQUENCIES = (
    "AF", "gnomAD_exome_ALL", "gnomAD_genome_ALL", "gnomad40_exome_AF", "gnomad41_exome_AF", "gnomad211_exome_AF",
    "AF_popmax", "ExAC_ALL", "1000g2015aug_all", "gnomADe_AF", "gnomADg_AF", "gnomAD_AF", "NFE_AF_GNOMAD",
    "GLOBAL_AF_GNOMAD",
)  # fmt: skip


def _layout(name: str, **columns: str | Sequence[str]) -> Layout:
    """A layout of text columns; ``gene``, ``protein_change`` and ``position`` are read as plain text."""
    spelt = {role: (names,) if isinstance(names, str) else tuple(names) for role, names in columns.items()}
    many = ("gene", "protein_change", "position", "frequency")
    return Layout(name, {role: Column(names, _MANY if role in many else TEXT) for role, names in spelt.items()})


ICGC = _layout(
    "ICGC simple somatic mutations",
    sample=("icgc_sample_id", "submitted_sample_id", "icgc_specimen_id", "icgc_donor_id"),
    gene=("gene_symbol", "gene_affected"),
    protein_change="aa_mutation",
    consequence="consequence_type",
    chromosome="chromosome",
    position="chromosome_start",
    reference=("mutated_from_allele", "reference_genome_allele"),
    alternative="mutated_to_allele",
    validation="verification_status",
)
COSMIC = _layout(
    "COSMIC mutations",
    sample=("SAMPLE_NAME", "Sample name", "Sample Name", "COSMIC_SAMPLE_ID", "ID_sample"),
    gene=("GENE_SYMBOL", "Gene name", "GENE_NAME", "Gene"),
    protein_change=("MUTATION_AA", "Mutation AA", "AA Mutation", "HGVSP"),
    consequence=("MUTATION_DESCRIPTION", "Mutation Description", "Type"),
    chromosome="CHROMOSOME",
    position=("GENOME_START",),
    reference=("GENOMIC_WT_ALLELE",),
    alternative=("GENOMIC_MUT_ALLELE",),
    status=("MUTATION_SOMATIC_STATUS", "Mutation somatic status", "Somatic Status"),
)
CCLE = _layout(
    "CCLE mutations",
    sample=("DepMap_ID", "Broad_ID", "ModelID", "Tumor_Sample_Barcode"),
    gene="Hugo_Symbol",
    protein_change=("Protein_Change",),
    consequence="Variant_Classification",
    chromosome="Chromosome",
    position=("Start_position", "Start_Position"),
    reference="Reference_Allele",
    alternative=("Alternate_Allele", "Tumor_Allele", "Tumor_Seq_Allele1", "Tumor_Seq_Allele2"),
)
ANNOVAR = _layout(
    "ANNOVAR multianno",
    sample=("Tumor_Sample_Barcode", "Sample", "SampleID", "Sample_ID"),
    gene=("Gene.refGene", "Gene.refGeneWithVer", "Gene.ensGene", "Gene.knownGene"),
    protein_change=("AAChange.refGene", "AAChange.refGeneWithVer", "AAChange.ensGene", "AAChange.knownGene"),
    consequence=("ExonicFunc.refGene", "ExonicFunc.refGeneWithVer", "ExonicFunc.ensGene", "ExonicFunc.knownGene"),
    region=("Func.refGene", "Func.refGeneWithVer", "Func.ensGene", "Func.knownGene"),
    chromosome="Chr",
    position="Start",
    reference="Ref",
    alternative="Alt",
    filter="FILTER",
    vcf_filter="Otherinfo10",
    vcf_format="Otherinfo12",
    frequency=_FREQUENCIES,
)
TSO500 = _layout(
    "TSO500 combined variant output",
    sample="Sample",
    gene="Gene",
    protein_change=("P-Dot Notation", "P Dot Notation", "Protein Change"),
    consequence=("Consequence(s)", "Consequence"),
    chromosome="Chromosome",
    position=("Genomic Position", "Position"),
    reference=("Reference Call", "Reference Allele"),
    alternative=("Alternative Call", "Alternative Allele"),
)
PCGR = _layout(
    "PCGR variants",
    sample=("SAMPLE_ID", "VCF_SAMPLE_ID", "TUMOR_SAMPLE_BARCODE"),
    gene="SYMBOL",
    protein_change=("HGVSp_short", "HGVSP", "PROTEIN_CHANGE", "ALTERATION"),
    consequence="CONSEQUENCE",
    chromosome=("CHROM", "CHROMOSOME"),
    position=("POS", "POSITION"),
    reference="REF",
    alternative="ALT",
    filter="FILTER",
    frequency=_FREQUENCIES,
)
CBIOPORTAL_API = _layout(
    "cBioPortal mutations (API)",
    sample=("sampleId", "uniqueSampleKey"),
    gene=("gene.hugoGeneSymbol", "hugoGeneSymbol", "gene"),
    protein_change="proteinChange",
    consequence="mutationType",
    chromosome="chr",
    position="startPosition",
    reference="referenceAllele",
    alternative="variantAllele",
    status="mutationStatus",
    validation="validationStatus",
)
LIST = _layout(
    "list of mutations",
    sample=(
        "Sample", "Sample ID", "Sample Name", "Tumor_Sample_Barcode", "Tumor Sample", "Case", "Case ID", "Patient",
        "Patient ID", "Subject", "Specimen ID", "Tumor ID", "Tumour ID", "Model", "ModelID", "DepMap_ID", "Cell line",
        "Cell line name", "ID", "Name",
        "Barcode", "Probe", "Proben-ID", "Patienten-ID", "Muestra", "Paciente", "Échantillon", "Campione",
        "Paziente",
    ),
    gene=(
        "Gene", "Hugo_Symbol", "Gene Symbol", "Symbol", "Gene Name", "HugoSymbol", "Hugo Gene Symbol", "HGNC Symbol",
        "GeneName", "Gene_ID", "Genes", "Gen", "Gène",
    ),
    protein_change=(
        "HGVSp_Short", "Protein Change", "Protein", "ProteinChange", "AA Change", "AA_Change", "Amino Acid Change",
        "Amino_Acid_Change", "AAChange", "AA Mutation", "MA:protein.change", "HGVSp", "HGVS.p", "HGVS_p", "P.", "p-dot",
        "Protein alteration", "Protein Mutation", "Alteration", "Mutation", "Variant", "Change", "Amino Acids",
        "p. change", "AA", "HGVS protein", "Mutation AA", "pNomen", "Aminosäureaustausch",
        "Mutación", "Mutazione", "Variante", "Variation protéique", "Result", "Finding",
    ),
    coding=(
        "cDNA", "HGVSc", "HGVS.c", "HGVS_c", "cDNA Change", "cDNA_Change", "Coding", "Coding change", "CDS Mutation",
        "CDS change", "Nucleotide change", "DNA change", "DNA", "c.", "c-dot", "Base change",
        "cNomen",
    ),
    consequence=(
        "Variant_Classification", "Consequence", "Mutation Type", "Effect", "Variant Type", "Type", "Class",
        "Classification", "MutationType", "Variant_Class", "Annotation", "Molecular Consequence", "Mutation effect",
        "codingEffect",
    ),
    chromosome=("Chromosome", "Chrom", "Chr"),
    position=("Start_Position", "Position", "Pos", "Start", "Start Pos"),
    reference=("Reference_Allele", "Ref", "Reference"),
    alternative=("Tumor_Seq_Allele2", "Alt", "Alternate", "Alternative", "Var"),
    status=(
        "Mutation_Status", "Mutation Status", "Status", "MS", "Origin", "Somatic status", "Germline/Somatic",
        "Somatic/Germline", "Somatic or germline", "Variant origin", "Allele origin", "Germline", "Somatic", "Detected",
        "Call", "Present", "Mutated", "Positive", "Result", "Test result", "Detection",
    ),
    tissue=("Sample Type", "Tissue Type", "Specimen Type", "Tumor/Normal", "Tumour/Normal", "Type", "Variant Type"),
    verdict=(
        "Classification", "Verdict", "Pathogenicity", "Clinical Significance", "ClinVar", "ACMG", "ACMG Classification",
        "Variant Classification", "Interpretation", "Significance",
    ),
    quality=("QC", "QC status", "QC result", "Quality control"),
    allele_fraction=(
        "VAF", "VAF (%)", "VAF %", "Tumor VAF", "Allele Frequency", "Allele Fraction", "Variant Allele Frequency",
        "Variant Allele Fraction", "Allele Freq (T)", "Allelfrequenz (%)", "Fréquence allélique",
    ),
    filter=("FILTER", "Filter status"),
    frequency=(*(name for name in _FREQUENCIES if name != "AF"), "gnomAD", "gnomAD frequency", "gnomAD MAF",
               "gnomAD AF", "gnomAD (Aggregated)", "gnomadAltFreq_all", "Population frequency"),
)  # fmt: skip

_NOT_SOMATIC = re.compile(r"germ\s*line|\bloh\b|wild\s*-?type|not somatic", re.IGNORECASE)
_NEGATIVE = re.compile(
    r"wt|wild[\s_-]*type|(?:not|none|non|no|un)[\s_-]*(?:detected|found|identified|present|mutated|mutations?|altered"
    r"|alterations?)(?: detected| found)?|absent|neg|negative|normal|no|none|nil",
    re.IGNORECASE,
)
_NOT_DETECTED = re.compile(
    r"not[\s_-]*(?:detected|found|identified|present)|undetected|absent|negative|neg|wt|no|false", re.IGNORECASE
)
_OF_NORMAL = re.compile(r"(?:.*\W)?normal", re.IGNORECASE)
_INHERITED_TYPE = re.compile(r"germ\s*line(?: variant| mutation)?|inherited|constitutional", re.IGNORECASE)
_BENIGN_VERDICT = re.compile(r"(?:(?:likely|probably)?[\s_/]*benign[\s_/]*)+", re.IGNORECASE)
_FAILED = re.compile(r"fail(?:ed|s|ure)?|no|false|0|bad|not passed", re.IGNORECASE)
_NO_FRACTION = re.compile(r"0+(?:[.,]0+)?\s*%?")
_YES, _NO = frozenset({"yes", "true", "1", "y", "ticked"}), frozenset({"no", "false", "0", "n", "empty"})
_STATED_ORIGIN = "stated to be germline, LOH or wild type"
_STATED_BENIGN = "stated to be benign"
_NO_READS = "an allele fraction of 0: not found"
_QUALITY = "failed the stated quality control"
_FILTERED = "marked by FILTER"
_INHERITED = "likely inherited: known to gnomAD"
_REFUTED = "not verified by the study"
_REFUTING = frozenset({"invalid", "wildtype", "not verified"})
_WILD_TYPE = "stated to be wild type"
_OTHER_EVENT = re.compile(
    r"^(amplification|amplified|amp|deletion|homdel|(?:homozygous|whole gene) deletion|loss|gain|fusion|rearrangement"
    r"|copy.*|cnv|sv)$",
    re.IGNORECASE,
)
_FIRST_CHANGE = re.compile(r"p\.[^,;|\s]+")


class ExportReader(RowReader):
    """Reads any of the layouts of this module."""

    source = "list"

    def wanted(self, block: Block) -> np.ndarray:
        """Mask of the rows that are coding, not stated to be germline or wild type, and unknown to gnomAD."""
        keep = super().wanted(block)
        keep = self.refuse(keep, matching(block.text("filter"), _is_filtered), _FILTERED)
        keep = self.refuse(keep, _filtered_in_vcf(block), _FILTERED)
        for name, column in zip(block.names("status"), block.columns("status"), strict=True):
            keep = self.refuse(keep, matching(single(column), _against(name)), _STATED_ORIGIN)
        for role, word, reason in _WORDS_AGAINST:
            for column in block.columns(role):
                keep = self.refuse(keep, matching(single(column), _says_only(word)), reason)
        refuted = matching(block.text("validation"), lambda text: text.strip().lower() in _REFUTING)
        keep = self.refuse(keep, refuted, _REFUTED)
        change = block.text("protein_change")
        words = matching(change, lambda text: bool(_NEGATIVE.fullmatch(text.strip())))
        keep = self.refuse(keep, words, _WILD_TYPE)
        others = [matching(block.text(role), lambda t: bool(_OTHER_EVENT.match(t.strip()))) for role in _EVENT_ROLES]
        keep = self.refuse(keep, np.logical_or.reduce(others), list_cells.OTHER_KIND)
        return self.refuse(keep, self._inherited(block), _INHERITED)

    def rows(self, files: Sequence[DelimitedFile]) -> pa.Table:
        """The rows that may count, without those of normal tissue, which is no case."""
        rows = super().rows(files)
        normals = named_normals(name.strip() for name in self.samples)
        normal = matching(encoded(rows["case_id"]), lambda name: name.strip() in normals)
        self.samples = {name for name in self.samples if name.strip() not in normals}
        return self.without(rows, normal, NORMAL_TISSUE)

    def _inherited(self, block: Block) -> np.ndarray:
        limit = self.limits.germline_max_population_frequency
        masks = [_above(column, limit) for column in block.columns("frequency")]
        return np.logical_or.reduce([np.zeros(block.rows, bool), *masks])

    def consequence(self, block: Block) -> pa.DictionaryArray:
        """The stated class: ANNOVAR's region (splicing, UTR3) where its exonic function is empty, and the class that a
        list writes into its column of changes (``TP53 nonsense``)."""
        stated = block.text("consequence")
        for other in block.columns("consequence")[1:] if "region" not in block else ():
            # A column called Type may hold SNP, and the class be in the next.
            unclear = matching(stated, lambda text: consequence_class(text) is None)
            if (better := unclear & matching(single(other), lambda text: consequence_class(text) is not None)).any():
                words = [single(column).dictionary_decode() for column in (other, stated)]
                stated = pc.if_else(pa.array(better), *words).dictionary_encode()
        if "region" in block:
            exonic = block.strings("consequence")
            empty = pc.is_in(exonic, value_set=pa.array(["", ".", "NA", "unknown"]))
            stated = pc.if_else(empty, block.strings("region"), exonic).dictionary_encode()
        if "consequence" not in block and "protein_change" in block:
            return translated(block.text("protein_change"), lambda text: text if consequence_class(text) else "")
        return stated

    def protein_change(self, block: Block) -> pa.Array:
        """The protein change of each row, of the first transcript where several are listed."""
        change = block.first_stated("protein_change").dictionary_encode()
        return translated(change, first_transcript).dictionary_decode().fill_null("")


def _against(column: str) -> Callable[[str], bool]:
    """The test for a value of the status column named so that says that the row is no somatic mutation."""
    is_question = plain(column) in ("germline", "somatic", "detected", "present", "mutated", "positive")
    answers = _YES if plain(column) == "germline" else _NO

    def speaks_against(text: str) -> bool:
        text = tick(text) or text.strip().lower()
        if is_question and text in _YES | _NO:
            return text in answers
        return bool(_NOT_SOMATIC.search(text) or _NOT_DETECTED.fullmatch(text))

    return speaks_against


_WORDS_AGAINST = (
    ("tissue", _OF_NORMAL, NORMAL_TISSUE),
    ("tissue", _INHERITED_TYPE, _STATED_ORIGIN),
    ("verdict", _BENIGN_VERDICT, _STATED_BENIGN),
    ("quality", _FAILED, _QUALITY),
    ("allele_fraction", _NO_FRACTION, _NO_READS),
)
"""What the words of a role's columns say against a row, and the reason that it is counted under."""


def _says_only(word: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda text: bool(word.fullmatch(text.strip()))


def _is_filtered(text: str) -> bool:
    return bool(flags(text))


def _filtered_in_vcf(block: Block) -> np.ndarray:
    """Mask of the rows whose FILTER speaks against them where ANNOVAR copied the lines of a VCF behind its own columns,
    as the genotype's format in them shows."""
    is_vcf = matching(block.text("vcf_format"), lambda text: text.partition(":")[0] == "GT")
    return is_vcf & matching(block.text("vcf_filter"), _is_filtered)


def _stated_change(text: str) -> str:
    """The change that a cell of a list states, without the gene before it; "" where it only names a class."""
    text = text.strip()
    # Transcripts have colons; p.G12D, p.G13D are two changes.
    return text if "," in text and ":" not in text else first_transcript(text)


_EVENT_ROLES = ("protein_change", "consequence")


def first_transcript(text: str) -> str:
    """``GENE:NM:exon15:c.1799T>A:p.V600E,...`` is p.V600E; a class word or wild type in place of a change is none."""
    text = text.strip()
    if is_unstated(text) or (consequence_class(text) and parse_protein_change(text) is None):
        return ""
    if ("," in text or ":" in text) and (match := _FIRST_CHANGE.search(text)):
        return match[0]
    parts = text.split()
    # A gene before its change, as in BRAF V600E.
    return parts[1] if len(parts) == 2 and parts[0].upper() in known_genes() else text


def _above(column: pa.Array, limit: float) -> np.ndarray:
    def is_above(text: str) -> bool:
        try:
            return float(text) > limit
        except ValueError:
            return False

    return matching(single(column), is_above)


_SAYS_WHAT = frozenset({"protein_change", "consequence", "coding"})
"""Roles of columns that say what happened to a gene."""


class ListReader(ExportReader):
    """Reads lists that people write: their changes may be words, their genes common names, and a list of genes and
    samples alone says that the genes are mutated."""

    def __init__(self, limits: ReadingLimits | None = None, layout: Layout | None = None) -> None:
        super().__init__(limits, layout)
        self.extra = self.class_unknown = 0

    def protein_change(self, block: Block) -> pa.Array:
        """The stated change, which may be a word; where there is none, the coding-DNA change."""
        if _SAYS_WHAT.isdisjoint(block.roles):
            return pa.repeat("", block.rows)
        change = translated(block.first_stated("protein_change").dictionary_encode(), _stated_change)
        change = change.dictionary_decode().fill_null("")
        if "coding" not in block:
            return change
        return pc.if_else(pc.equal(change, ""), block.strings("coding"), change)

    def consequence(self, block: Block) -> pa.DictionaryArray:
        """The stated class; missense in a list of genes and samples alone."""
        if not _SAYS_WHAT.isdisjoint(block.roles):
            return super().consequence(block)
        return pa.repeat("missense", block.rows).dictionary_encode()

    def rows(self, files: Sequence[DelimitedFile]) -> pa.Table:
        """The rows that may count; one more for each further change that a cell states (``extra``)."""
        read = list_cells.read_all(with_symbols(super().rows(files)))
        if all(_SAYS_WHAT.isdisjoint(self.layout.present(file.names)) for file in files):
            stated = pc.and_(pc.not_equal(read.rows["gene"], ""), pc.not_equal(read.rows["case_id"], ""))
            read = replace(read, class_unknown=pc.sum(stated).as_py() or 0)
        self.extra, self.class_unknown = read.extra, read.class_unknown
        self.tally.total += read.extra
        for reason, n in read.refused.items():
            self.tally.leave_out(reason, n)
        return read.rows


class CellLineReader(ExportReader):
    """Reads the older CCLE_mutations.csv, whose cases are cell lines."""

    kind = "cell line"


@dataclass(frozen=True)
class Export:
    """A layout, the columns by which it is recognised (without capitals and punctuation), and its reader."""

    layout: Layout
    marks: frozenset[str]
    reader: Callable[[ReadingLimits, Layout], RowReader] = ExportReader


def _marks(*names: str) -> frozenset[str]:
    return frozenset(map(plain, names))


EXPORTS = (
    Export(ICGC, _marks("icgc_donor_id", "gene_affected")),
    Export(ICGC, _marks("icgc_mutation_id", "consequence_type")),
    Export(ANNOVAR, _marks("Gene.refGene", "ExonicFunc.refGene")),
    Export(ANNOVAR, _marks("Gene.ensGene", "ExonicFunc.ensGene")),
    Export(ANNOVAR, _marks("Gene.knownGene", "ExonicFunc.knownGene")),
    Export(ANNOVAR, _marks("Gene.refGeneWithVer", "ExonicFunc.refGeneWithVer")),
    Export(COSMIC, _marks("GENE_SYMBOL", "MUTATION_AA")),
    Export(COSMIC, _marks("Gene name", "Mutation AA")),
    Export(COSMIC, _marks("GENE_NAME", "MUTATION_AA")),
    Export(COSMIC, _marks("Gene", "AA Mutation", "CDS Mutation")),
    Export(CCLE, _marks("Hugo_Symbol", "DepMap_ID", "Protein_Change"), CellLineReader),
    Export(CCLE, _marks("Hugo_Symbol", "Broad_ID", "Protein_Change"), CellLineReader),
    Export(PCGR, _marks("SYMBOL", "CONSEQUENCE", "TIER")),
    Export(PCGR, _marks("SYMBOL", "CONSEQUENCE", "ACTIONABILITY_TIER")),
    Export(TSO500, _marks("Gene", "P-Dot Notation", "Consequence(s)")),
)


def recognised_records(file: DelimitedFile) -> Export | None:
    """The same for records of JSON, of which cBioPortal's API gives a list of mutations."""
    if _marks("sampleId", "proteinChange") <= {plain(name) for name in file.names}:
        return Export(CBIOPORTAL_API, frozenset())
    return recognised(file)


def recognised(file: DelimitedFile) -> Export | None:
    """The export that ``file`` is, by the names of its columns; a list of mutations where it has a gene and what
    happened to it; None for anything else."""
    return recognised_names(file.names)


def recognised_names(columns: Sequence[str]) -> Export | None:
    """The same by the names of the columns."""
    names = {plain(name) for name in columns}
    for export in EXPORTS:
        if export.marks <= names:
            return export
    present = LIST.present(columns)
    if "gene" in present and not _SAYS_WHAT.isdisjoint(present):
        return Export(_with_samples(columns), frozenset())
    if set(present) == {"gene", "sample"} and len(columns) == len(present):
        return Export(LIST, frozenset())  # which genes are mutated in which sample, and no more
    return None


def names_samples(file: DelimitedFile) -> bool:
    """Whether a column of a list or export holds the samples."""
    export = recognised(file)
    return export is not None and "sample" in export.layout.present(file.names)


_ENDS_OF_SAMPLES = ("sample", "sampleid", "samplename", "barcode", "patient", "patientid")


def _with_samples(names: Sequence[str]) -> Layout:
    """The layout of lists for columns of these ``names``. Where none is known to hold the samples, it is one that is
    called so (``COSMIC sample``), because the rows of all samples would be one case without it."""
    if "sample" in LIST.present(names):
        return LIST
    called = [name for name in names if plain(name).endswith(_ENDS_OF_SAMPLES) and not plain(name).startswith("mut")]
    return replace(LIST, columns={**LIST.columns, "sample": Column(tuple(called))}) if len(called) == 1 else LIST


def read(file: DelimitedFile, export: Export, limits: ReadingLimits) -> SourceTables:
    """Read one export for prediction: a case is a sample, unlabelled.

    Raises ``InputError`` with file, line and column for anything that cannot be read."""
    if export.layout is ICGC and "gene_symbol" not in file.names:
        raise InputError(
            f"{file.path} is ICGC's table of simple somatic mutations, whose genes are Ensembl ids: add a column "
            "gene_symbol with the gene symbols (biomaRt or gprofiler convert them)"
        )
    if export.layout is CBIOPORTAL_API and "gene" not in CBIOPORTAL_API.present(file.names):
        raise InputError(
            f"{file.path} holds mutations of cBioPortal's API without gene symbols: ask the API for them again with "
            "projection=DETAILED"
        )
    if export.layout.name != LIST.name:
        return read_samples(file, export.reader(limits, export.layout))
    _check_samples(file, export.layout)
    reader = ListReader(limits, export.layout)
    tables = read_samples(file, reader)
    account = tables.account
    # A row counts once in the account, however many changes its cell states.
    account = replace(account, total=account.total - reader.extra, used=account.used - reader.extra)
    vague = Dropped("list", "class", CLASS_UNKNOWN, reader.class_unknown)
    return replace(tables, account=account, dropped=[*tables.dropped, *([vague] if vague.n else [])])


def _check_samples(file: DelimitedFile, layout: Layout) -> None:
    """Raise ``InputError`` where a list of genes and samples alone is one of genes and whether they are mutated."""
    present = layout.present(file.names)
    if _SAYS_WHAT.isdisjoint(present):
        names = {value.strip() for value in file.read({present["sample"][0]: TEXT})[0].unique().to_pylist()}
        if names <= {"0", "1", ""}:
            raise InputError(
                f"{file.path}: column {present['sample'][0]} holds 0 and 1 and no names of samples: give a row for "
                "each mutated gene with the name of its sample"
            )


# --- Other shapes, brought into columns ---


_TEXTS = frozenset(
    map(
        plain,
        ("Mutation", "Mutations", "Variant", "Variants", "Alteration", "Alterations", "Genomic alterations", "Findings",
         "Gene mutations", "Mutated genes", "Somatic mutations", "Genomic findings", "Mutation list", "Genotype"),
    )
)  # fmt: skip
"""Columns, without capitals and punctuation, whose cells are texts: ``KRAS G12D, TP53 R175H``."""


def text_columns(file: DelimitedFile) -> tuple[str, str] | None:
    """The columns of samples and of texts in a table that has both and no column of genes; None for any other."""
    present = LIST.present(file.names)
    texts = [name for name in file.names if plain(name) in _TEXTS]
    if "sample" not in present or "gene" in present or len(texts) != 1:
        return None
    return present["sample"][0], texts[0]


def named_texts(file: DelimitedFile) -> list[tuple[str, str]]:
    """The sample and the text of each row. Raises ``InputError`` for a row without a sample."""
    names = text_columns(file)
    table = file.read(dict.fromkeys(names, TEXT))
    pairs = [(sample.strip(), text) for sample, text in zip(*(table[name].to_pylist() for name in names), strict=True)]
    for row, (sample, _) in enumerate(pairs, 1):
        if not sample:
            raise InputError(
                f"{file.path}: row {row} below the column names: column {names[0]} is empty: name the sample"
            )
    return pairs


def combined_variant_output(lines: Sequence[str], file: DelimitedFile) -> DelimitedFile | None:
    """The section [Small Variants] of Illumina's TSO500 CombinedVariantOutput.tsv with the sample in a column; None
    where ``lines`` are no such file."""
    sections: dict[str, list[list[str]]] = {}
    name = ""
    for line in lines:
        fields = [field.strip() for field in line.rstrip("\n").split("\t")]
        if fields[0].startswith("[") and fields[0].endswith("]"):
            name = fields[0][1:-1].lower()
            sections[name] = []
        elif name and any(fields):
            sections[name].append(fields)
    if "small variants" not in sections:
        return None
    details = {row[0].lower(): row[1] for rows in sections.values() for row in rows if len(row) > 1}
    sample = next(
        (details[key] for key in ("dna sample id", "pair id", "sample id") if details.get(key)), file.path.name
    )
    header, *rows = sections["small variants"] or [["Gene"]]
    rows = [row for row in rows if row[0] and row[0].upper() != "NA"]
    width = len(header)
    padded = ([sample, *row, *[""] * (width - len(row))][: width + 1] for row in rows)
    return DelimitedFile(file.path, tab_separated(["Sample", *header], padded))


_LONGEST_ROW = 10_000
"""Characters of a row of at most twelve short fields."""


def headless_list_on_one_line(text: str, file: DelimitedFile) -> DelimitedFile | None:
    """The same for rows that semicolons or commas separate: ``S1 KRAS G12D; S1 TP53 R175H; S2 BRAF V600E``."""
    for mark in ";,":
        rows = [row.strip() for row in text.split(mark)]
        if len(rows) > 1 and (columns := headless_list(rows, file)) is not None and "Sample" in columns.names:
            return columns
    return None


def headless_list(lines: Sequence[str], file: DelimitedFile) -> DelimitedFile | None:
    """A list of sample, gene and change (or gene and change) without a line of column names, in columns; None where
    ``lines`` are something else. The separator is a tab, comma, semicolon, bar or blanks."""
    rows = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    if any(len(row) > _LONGEST_ROW for row in rows) or any(map(has_box, rows)):
        return None
    for separator in ("\t", ",", ";", "|", None):
        fields = [_split(row, separator) for row in rows]
        width = Counter(map(len, fields)).most_common(1)[0][0] if fields else 0
        if not 2 <= width <= 12 or any(len(row) != width for row in fields):
            continue
        if (roles := _roles(fields, separator)) is None:
            continue
        names = ["" for _ in range(width)]
        for role, at in roles.items():
            names[at] = role
        return DelimitedFile(file.path, tab_separated([name or f"column {i}" for i, name in enumerate(names)], fields))
    return None


def _split(row: str, separator: str | None) -> list[str]:
    if separator is None:
        return [field.rstrip(",;") for field in row.split()]
    return [field.strip() for field in next(csv.reader([row], delimiter=separator), [])]


def _roles(rows: list[list[str]], separator: str | None) -> dict[str, int] | None:
    """Which column holds the genes, the changes and the samples; None where that is not clear in every row.

    A column of samples is needed where blanks separate, and more than one row, since two words are a mutation in free
    text as well."""
    columns = list(zip(*rows, strict=True))
    genes = [i for i, column in enumerate(columns) if all(_is_symbol(value) for value in column)]
    classes = [i for i, column in enumerate(columns) if _names_classes(column)]
    changes = [i for i, column in enumerate(columns) if _states_changes(column) and i not in classes] or classes
    pairs = [(gene, change) for gene in genes for change in changes if gene != change]
    if not pairs:
        return _genes_and_samples(columns, genes) if separator is not None else None
    gene, change = next((pair for pair in pairs if pair[1] == pair[0] + 1), pairs[0])
    roles = {"Gene": gene, "Protein change": change}
    if classes and change not in classes:
        roles["Variant_Classification"] = classes[0]
    rest = [i for i in range(len(columns)) if i not in roles.values()]
    if not rest:
        return roles if separator not in (None, "|") else None
    beside = [i for i in rest if all(map(_BESIDE.fullmatch, columns[i])) or (i and all(map(str.isdecimal, columns[i])))]
    if beside == rest and separator is not None:
        return roles
    stated = {i: role for role, words in _STATED_BESIDE for i in rest if all(map(words.fullmatch, columns[i]))}
    roles |= {role: i for i, role in stated.items()}
    open_ = [i for i in rest if i not in beside and i not in stated]
    if not open_ and separator is not None:
        return roles
    samples = [i for i in open_ if all(columns[i]) and _may_name_samples(columns[i], columns[gene])]
    if not samples or (separator is None and (len(rows) < 2 or len(columns) > 3 or samples[0] != 0)):
        return None
    if separator is None and not all(_is_sample_name(value) for value in columns[0]):
        return None
    return {"Sample": samples[0], **roles}


_NUMBERED = re.compile(r"([SPTC])([1-9][0-9]?)")
"""S1, which elsewhere may be a codon."""


def _genes_and_samples(columns: list[tuple[str, ...]], genes: list[int]) -> dict[str, int] | None:
    """The roles of two columns that say which genes are mutated in which sample (``TP53,S1``); None for any others."""
    if len(columns) != 2 or len(genes) != 1:
        return None
    names = columns[1 - genes[0]]
    kinds = {classify(name)[0].kind if _is_sample_name(name) else Kind.FILLER for name in names}
    if not kinds <= {Kind.UNKNOWN, Kind.CODON}:
        return None
    if kinds == {Kind.CODON}:
        numbered = [_NUMBERED.fullmatch(name) for name in names]
        if not all(numbered) or len({match[1] for match in numbered}) > 1:
            return None
        if max(int(match[2]) for match in numbered) > len(names):
            return None
    return {"Gene": genes[0], "Sample": 1 - genes[0]}


def _names_classes(values: Sequence[str]) -> bool:
    """Whether a column holds classes (missense, splice) and nothing else."""
    stated = [value for value in values if not is_unstated(value)]
    return bool(stated) and all(consequence_class(value) is not None for value in stated)


def _states_changes(values: Sequence[str]) -> bool:
    """Whether a column holds protein changes, and besides nothing but results: wild type, a class, an amplification."""
    return any(parse_protein_change(value) is not None for value in values) and all(
        _is_change(value) or is_unstated(value) or _NEGATIVE.fullmatch(value) or _OTHER_EVENT.match(value)
        for value in values
    )


def _may_name_samples(values: Sequence[str], genes: Sequence[str]) -> bool:
    """Whether a column may name samples: its values are no changes, and no other name of the row's gene."""
    if all(map(_is_change, values)):
        return False
    return not any(symbol_of(value) == symbol_of(gene) for value, gene in zip(values, genes, strict=True))


_ENTRY = re.compile(r"\(?\d{1,3}[.)]")
"""The number of an entry."""

_BESIDE = re.compile(
    rf"{_ENTRY.pattern}|\d*[.,]\d+ ?%?|\d+ ?%|(?:N[MPRC]_|ENS[GTP]|rs|COS[MV])\d\S*|[cgn]\.\S+|ex(?:on)? ?\d+|tier .*",
    re.IGNORECASE,
)
"""What lists hold beside genes and changes: numbers of entries, allele fractions, accessions, DNA changes, exons."""


_STATED_BESIDE = (
    (
        "Classification",
        re.compile(
            r"(?:likely[\s_-]*)?(?:pathogenic|oncogenic|benign)|vus|(?:uncertain|unknown)[\s_]significance|", re.I
        ),
    ),
    ("Status", re.compile(r"somatic|germ\s*line|(?:not[\s_]*)?(?:detected|found|present)|positive|negative|", re.I)),
    ("QC", re.compile(r"pass(?:ed)?|fail(?:ed)?|", re.I)),
)
"""Roles of columns in lists without column names, by the words that they hold."""


def _is_symbol(text: str) -> bool:
    return " " not in text and (symbol_of(text) in known_genes().values() or current_symbol(text) in known_genes())


def _is_change(text: str) -> bool:
    return parse_protein_change(text) is not None or consequence_class(text) is not None


def _is_sample_name(text: str) -> bool:
    if _ENTRY.fullmatch(text):
        return False
    return not text.endswith(":") and (any(c.isdigit() for c in text) or text.isupper()) and not _is_change(text)
