"""Sources' own consequence terms, and the class that each stands for."""

from functools import lru_cache

from .schema import NON_CODING, SILENT

_TERMS = {
    "missense": """
        missense_mutation missense_variant missense nonsynonymous_snv nonsynonymous substitution_missense
        non_synonymous_coding missense_mut
    """,
    "nonsense": """
        nonsense_mutation nonsense stop_gained stopgain stop_gain stopgain_snv substitution_nonsense truncating
        truncating_mutation trunc
    """,
    "frameshift": """
        frame_shift_del frame_shift_ins frame_shift frameshift frameshift_variant frameshift_deletion
        frameshift_insertion frameshift_substitution frameshift_block_substitution deletion_frameshift
        insertion_frameshift complex_frameshift frameshift_elongation frameshift_truncation frame_shift_indel fs_del
        fs_ins frameshift_del frameshift_ins
    """,
    "splice": """
        splice splicing essential_splice_site splice_site_mutation splice_site_region splice_site splice_site_snp
        splice_site_del splice_site_ins splice_acceptor_variant splice_donor_variant
    """,
    "inframe": """
        in_frame_del in_frame_ins in_frame inframe inframe_del inframe_ins if_del if_ins inframe_mutation
        nonframeshift_deletion nonframeshift_insertion nonframeshift_substitution nonframeshift_block_substitution
        deletion_in_frame insertion_in_frame complex_deletion_inframe complex_insertion_inframe complex_in_frame
        in_frame_indel inframe_indel inframe_deletion inframe_insertion protein_altering_variant
        disruptive_inframe_deletion disruptive_inframe_insertion conservative_inframe_deletion
        conservative_inframe_insertion
    """,
    "start_lost": """
        translation_start_site start_lost startloss start_loss start_codon_mutation start_codon_snp start_codon_del
        start_codon_ins initiator_codon_variant initiatior_codon_variant
    """,
    "stop_lost": """
        nonstop_mutation nonstop stop_lost stoploss stop_loss stoploss_snv stop_codon_del stop_codon_ins
        nonstop_extension
    """,
    SILENT: """
        silent synonymous synonymous_snv silent_mutation substitution_coding_silent synonymous_coding
        synonymous_variant stop_retained_variant start_retained_variant
    """,
    NON_CODING: """
        utr3 utr5 utr_3_prime utr_5_prime upstream downstream intergenic ncrna_exonic ncrna_intronic ncrna_splicing
        ncrna_utr3 ncrna_utr5 upstream_variant downstream_variant intergenic_region non_coding promoter_variant
        promoter splice_region_mutation mirna 5_prime_utr 3_prime_utr intron intronic intron_variant igr
        intergenic_variant rna lincrna lncrna 3'utr 5'utr 3'flank 5'flank three_prime_utr five_prime_utr
        three_prime_flank five_prime_flank 3_prime_utr_variant 5_prime_utr_variant upstream_gene_variant
        downstream_gene_variant genic_upstream_transcript_variant genic_downstream_transcript_variant
        non_coding_transcript_variant non_coding_transcript_exon_variant non-coding_transcript_variant
        nmd_transcript_variant mature_mirna_variant regulatory_region_variant tf_binding_site_variant splice_region
        splice_region_variant splice_polypyrimidine_tract_variant splice_donor_region_variant
        splice_donor_5th_base_variant de_novo_start_outofframe de_novo_start_inframe de_novo_start_out_frame
        de_novo_start_in_frame targeted_region
    """,
}
_CLASS_OF_TERM = {term: name for name, terms in _TERMS.items() for term in terms.split()}
"""MAF's Variant_Classification, the names of Oncotator, Funcotator, ANNOVAR, COSMIC, cBioPortal and older DepMap
releases, and the Sequence Ontology terms of VEP."""

SEVERITY = ("splice", "nonsense", "frameshift", "stop_lost", "start_lost", "inframe", "missense", SILENT, NON_CODING)
"""Our classes, the most severe first, in Ensembl's order: splice acceptor and donor, stop gained, frameshift, stop
lost, start lost, in-frame insertion and deletion, missense, synonymous, non-coding
(https://www.ensembl.org/info/genome/variation/prediction/predicted_data.html)."""

_RANK = {name: rank for rank, name in enumerate(SEVERITY)}

_OF_NON_CODING_TRANSCRIPT = {"non_coding_transcript_variant", "non_coding_transcript_exon_variant"}


def severity_of(term_class: str | None) -> int:
    """Rank of a class in ``SEVERITY``: 0 is the most severe. Anything that is no class, such as None, ranks last."""
    return _RANK.get(term_class, len(SEVERITY))


@lru_cache(1 << 16)
def consequence_class(stated: str) -> str | None:
    """The class that a source's own term stands for: one of ``CONSEQUENCES``, ``SILENT``, ``NON_CODING``, or None if
    unknown.

    Terms joined by ``&`` describe one transcript (where "non-coding transcript" overrules the rest), those joined by
    ``,`` or ``;`` several; the most severe counts.
    """
    transcripts = [_transcript_class(part.split("&")) for part in stated.lower().replace(";", ",").split(",")]
    known = [c for c in transcripts if c is not None]
    return min(known, key=severity_of) if known else None


def _transcript_class(terms: list[str]) -> str | None:
    names = [_term(term) for term in terms]
    if len(names) > 1 and not _OF_NON_CODING_TRANSCRIPT.isdisjoint(names):
        return NON_CODING
    known = [_CLASS_OF_TERM[name] for name in names if name in _CLASS_OF_TERM]
    return min(known, key=severity_of) if known else None


def _term(text: str) -> str:
    """A term as ``_CLASS_OF_TERM`` spells it: ``substitution - missense`` and ``frameshift-deletion`` have blanks and
    hyphens where others write ``_``."""
    name = text.rpartition("|")[2].strip().replace(" - ", "_").replace(" ", "_")
    return name if name in _CLASS_OF_TERM else name.replace("-", "_")
