"""What annotators write into a VCF's INFO: VEP, SnpEff (ANN and the older EFF), bcftools csq, Funcotator and ANNOVAR.

Sources: VEP's documentation of its VCF output; the "Variant annotations in VCF format" specification 1.0, which SnpEff
follows; SnpEff's documentation of EFF; the manual of bcftools csq; Funcotator's documentation (GATK).
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote

from ..errors import InputError
from ..variants import schema
from ..variants.consequences import consequence_class
from .vcf_header import Header
from .vcf_info import ANNOVAR, highest_frequency, info_fields, is_population_frequency

COMPOUND = "@"
"""In place of a consequence: bcftools csq states it at the first of several variants of one haplotype."""

EVERY_ALLELE = "every allele"
"""In place of an allele: bcftools csq does not say of which one a splice site or an intron is."""


class Effect(NamedTuple):
    """What an annotation says of one allele in one transcript.

    ``allele`` is spelled as the annotator does (or ``EVERY_ALLELE``), ``number`` its place in ALT from 1; either may be
    "". ``consequence``
    holds Sequence Ontology terms or those of a MAF. ``rank`` orders the transcripts of a gene: VEP's own pick, then the
    canonical one, then the rest. ``frequency`` is the highest in any population (0 when none is given).
    """

    allele: str
    number: str
    consequence: str
    gene: str
    protein_change: str
    transcript: str = ""
    rank: int = 2
    frequency: float = 0.0


OUTSIDE_GENES = Effect(EVERY_ALLELE, "", "intergenic_variant", "", "")


@dataclass(frozen=True)
class Annotation:
    """``key`` of INFO, the ``tool`` that wrote it, and how to read its value at a site (position and REF: ``7A>``)."""

    key: str
    tool: str
    read: Callable[[str, str], list[Effect]]


def annotations(header: Header) -> list[Annotation]:
    """The annotations that the header declares, and those that need no declaration, the first to be used first.

    Raises ``InputError`` where all that are declared lack what is needed.
    """
    declared: list[Annotation] = []
    faults: list[str] = []
    for key, description in header.info().items():
        try:
            if annotation := _declared(key, description):
                declared.append(annotation)
        except InputError as fault:
            faults.append(f"{header.path}: {fault}")
    if faults and not declared:
        raise InputError(faults[0])
    known = {annotation.key for annotation in declared}
    declared.sort(key=lambda annotation: _ORDER.index(annotation.tool))
    return declared + [annotation for annotation in _WITHOUT_DECLARATION if annotation.key not in known]


_ORDER = ("VEP", "SnpEff", "bcftools csq", "Funcotator", "SnpEff EFF", "ANNOVAR")


def _declared(key: str, description: str) -> Annotation | None:
    fields = _fields(description)
    if {"consequence", "dna_change"} <= {name.lower() for name in fields}:
        return Annotation(key, "bcftools csq", _read_bcsq)
    if "Consequence" in fields or "Ensembl VEP" in description or key == "CSQ":
        return Annotation(key, "VEP", _vep(key, fields))
    if key == "FUNCOTATION":
        return Annotation(key, "Funcotator", _funcotator(description))
    if key == "EFF":
        return Annotation(key, "SnpEff EFF", _eff(description))
    if key == "ANN":
        return Annotation(key, "SnpEff", _read_ann)
    return Annotation(key, "bcftools csq", _read_bcsq) if key == "BCSQ" else None


def _fields(description: str) -> list[str]:
    """The names behind ``Format:``."""
    _, marked, names = description.partition("Format:")
    return [name.strip(" '\"") for name in names.split("|")] if marked else []


def effects_of(info: Mapping[str, str], site: str, candidates: Sequence[Annotation]) -> tuple[list[Effect], str | None]:
    """The effects that the INFO of a record at ``site`` holds, by the first annotation that it carries and that names a
    gene, and the key of that annotation (None where it carries none)."""
    found: tuple[list[Effect], str | None] = ([], None)
    for annotation in candidates:
        if (value := info.get(annotation.key, ".")) not in ("", "."):
            effects = annotation.read(value, site)
            if any(effect.gene for effect in effects):
                return effects, annotation.key
            if found[1] is None:
                found = effects, annotation.key
    return found


# --- VEP ---


def _vep(key: str, names: Sequence[str]) -> Callable[[str, str], list[Effect]]:
    if not names:
        raise InputError(f"the line ##INFO=<ID={key} names no fields (Format: ...): annotate with VEP again")
    symbol = next((name for name in ("SYMBOL", "HGNC") if name in names), "SYMBOL")
    missing = [name for name in ("Consequence", symbol) if name not in names]
    if missing:
        raise InputError(f"INFO/{key} has no field {', '.join(missing)}: annotate with VEP's --symbol --hgvs")
    # Fields that the file lacks are read from an empty one behind the last. By place and not by name, because the VCF
    # of a genome holds some ten million transcripts.
    width = len(names)
    wanted = ("Allele", "ALLELE_NUM", "Consequence", symbol, "HGVSp", "Feature", "PICK", "CANONICAL", "MANE_SELECT")
    places = [names.index(name) if name in names else width for name in (*wanted, "Amino_acids", "Protein_position")]
    frequencies = [i for i, name in enumerate(names) if is_population_frequency(name, among_annotations=True)]

    def effect(text: str) -> Effect:
        values = text.split("|")
        values += [""] * (width + 1 - len(values))
        allele, number, terms, gene, change, feature, pick, canon, mane, residues, position = [
            values[at] for at in places
        ]
        change = unquote(change) if "%" in change else change
        rank = 0 if pick == "1" else 1 if canon == "YES" or mane else 2
        frequency = 0.0
        for at in frequencies:
            if values[at]:
                frequency = max(frequency, _of_allele(values[at], allele))
        return Effect(
            allele, number, terms, gene, change or _from_residues(terms, residues, position), feature, rank, frequency
        )

    allele_at, terms_at = places[0], places[2]

    def read(value: str, site: str) -> list[Effect]:
        texts = [text for text in value.split(",") if text]
        starts = [text.split("|", terms_at + 1) for text in texts]
        # Nearly all of a genome is silent or non-coding, and then the other sixty fields or so are not needed.
        if allele_at < terms_at and all(len(start) > terms_at and _is_unwanted(start[terms_at]) for start in starts):
            return [Effect(start[allele_at], "", start[terms_at], "not read", "") for start in starts]
        return [effect(text) for text in texts]

    return read


def _is_unwanted(terms: str) -> bool:
    return class_of(terms) in (schema.SILENT, schema.NON_CODING)


def _from_residues(terms: str, residues: str, position: str) -> str:
    """A protein change from VEP's Amino_acids (``V/E``) and Protein_position (``600``, ``12-13``), for files made
    without --hgvs; "" where they do not show one."""
    before, changes, after = residues.partition("/")
    start, _, end = position.partition("/")[0].partition("-")
    if not changes or not start.isdecimal():
        return ""
    before, after = before.strip("-"), after.strip("-")
    if "frameshift" in terms:
        return f"{before[:1]}{start}fs"
    if not before:
        return f"{start}_{end}ins{after}" if end.isdecimal() else ""
    if len(before) == len(after) == 1:
        return f"{before}{start}{after}"
    return f"{before}{start}>{after}" if after else f"{before}{start}del"


def _of_allele(text: str, allele: str) -> float:
    """The highest frequency among ``0.1&0.2``, or among those of the allele where older releases write ``T:0.1``."""
    if ":" in text:
        text = "&".join(part.partition(":")[2] for part in text.split("&") if part.partition(":")[0] == allele)
    return highest_frequency(text)


# --- SnpEff ---

_ANN_WIDTH = 11


def _read_ann(value: str, site: str) -> list[Effect]:
    """SnpEff's ANN: Allele, Annotation, Impact, Gene_Name, Gene_ID, Feature_Type, Feature_ID, Biotype, Rank, HGVS.c,
    HGVS.p and more, the same in every file."""
    return [_ann_effect(text) for text in value.split(",") if text]


def _ann_effect(text: str) -> Effect:
    values = text.split("|")
    values += [""] * (_ANN_WIDTH - len(values))
    # ANN names an allele of a cancer sample against a normal's as G-C, and one beside another variant as G-chr1:5_A>T.
    allele = values[0].strip().partition("-")[0]
    change = unquote(values[10]) if "%" in values[10] else values[10]
    return Effect(allele, "", values[1].strip(), values[3].strip(), change.strip(), values[6])


_EFF_NAMES = re.compile(r"\(([^\[]*)")
_EFF_STANDARD = (
    "effect_impact", "functional_class", "codon_change", "amino_acid_change", "amino_acid_length", "gene_name",
    "transcript_biotype", "gene_coding", "transcript_id", "exon_rank", "genotype_number",
)  # fmt: skip
_EFF_TERMS = {
    "non_synonymous_coding": "missense_variant", "synonymous_coding": "synonymous_variant",
    "synonymous_start": "start_retained_variant", "non_synonymous_start": "start_lost",
    "synonymous_stop": "stop_retained_variant", "non_synonymous_stop": "missense_variant",
    "stop_gained": "stop_gained", "stop_lost": "stop_lost", "start_lost": "start_lost",
    "start_gained": "intron_variant",
    "frame_shift": "frameshift_variant", "codon_change": "inframe_indel", "codon_insertion": "inframe_insertion",
    "codon_deletion": "inframe_deletion", "codon_change_plus_codon_insertion": "disruptive_inframe_insertion",
    "codon_change_plus_codon_deletion": "disruptive_inframe_deletion",
    "splice_site_acceptor": "splice_acceptor_variant", "splice_site_donor": "splice_donor_variant",
    "splice_site_region": "splice_region_variant", "splice_site_branch": "splice_region_variant",
    "splice_site_branch_u12": "splice_region_variant", "rare_amino_acid": "missense_variant",
    "upstream": "upstream_gene_variant", "downstream": "downstream_gene_variant", "intron": "intron_variant",
    "intron_conserved": "intron_variant", "intragenic": "intron_variant", "intergenic": "intergenic_variant",
    "intergenic_conserved": "intergenic_variant", "utr_5_prime": "5_prime_utr_variant",
    "utr_3_prime": "3_prime_utr_variant", "exon": "non_coding_transcript_exon_variant",
    "regulation": "regulatory_region_variant", "micro_rna": "mature_mirna_variant", "transcript": "intron_variant",
    "gene": "intron_variant", "none": "intron_variant",
}  # fmt: skip
"""The effects of SnpEff before it took the Sequence Ontology's terms."""


def _eff(description: str) -> Callable[[str, str], list[Effect]]:
    """``Effect ( Impact | Functional_Class | ... )``: which fields there are depends on SnpEff's version."""
    names = _EFF_NAMES.search(description)
    stated = [name.strip(" '\")").lower() for name in names[1].split("|")] if names else []
    fields = stated if "amino_acid_change" in stated else list(_EFF_STANDARD)
    width = len(fields)

    def place(*choices: str) -> int:
        return next((fields.index(name) for name in choices if name in fields), width)

    change_at, gene_at = place("amino_acid_change"), place("gene_name")
    transcript_at, number_at = place("transcript_id", "transcript"), place("genotype_number", "genotype")

    def effect(name: str, text: str) -> Effect:
        values = text.split("|")
        values += [""] * (width + 1 - len(values))
        terms = "&".join(_EFF_TERMS.get(term.lower(), term) for term in re.split(r"[+&]", name.strip()))
        change = values[change_at].partition("/")[0].strip()
        change = "" if change.startswith("c.") else unquote(change)
        which = values[number_at].strip()
        allele, number = ("", which) if which.isdecimal() else (which.partition("-")[0], "")
        return Effect(allele, number, terms, values[gene_at].strip(), change, values[transcript_at])

    def read(value: str, site: str) -> list[Effect]:
        """``Effect(...),Effect(...)``"""
        parts = [text.partition("(") for text in value.removesuffix(")").split("),")]
        return [effect(name, text) for name, bracket, text in parts if bracket]

    return read


# --- bcftools csq ---

_BCSQ_WIDTH = 7
_BCSQ_CHANGE = re.compile(r"(\d+)([A-Z*]+)(?:\.\.[A-Z*\d]*)?>\d+([A-Z*]+)")
_BCSQ_TERMS = {
    "missense": "missense_variant", "synonymous": "synonymous_variant", "frameshift": "frameshift_variant",
    "splice_acceptor": "splice_acceptor_variant", "splice_donor": "splice_donor_variant",
    "splice_region": "splice_region_variant", "stop_retained": "stop_retained_variant",
    "start_retained": "start_retained_variant", "inframe_altering": "inframe_indel", "intron": "intron_variant",
    "5_prime_utr": "5_prime_utr_variant", "3_prime_utr": "3_prime_utr_variant", "intergenic": "intergenic_variant",
    "non_coding": "non_coding_transcript_exon_variant", "coding_sequence": "intron_variant",
}  # fmt: skip


def _read_bcsq(value: str, site: str) -> list[Effect]:
    """BCSQ: consequence, gene, transcript, biotype, strand, protein change (``600V>600E``) and DNA change
    (``140453136A>T``, several joined by ``+``). The last three are not written of splice sites and introns."""
    return [_bcsq_effect(text, site) for text in value.split(",") if text]


def _bcsq_effect(text: str, site: str) -> Effect:
    if text.startswith("@"):
        return Effect(EVERY_ALLELE, "", COMPOUND, "", "")
    values = text.split("|")
    values += [""] * (_BCSQ_WIDTH - len(values))
    here = (part.removeprefix(site) for part in values[6].split("+") if part.startswith(site))
    allele = next(here, EVERY_ALLELE)
    if values[0].startswith("*"):
        # It is behind another variant's stop: nothing of it is ever made.
        return Effect(allele, "", "synonymous_variant", values[1], "", values[2])
    terms = "&".join(_BCSQ_TERMS.get(term.strip().lower(), term) for term in values[0].split("&"))
    return Effect(allele, "", terms, values[1], _from_bcsq(terms, values[5]), values[2])


def _from_bcsq(terms: str, change: str) -> str:
    """``600V>600E`` as V600E, ``4FE>4*`` as FE4>*, ``2LGF*>2LVL*`` of a frameshift as G3fs."""
    match = _BCSQ_CHANGE.match(change)
    if not match:
        return ""
    start, before, after = int(match[1][:7]), match[2], match[3]
    if "frameshift" in terms:
        same = 0
        while same < min(len(before), len(after)) - 1 and before[same] == after[same]:
            same += 1
        return f"{before[same]}{start + same}fs"
    return f"{before}{start}{'' if len(before) == len(after) == 1 else '>'}{after}"


# --- Funcotator ---

_FUNCOTATION_FIELDS = "Funcotation fields are:"
_FUNCOTATOR_CODE = re.compile(r"_%([0-9A-Fa-f]{2})_")
_FUNCOTATOR_TERMS = {
    "missense": "missense_mutation", "nonsense": "nonsense_mutation", "nonstop": "nonstop_mutation",
    "in_frame_del": "in_frame_del", "in_frame_ins": "in_frame_ins", "splice_site": "splice_site",
    "start_codon_snp": "translation_start_site", "start_codon_ins": "translation_start_site",
    "start_codon_del": "translation_start_site", "five_prime_utr": "5'utr", "three_prime_utr": "3'utr",
    "five_prime_flank": "5'flank", "three_prime_flank": "3'flank",
}  # fmt: skip


def _funcotator(description: str) -> Callable[[str, str], list[Effect]]:
    names = [name.strip() for name in description.partition(_FUNCOTATION_FIELDS)[2].split("|")]

    def place(ending: str) -> int | None:
        """Of ``Gencode_34_hugoSymbol``: the number is the release of Gencode."""
        return next((i for i, name in enumerate(names) if name.lower().endswith(ending.lower())), None)

    gene_at, class_at, change_at = place("_hugoSymbol"), place("_variantClassification"), place("_proteinChange")
    transcript_at = place("_annotationTranscript")
    if gene_at is None or class_at is None:
        raise InputError("INFO/FUNCOTATION has no field hugoSymbol or variantClassification: run Funcotator again")
    frequencies = [i for i, name in enumerate(names) if is_population_frequency(name, among_annotations=True)]

    def value_at(values: Sequence[str], at: int | None) -> str:
        text = values[at].strip() if at is not None and at < len(values) else ""
        text = _FUNCOTATOR_CODE.sub(lambda match: chr(int(match[1], 16)), text) if "_%" in text else text
        return "" if text in ("__UNKNOWN__", "Unknown") else text

    def effect(number: int, text: str) -> Effect:
        values = text.strip("[]").split("|")
        term = value_at(values, class_at).lower()
        frequency = max((highest_frequency(value_at(values, at)) for at in frequencies), default=0.0)
        gene, change = value_at(values, gene_at), value_at(values, change_at)
        transcript = value_at(values, transcript_at)
        return Effect("", str(number), _FUNCOTATOR_TERMS.get(term, term), gene, change, transcript, 1, frequency)

    def read(value: str, site: str) -> list[Effect]:
        """One pair of brackets per allele; several transcripts of an allele are separated by ``#``."""
        alleles = value.strip("[]").split("],[")
        return [effect(i, text) for i, allele in enumerate(alleles, 1) for text in allele.split("]#[")]

    return read


# --- ANNOVAR ---

_ANNOVAR_TERMS = {
    "nonsynonymous snv": "missense_variant", "synonymous snv": "synonymous_variant", "stopgain": "stop_gained",
    "stoploss": "stop_lost", "startloss": "start_lost", "startgain": "intron_variant",
    "frameshift insertion": "frameshift_variant", "frameshift deletion": "frameshift_variant",
    "frameshift substitution": "frameshift_variant", "frameshift block substitution": "frameshift_variant",
    "nonframeshift insertion": "inframe_insertion", "nonframeshift deletion": "inframe_deletion",
    "nonframeshift substitution": "inframe_indel", "nonframeshift block substitution": "inframe_indel",
}  # fmt: skip
_ANNOVAR_CODE = re.compile(r"\\x([0-9A-Fa-f]{2})")


def _read_annovar(value: str, site: str) -> list[Effect]:
    """The block of each allele that table_annovar.pl writes (``info_fields`` joins them under one key): keys such as
    Gene.refGene, Func.refGene, ExonicFunc.refGene and AAChange.refGene."""
    return [
        effect for i, block in enumerate(value.split("\t"), 1) for effect in _annovar_block(str(i), info_fields(block))
    ]


def _annovar_block(number: str, keys: Mapping[str, str]) -> Iterable[Effect]:
    frequencies = [highest_frequency(text) for key, text in keys.items() if is_population_frequency(key, True)]
    frequency = max(frequencies, default=0.0)
    for models in [key.partition(".")[2] for key in keys if key.startswith("ExonicFunc.")]:
        read = {
            name: _ANNOVAR_CODE.sub(lambda match: chr(int(match[1], 16)), keys.get(f"{name}.{models}", ""))
            for name in ("Func", "Gene", "ExonicFunc", "AAChange")
        }
        where = read["Func"].partition(";")[0].lower()
        what = read["ExonicFunc"].partition(";")[0].replace("_", " ").lower()
        term = "splice_site" if where == "splicing" else _ANNOVAR_TERMS.get(what, where or what)
        term = "intron_variant" if term in _ANNOVAR_NON_CODING else term
        changes = [text.split(":") for text in read["AAChange"].split(",") if ":p." in text]
        gene = re.split("[,;]", read["Gene"])[0]
        if not changes:
            yield Effect("", number, term, gene, "", models, 2, frequency)
        for parts in changes:
            yield Effect("", number, term, parts[0], parts[-1], f"{models}:{parts[1]}", 2, frequency)


_ANNOVAR_NON_CODING = {
    "intronic", "intergenic", "upstream", "downstream", "utr3", "utr5", "ncrna_exonic", "ncrna_intronic",
    "ncrna_splicing", "ncrna_utr3", "ncrna_utr5", "ncrna", "exonic_ncrna",
}  # fmt: skip

_WITHOUT_DECLARATION = (
    Annotation("ANN", "SnpEff", _read_ann),
    Annotation("BCSQ", "bcftools csq", _read_bcsq),
    Annotation("EFF", "SnpEff EFF", _eff("")),
    Annotation(ANNOVAR, "ANNOVAR", _read_annovar),
)


# --- The consequence's class ---

_NON_CODING_TOO = {
    "intergenic_region", "intragenic_variant", "conserved_intron_variant", "conserved_intergenic_variant",
    "sequence_feature", "5_prime_utr_premature_start_codon_gain_variant", "5_prime_utr_truncation",
    "3_prime_utr_truncation", "exon_region", "coding_transcript_variant", "gene_variant", "transcript_variant",
    "regulatory_region_ablation", "regulatory_region_amplification", "tfbs_ablation", "tfbs_amplification", "custom",
}  # fmt: skip
"""Terms of SnpEff and VEP that say no more than where the variant is."""


@lru_cache(1 << 16)
def class_of(terms: str) -> str | None:
    """The class of the stated terms (``consequence_class``), also of those that only SnpEff and VEP write."""
    stated = consequence_class(terms)
    if stated is None and terms and set(terms.lower().split("&")) <= _NON_CODING_TOO:
        return schema.NON_CODING
    return stated
