"""The one canonical variant: its schema, the notation of protein changes, and the classes that a variant falls into.

Everything works on the unique values of a column, so that reading millions of rows costs little more than the file
itself.
"""

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .sources import Dropped

_TEXT = pa.dictionary(pa.int32(), pa.string())

SCHEMA = pa.schema(
    [
        ("case_id", _TEXT),
        ("gene", _TEXT),
        ("protein_change", _TEXT),
        ("codon", pa.int32()),
        ("consequence", _TEXT),
        ("substitution", _TEXT),
        ("dna", _TEXT),
        ("context", _TEXT),
    ]
)
"""One row a case and non-silent coding variant. ``protein_change`` is canonical ("" when none is given), ``codon``
its first residue, ``consequence`` one of ``CONSEQUENCES``, ``substitution`` one of ``SUBSTITUTIONS`` (null unless a
single base is replaced), ``dna`` one of ``DNA_EVENTS``, ``context`` one of ``TRINUCLEOTIDES`` (null where the source
tells no neighbours)."""

CONSEQUENCES = ("missense", "nonsense", "frameshift", "splice", "inframe", "start_lost", "stop_lost")
TRUNCATING = ("nonsense", "frameshift", "splice", "start_lost")
"""Consequences that leave no full-length protein."""

SUBSTITUTIONS = ("C>A", "C>G", "C>T", "T>A", "T>C", "T>G")
"""Base substitutions on the strand where the replaced base is a pyrimidine."""

DNA_EVENTS = ("snv", "doublet", "insertion", "deletion", "unknown")
"""``doublet`` is any equal-length replacement of two or more neighbouring bases."""

SILENT, NON_CODING = "silent", "non-coding"
_EXAMPLES = 5

# --- Protein changes ---

_ONE_LETTER = {
    "Ala": "A", "Arg": "R", "Asn": "N", "Asp": "D", "Cys": "C", "Gln": "Q", "Glu": "E", "Gly": "G", "His": "H",
    "Ile": "I", "Leu": "L", "Lys": "K", "Met": "M", "Phe": "F", "Pro": "P", "Sec": "U", "Ser": "S", "Thr": "T",
    "Trp": "W", "Tyr": "Y", "Val": "V", "Ter": "*", "Xaa": "X",
}  # fmt: skip
_THREE_LETTERS = re.compile("|".join(_ONE_LETTER))
_UNTIDY = re.compile(r"[^!-~]|[():]|[A-Z][a-eg-z]")
"""Something besides one-letter code: a space, a parenthesis, a transcript, or an amino acid in three letters."""
_UNSTATED = frozenset({"", ".", "-", "?", "0", "0?", "NA", "N/A", "nan", "NaN", "None", "none", "null", "NULL"})

_A = "[ACDEFGHIKLMNPQRSTUVWYX*]"
_N = "(0{0,5}[1-9][0-9]{0,5})"
_LAST_RESIDUE = 999_999
_SUBSTITUTION = re.compile(rf"({_A}?){_N}({_A}|=)")
_PLAIN = "[ACDEFGHIKLMNPQRSTUVWY][1-9][0-9]{0,5}[ACDEFGHIKLMNPQRSTUVWY*]"
"""A substitution in canonical form, but for ``L11L`` (silent) and a lost start codon."""
_START_LOST = re.compile(rf"M1(?:\?|{_A}?ext.*|del)")
_STOP_EXTENDED = re.compile(rf"\*{_N}({_A})ext[*X]?(?:[0-9]+|\?)?")
_FRAMESHIFT = re.compile(rf"({_A}*|-){_N}{_A}*fs(?:[*X]?(?:[0-9]+|\?)?)")
_SPLICE = re.compile(rf"({_A}?){_N}(?:_{_A}?[0-9]+)?_?splice")
_RANGED = re.compile(rf"({_A}*){_N}(?:_({_A}?){_N})?(del{_A}*ins|del|dup|ins|>|=)({_A}*)")
_BLOCK = re.compile(rf"{_N}_{_N}({_A}+)>({_A}+)")


class ProteinChange(NamedTuple):
    """A protein change in the canonical notation.

    ``text`` follows HGVS (one-letter, ``*`` for a stop) without ``p.``, parentheses and the length of frameshifts and
    extensions: R175H, R213*, P67fs, X125_splice, E746_A750del, F18dup, V769_D770insASV, 115_116insG,
    L747_T751delinsP, *228Y, M1?, L11=. ``codon`` is the first residue touched, ``consequence`` what the notation
    tells: one of ``CONSEQUENCES`` or ``SILENT``.
    """

    text: str
    codon: int | None
    consequence: str


def parse_protein_change(text: str) -> ProteinChange | None:
    """Read one protein change in any notation in use: HGVS with one or three letters, with or without ``p.`` and
    parentheses, MAF's (``p.EKV3582del``, ``p.9_9Y>YY``, ``p.*228Y``, ``p.X125_splice``) and COSMIC's (``R213X``,
    ``A138Cfs*27``).

    None for whatever is not a protein change; it never raises.
    """
    text = _bare(text)
    if match := _SUBSTITUTION.fullmatch(text):
        before, position, after = match.groups()
        return _replaced(int(position), before or "X", before or "X" if after == "=" else after)
    if text == "=":
        return ProteinChange("=", None, SILENT)
    if _START_LOST.fullmatch(text):
        return _START
    if match := _FRAMESHIFT.fullmatch(text):
        before, position = match.groups()
        residue = before[:1].strip("-X")
        return ProteinChange(f"{residue}{int(position)}fs", int(position), "frameshift")
    if match := _SPLICE.fullmatch(text):
        return _splice(int(match[2]))
    if text in ("X_splice", "splice"):
        return _splice(None)
    if match := _BLOCK.fullmatch(text):
        start, end, before, after = match.groups()
        return _replaced(int(start), before, after) if int(end) - int(start) + 1 == len(before) else None
    if match := _STOP_EXTENDED.fullmatch(text):
        return _replaced(int(match[1]), "*", match[2])
    if match := _RANGED.fullmatch(text):
        return _ranged(*match.groups())
    return None


def is_unstated(text: str) -> bool:
    """Whether the source says that it gives no protein change (an empty field, ``.``, ``-``, ``p.?`` ...)."""
    return text.strip() in _UNSTATED or _bare(text) in _UNSTATED


def _bare(text: str) -> str:
    """Without transcript, ``p.``, parentheses and spaces around, and in one-letter code."""
    if not _UNTIDY.search(text):
        return text.removeprefix("p.")
    text = text.strip("() \t\r\n").rpartition(":")[2].lstrip("( ").removeprefix("p.").strip("() \t")
    if text.isupper() or not text.isascii():
        return text
    return _THREE_LETTERS.sub(lambda match: _ONE_LETTER[match[0]], text)


_START = ProteinChange("M1?", 1, "start_lost")


def _splice(position: int | None) -> ProteinChange:
    return ProteinChange(f"X{position or ''}_splice", position, "splice")


def _ranged(before: str, start: str, last: str | None, end: str | None, event: str, after: str) -> ProteinChange | None:
    """A deletion, duplication, insertion or replacement of the residues from ``start`` to ``end``."""
    first = int(start)
    if len(before) > 1 and end is not None:
        return None
    # MAF names a run by its residues and the place of the first: EKV3582del.
    stop = int(end) if end is not None else first + max(len(before), 1) - 1
    inner = "X" * (stop - first - 1)
    residues = before if len(before) > 1 else (before or "X") + (inner + (last or "X") if stop > first else "")
    if stop < first or len(residues) != stop - first + 1 or stop > _LAST_RESIDUE:
        return None
    if event == "del":
        return _replaced(first, residues, "")
    if event == "dup":
        return ProteinChange(f"{_range(first, residues)}dup", first, "inframe")
    if event == "=":
        return None if after else ProteinChange(f"{_range(first, residues)}=", first, SILENT)
    if not after or (event == "ins" and (end is None or stop != first + 1)):
        return None
    # The other events, delins (with or without what it deletes) and ">", are one and the same.
    return _inserted(first, residues, after) if event == "ins" else _replaced(first, residues, after)


def _replaced(first: int, before: str, after: str) -> ProteinChange | None:
    """Residues ``before`` (X where unknown), the first at ``first``, give way to ``after``: the shortest description
    of it."""
    after = after.replace("X", "*")
    if before == after:
        return ProteinChange(f"{_range(first, before)}=", first, SILENT)
    # Prefix before suffix puts the change as far towards the C terminus as the known residues allow (HGVS, 3' rule).
    same = 0
    while same < min(len(before), len(after)) and before[same] == after[same]:
        same += 1
    tail = 0
    while tail < min(len(before), len(after)) - same and before[-1 - tail] == after[-1 - tail]:
        tail += 1
    kept, rest = before[:same], before[len(before) - tail :]
    first, before, after = first + same, before[same : len(before) - tail], after[same : len(after) - tail]
    if first == 1 and before[:1] == "M" and after[:1] != "M":
        return _START
    if not before:
        return _inserted(first - 1, (kept[-1:] or "X") + (rest[:1] or "X"), after, kept) if first > 1 else None
    if not after:
        return ProteinChange(f"{_range(first, before)}del", first, "stop_lost" if _loses_stop(before) else "inframe")
    # What follows a new stop is never made.
    if after[0] == "*" or len(before) == len(after) == 1:
        return _exchanged(before[0], first, after[0])
    return ProteinChange(f"{_range(first, before)}delins{after}", first, _replacement_class(before, after))


def _exchanged(before: str, position: int, after: str) -> ProteinChange:
    consequence = "nonsense" if after == "*" else "stop_lost" if before == "*" else "missense"
    return ProteinChange(f"{'' if before == 'X' else before}{position}{after}", position, consequence)


def _replacement_class(before: str, after: str) -> str:
    if "*" in after:
        return "nonsense"
    if _loses_stop(before):
        return "stop_lost"
    return "missense" if len(before) == len(after) else "inframe"


def _loses_stop(residues: str) -> bool:
    """Whether the stop is among the ``residues`` that the range is written with (both of its ends, or none)."""
    ends = residues[0] + residues[-1]
    return "*" in ends and "X" not in ends


def _inserted(first: int, flanks: str, after: str, kept: str = "") -> ProteinChange:
    """``after`` is inserted behind residue ``first``; ``flanks`` are its two neighbours, ``kept`` the residues known
    before."""
    after = after.replace("X", "*")
    known = kept or flanks[0]
    if "*" not in after and known.endswith(after):
        start = first - len(after) + 1
        return ProteinChange(f"{_range(start, after)}dup", start, "inframe")
    return ProteinChange(f"{_range(first, flanks)}ins{after}", first, "nonsense" if "*" in after else "inframe")


def _range(first: int, residues: str) -> str:
    """``E746_A750``, ``F18``, or bare numbers where a residue at either end is not known."""
    start = f"{residues[0].strip('X')}{first}"
    if len(residues) == 1:
        return start
    if "X" in (residues[0], residues[-1]):
        return f"{first}_{first + len(residues) - 1}"
    return f"{start}_{residues[-1]}{first + len(residues) - 1}"


# --- Classes of a variant ---

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
TRINUCLEOTIDES = tuple(
    f"{five}[{exchange}]{three}" for exchange in SUBSTITUTIONS for five in "ACGT" for three in "ACGT"
)
"""The 96 substitutions with both neighbouring bases, in COSMIC's names and order within a substitution."""


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
    return "" if gene in _UNSTATED or gene == "Unknown" else _renamed_genes().get(gene, gene)


# --- Columns ---


def encoded(column: pa.Array | pa.ChunkedArray) -> pa.DictionaryArray:
    """A text column as one dictionary array with int32 codes, each value once; nulls become ""."""
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    chunks = [
        chunk if pa.types.is_dictionary(chunk.type) else chunk.cast(pa.string()).dictionary_encode() for chunk in chunks
    ]
    whole = pa.chunked_array(chunks, type=_TEXT).unify_dictionaries().combine_chunks()
    if isinstance(whole, pa.ChunkedArray):
        whole = (
            whole.chunk(0)
            if whole.num_chunks
            else pa.DictionaryArray.from_arrays(pa.array([], pa.int32()), pa.array([], pa.string()))
        )
    if whole.null_count or whole.dictionary.null_count:
        return pc.fill_null(whole.cast(pa.string()), "").dictionary_encode()
    return whole


def translated(column: pa.DictionaryArray, function: Callable[[str], str | None]) -> pa.DictionaryArray:
    """``function`` applied to each unique value; equal results share one code, None becomes null."""
    return _coded([function(value) for value in column.dictionary.to_pylist()], _codes(column))


def matching(column: pa.DictionaryArray, test: Callable[[str], bool]) -> np.ndarray:
    """Boolean mask of the rows whose value passes ``test``, asked once a unique value."""
    return np.array([test(value) for value in column.dictionary.to_pylist()] or [False], bool)[_codes(column)]


def _codes(column: pa.DictionaryArray) -> np.ndarray:
    return column.indices.to_numpy(zero_copy_only=False)


def _coded(values: Iterable[str | None] | pa.Array, codes: np.ndarray) -> pa.DictionaryArray:
    """Dictionary array that holds ``values[code]`` for every code, each value once."""
    unique = pa.array(values, pa.string()).dictionary_encode()
    places = np.append(_codes_or(unique, -1), np.int32(-1))
    new = places[codes]
    return pa.DictionaryArray.from_arrays(pa.array(new, pa.int32(), mask=new < 0), unique.dictionary)


@dataclass(frozen=True)
class ProteinChanges:
    """A column of protein changes, read: ``text`` canonical ("" where none could be read), ``codon`` int32 (null
    likewise), ``consequence`` what the notation tells (null likewise), ``unreadable`` rows that hold something else,
    with examples."""

    text: pa.DictionaryArray
    codon: pa.Array
    consequence: pa.DictionaryArray
    unreadable: int
    examples: tuple[str, ...]


def parse_protein_changes(column: pa.Array | pa.ChunkedArray) -> ProteinChanges:
    """Read a column of protein changes through its unique values (``parse_protein_change``); never raises."""
    column = encoded(column)
    given, codes = column.dictionary, _codes(column)
    text, codon, told = _plain_changes(given)
    others = np.flatnonzero(pc.is_null(text).to_numpy(zero_copy_only=False))
    spellings = given.take(pa.array(others)).to_pylist()
    parsed = [parse_protein_change(spelling) for spelling in spellings]
    text = _filled(text, others, ["" if change is None else change.text for change in parsed], pa.string())
    codon = _filled(codon, others, [change and change.codon for change in parsed], pa.int32())
    told = _filled(told, others, [change and change.consequence for change in parsed], pa.string())
    bad = np.array([c is None and not is_unstated(s) for s, c in zip(spellings, parsed, strict=True)], bool)
    rows = np.bincount(codes, minlength=len(given))[others] * bad
    examples = tuple(spellings[i] for i in np.flatnonzero(rows)[:_EXAMPLES])
    return ProteinChanges(
        _coded(text, codes), codon.take(pa.array(codes)), _coded(told, codes), int(rows.sum()), examples
    )


def _plain_changes(given: pa.Array) -> tuple[pa.Array, pa.Array, pa.Array]:
    """Text, codon and consequence of the substitutions canonical but for ``p.`` and ``Ter``, null for the rest.

    Nine in ten protein changes are, and telling them apart in Arrow spares most of the time of reading a cohort; what
    the three columns hold is what ``parse_protein_change`` says of these texts.
    """
    bare = pc.replace_substring(pc.replace_substring_regex(given, "^p\\.", ""), "Ter", "*")
    plain = pc.match_substring_regex(bare, f"^{_PLAIN}$")
    bare = pc.if_else(plain, bare, None)
    before, after = pc.utf8_slice_codeunits(bare, 0, 1), pc.utf8_slice_codeunits(bare, -1)
    codon = pc.utf8_slice_codeunits(bare, 1, -1).cast(pa.int32())
    plain = pc.and_(pc.not_equal(before, after), pc.invert(pc.and_(pc.equal(before, "M"), pc.equal(codon, 1))))
    told = pc.if_else(pc.equal(after, "*"), "nonsense", "missense")
    return tuple(pc.if_else(plain, column, None) for column in (bare, codon, told))


def _filled(column: pa.Array, places: np.ndarray, values: list, kind: pa.DataType) -> pa.Array:
    """``column`` with ``values`` at ``places``."""
    if not len(places):
        return column
    where = np.arange(len(column))
    where[places] = len(column) + np.arange(len(places))
    return pa.concat_arrays([column, pa.array(values, kind)]).take(pa.array(where))


def canonical(rows: pa.Table, source: str) -> tuple[pa.Table, list[Dropped]]:
    """Turn what a source states into canonical variants.

    ``rows`` has the text columns ``case_id``, ``gene`` and ``protein_change`` and, where the source has them,
    ``consequence`` (its own terms), ``reference`` and ``alternative`` (alleles), and ``around`` (three bases around
    the variant). Returns a table of ``SCHEMA`` and what was left out, by reason.

    The stated consequence counts, but for three things: where none is stated the protein change tells it; the loss of
    the start codon is no missense; and a splice variant whose protein change is silent is written X125_splice.
    """
    # Readers filter rows while they stream: what only those held must not be parsed.
    columns = {name: _used(encoded(rows[name])) for name in rows.column_names}
    gene = translated(columns["gene"], current_symbol)
    changes = parse_protein_changes(columns["protein_change"])
    consequence = _consequence(columns.get("consequence"), changes.consequence)
    text = _with_splice(changes, consequence)
    events, substitution = _dna(columns.get("reference"), columns.get("alternative"), rows.num_rows)
    context = _context(columns.get("around"), substitution)
    classes = np.array([*consequence.dictionary.to_pylist(), ""], dtype=object)[_codes_or(consequence, -1)]
    no_gene = matching(gene, lambda name: name == "")
    reasons = {
        "no gene": no_gene,
        SILENT: ~no_gene & (classes == SILENT),
        NON_CODING: ~no_gene & (classes == NON_CODING),
        "consequence not recognised": ~no_gene & (classes == ""),
    }
    dropped = [
        Dropped(source, "variant", reason, int(mask.sum()), _shown(columns, mask))
        for reason, mask in reasons.items()
        if mask.any()
    ]
    if changes.unreadable:
        reason = "protein change not readable: the variant is kept without it"
        dropped.append(Dropped(source, "protein change", reason, changes.unreadable, changes.examples))
    arrays = [columns["case_id"], gene, text, changes.codon, consequence, substitution, events, context]
    table = pa.Table.from_arrays(arrays, schema=SCHEMA)
    gone = np.logical_or.reduce(list(reasons.values()))
    return compacted(table.filter(pa.array(~gone)) if gone.any() else table), dropped


def tells(stated: pa.DictionaryArray, counts: Counter[str]) -> np.ndarray:
    """Boolean mask of the rows whose stated consequence is neither silent nor non-coding; the others are added to
    ``counts``.

    For readers to leave out most rows of a large file while it streams: ``canonical`` would drop the same ones.
    """
    classes = np.array([consequence_class(term) or "" for term in stated.dictionary.to_pylist()] or [""])[
        _codes(stated)
    ]
    for reason in (SILENT, NON_CODING):
        counts[reason] += int((classes == reason).sum())
    return (classes != SILENT) & (classes != NON_CODING)


_ONE_VARIANT = ("case_id", "gene", "chromosome", "position", "reference", "alternative", "protein_change")


def without_repeats(rows: pa.Table, source: str) -> tuple[pa.Table, list[Dropped]]:
    """The first of the rows that are one variant of one case: same gene, place, alleles and protein change.

    ``rows`` has the columns case_id, gene, chromosome, position, reference, alternative and protein_change.
    """
    columns = [_as_integers(rows[name]) for name in _ONE_VARIANT]
    key = np.zeros(rows.num_rows, np.uint64)
    for column in columns:
        key = (key ^ column.astype(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        key ^= key >> np.uint64(29)
    in_order = np.sort(key)
    shared = np.unique(in_order[1:][in_order[1:] == in_order[:-1]])
    if not len(shared):
        return rows, []
    # Few rows are in doubt, and only they are put in order with their places.
    doubtful = np.flatnonzero(np.isin(key, shared))
    order = doubtful[np.argsort(key[doubtful], kind="stable")]
    # Equal fingerprints only nominate a pair: whether it is one variant, the columns themselves say.
    pairs = np.flatnonzero(key[order][1:] == key[order][:-1])
    same = np.logical_and.reduce([column[order[pairs]] == column[order[pairs + 1]] for column in columns])
    again = order[pairs[same] + 1]
    if not len(again):
        return rows, []
    keep = np.ones(rows.num_rows, bool)
    keep[again] = False
    return rows.filter(pa.array(keep)), [Dropped(source, "row", "the same variant of the same case again", len(again))]


def _as_integers(column: pa.ChunkedArray) -> np.ndarray:
    if pa.types.is_dictionary(column.type):
        return encoded(column).indices.to_numpy()
    return column.fill_null(-1).to_numpy()


def compacted(table: pa.Table) -> pa.Table:
    """``table`` in one chunk, with dictionaries that hold only what its rows use."""
    columns = [
        _used(_single(column)) if pa.types.is_dictionary(column.type) else column.combine_chunks()
        for column in table.columns
    ]
    return pa.Table.from_arrays(columns, schema=table.schema)


def _used(column: pa.DictionaryArray) -> pa.DictionaryArray:
    """The same rows, with only the values that they use."""
    codes, size = _codes_or(column, -1), len(column.dictionary)
    used = np.flatnonzero(np.bincount(codes[codes >= 0], minlength=size))
    if len(used) == size:
        return column
    place = np.full(size + 1, -1, np.int32)
    place[used] = np.arange(len(used), dtype=np.int32)
    new = place[codes]
    values = column.dictionary.take(pa.array(used))
    return pa.DictionaryArray.from_arrays(pa.array(new, pa.int32(), mask=new < 0), values)


def _single(column: pa.ChunkedArray) -> pa.DictionaryArray:
    whole = column.unify_dictionaries().combine_chunks()
    if isinstance(whole, pa.ChunkedArray):
        return whole.chunk(0) if whole.num_chunks else _coded([], np.array([], np.int32))
    return whole


def _codes_or(column: pa.DictionaryArray, missing: int) -> np.ndarray:
    return pc.fill_null(column.indices, missing).to_numpy(zero_copy_only=False)


def _shown(columns: dict[str, pa.DictionaryArray], mask: np.ndarray) -> tuple[str, ...]:
    """A few of the rows of ``mask``, as text."""
    names = [name for name in ("case_id", "gene", "consequence", "protein_change") if name in columns]
    rows = np.flatnonzero(mask)[:_EXAMPLES].tolist()
    return tuple(" ".join(filter(None, (columns[name][row].as_py() for name in names))) for row in rows)


def _consequence(stated: pa.DictionaryArray | None, told: pa.DictionaryArray) -> pa.DictionaryArray:
    """The consequence of each row, from the source's term and from its protein change."""
    told_codes, told_names = _codes_or(told, len(told.dictionary)), [*told.dictionary.to_pylist(), None]
    if stated is None:
        return told
    stated_names = [consequence_class(term) for term in stated.dictionary.to_pylist()]
    pairs = [_agreed(a, b) for a in stated_names for b in told_names]
    return _coded(pairs, _codes(stated).astype(np.int64) * len(told_names) + told_codes)


def _agreed(stated: str | None, told: str | None) -> str | None:
    if stated is None or (stated == "missense" and told in ("start_lost", SILENT)):
        return told
    return stated


def _with_splice(changes: ProteinChanges, consequence: pa.DictionaryArray) -> pa.DictionaryArray:
    """The protein changes, silent ones of splice variants written as X125_splice."""
    splice = _equals_or_null(consequence, "splice") & _equals_or_null(changes.consequence, SILENT)
    rows = np.flatnonzero(splice)
    if not len(rows):
        return changes.text
    codes = _codes(changes.text).copy()
    forms = pa.array([_splice(codon).text for codon in changes.codon.take(pa.array(rows)).to_pylist()], pa.string())
    codes[rows] = len(changes.text.dictionary) + np.arange(len(rows), dtype=np.int32)
    return _coded(pa.concat_arrays([changes.text.dictionary, forms]), codes)


def _equals_or_null(column: pa.DictionaryArray, value: str) -> np.ndarray:
    return np.array([*(name == value for name in column.dictionary.to_pylist()), False])[_codes_or(column, -1)]


def _dna(
    reference: pa.DictionaryArray | None, alternative: pa.DictionaryArray | None, n: int
) -> tuple[pa.DictionaryArray, pa.DictionaryArray]:
    """DNA event and substitution class of each row, worked out once for each pair of alleles."""
    if reference is None or alternative is None:
        return _coded(["unknown"], np.zeros(n, np.int32)), _coded([], np.zeros(n, np.int32))
    pairs = _codes(reference).astype(np.int64) * max(len(alternative.dictionary), 1) + _codes(alternative)
    unique, codes = np.unique(pairs, return_inverse=True)
    before, after = reference.dictionary.to_pylist(), alternative.dictionary.to_pylist()
    events = [dna_event(before[pair // len(after)], after[pair % len(after)]) for pair in unique.tolist()]
    return _coded([event for event, _ in events], codes), _coded([substitution for _, substitution in events], codes)


def _context(around: pa.DictionaryArray | None, substitution: pa.DictionaryArray) -> pa.DictionaryArray:
    if around is None:
        return _coded([], np.zeros(len(substitution), np.int32))
    exchanges = [*substitution.dictionary.to_pylist(), None]
    names = [trinucleotide(bases, exchange) for bases in around.dictionary.to_pylist() for exchange in exchanges]
    return _coded(names, _codes(around).astype(np.int64) * len(exchanges) + _codes_or(substitution, len(exchanges) - 1))
