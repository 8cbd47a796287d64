"""Sources' own words for a variant (consequence terms, alleles, gene symbols) and what they stand for."""

import csv
from functools import cache, lru_cache
from importlib.resources import files

from .notation import UNSTATED
from .variants import NON_CODING, SILENT

_TERMS = {
    "missense": "missense_mutation missense_variant missense",
    "nonsense": "nonsense_mutation nonsense stop_gained",
    "frameshift": "frame_shift_del frame_shift_ins frame_shift frameshift frameshift_variant",
    "splice": """splice_site splice_site_snp splice_site_del splice_site_ins splice_acceptor_variant
        splice_donor_variant""",
    "inframe": """in_frame_del in_frame_ins inframe inframe_indel inframe_deletion inframe_insertion
        protein_altering_variant disruptive_inframe_deletion disruptive_inframe_insertion
        conservative_inframe_deletion conservative_inframe_insertion""",
    "start_lost": """translation_start_site start_lost start_codon_snp start_codon_del start_codon_ins
        initiator_codon_variant initiatior_codon_variant""",
    "stop_lost": "nonstop_mutation nonstop stop_lost stop_codon_del stop_codon_ins",
    SILENT: """silent synonymous synonymous_variant stop_retained_variant start_retained_variant""",
    NON_CODING: """intron intronic intron_variant igr intergenic_variant rna lincrna lncrna 3'utr 5'utr 3'flank 5'flank
        three_prime_utr five_prime_utr three_prime_flank five_prime_flank 3_prime_utr_variant 5_prime_utr_variant
        upstream_gene_variant downstream_gene_variant genic_upstream_transcript_variant
        genic_downstream_transcript_variant non_coding_transcript_variant non_coding_transcript_exon_variant
        non-coding_transcript_variant nmd_transcript_variant mature_mirna_variant regulatory_region_variant
        tf_binding_site_variant splice_region splice_region_variant splice_polypyrimidine_tract_variant
        splice_donor_region_variant splice_donor_5th_base_variant de_novo_start_outofframe de_novo_start_inframe
        de_novo_start_out_frame de_novo_start_in_frame targeted_region""",
}
_CLASS_OF_TERM = {term: name for name, terms in _TERMS.items() for term in terms.split()}
"""MAF's Variant_Classification, Oncotator's and older DepMap releases' own names, and the Sequence Ontology terms of
VEP."""

_SEVERITY = ("splice", "nonsense", "frameshift", "stop_lost", "start_lost", "inframe", "missense", SILENT, NON_CODING)
"""Ensembl's order of severity, coarsened to our classes."""

_OF_NON_CODING_TRANSCRIPT = {"non_coding_transcript_variant", "non_coding_transcript_exon_variant"}


@lru_cache(1 << 16)
def consequence_class(stated: str) -> str | None:
    """The class that a source's own term stands for: one of ``CONSEQUENCES``, ``SILENT``, ``NON_CODING``, or None if
    unknown.

    Terms joined by ``&`` describe one transcript (where "non-coding transcript" overrules the rest), those joined by
    ``,`` several; the most severe counts.
    """
    transcripts = [_transcript_class(part.split("&")) for part in stated.lower().split(",")]
    known = [c for c in transcripts if c is not None]
    return min(known, key=_SEVERITY.index) if known else None


def _transcript_class(terms: list[str]) -> str | None:
    names = [term.rpartition("|")[2].strip().replace(" ", "_") for term in terms]
    if len(names) > 1 and not _OF_NON_CODING_TRANSCRIPT.isdisjoint(names):
        return NON_CODING
    known = [_CLASS_OF_TERM[name] for name in names if name in _CLASS_OF_TERM]
    return min(known, key=_SEVERITY.index) if known else None


_COMPLEMENT = str.maketrans("ACGT", "TGCA")


def dna_event(reference: str, alternative: str) -> tuple[str, str | None]:
    """The DNA event of two alleles and, for a single base replaced by another, its substitution class.

    Alleles may be anchored (VCF) or not (MAF, ``-`` for none); without them the event is ``unknown``.
    """
    before, after = (allele.strip().upper().replace("-", "") for allele in (reference, alternative))
    if before == after or not set(before + after) <= set("ACGT"):
        return "unknown", None
    if len(before) == len(after):
        differ = [i for i, (a, b) in enumerate(zip(before, after, strict=True)) if a != b]
        if len(differ) > 1:
            return "doublet", None
        return "snv", _on_pyrimidine_strand(before[differ[0]], after[differ[0]])
    return ("deletion" if len(before) > len(after) else "insertion"), None


def _on_pyrimidine_strand(before: str, after: str) -> str:
    pair = f"{before}>{after}"
    return pair if before in "CT" else pair.translate(_COMPLEMENT)


def trinucleotide(around: str, substitution: str | None) -> str | None:
    """``A[C>T]G`` from the three bases ``around`` a replaced one, given on either strand; None unless they fit
    together."""
    if substitution is None or len(around) != 3 or not set(around) <= set("ACGT"):
        return None
    if around[1] not in "CT":
        around = around.translate(_COMPLEMENT)[::-1]
    return f"{around[0]}[{substitution}]{around[2]}" if around[1] == substitution[0] else None


@cache
def _renamed_genes() -> dict[str, str]:
    text = files("cancertype.reference").joinpath("gene_symbols.csv").read_text(encoding="utf-8")
    return {row["old"]: row["current"] for row in csv.DictReader(text.splitlines())}


def current_symbol(gene: str) -> str:
    """The gene's current HGNC symbol (``reference/gene_symbols.csv``), spreadsheet dates put right; "" when there is
    none."""
    gene = gene.strip()
    return "" if gene in UNSTATED or gene == "Unknown" else _renamed_genes().get(gene, gene)
