"""From what a source states to canonical variants, with what was left out counted by reason."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..tables.columns import coded, compacted, encoded, equals, filled, indices, matching, translated
from .alleles import dna_event, trinucleotide
from .cases import Dropped
from .consequences import consequence_class
from .genes import current_symbol
from .protein_changes import PLAIN, PLAIN_FRAMESHIFT, is_unstated, parse_protein_change, splice
from .schema import NON_CODING, SCHEMA, SILENT

_EXAMPLES = 5


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
    given, codes = column.dictionary, indices(column)
    found = _substitutions(given)
    for read in (_frameshifts, _of_any_kind):
        left = np.flatnonzero(found[0].is_null())
        found = [filled(old, left, new) for old, new in zip(found, read(given.take(pa.array(left))), strict=True)]
    text, codon, told = found
    unread = np.flatnonzero(text.is_null())
    spellings = given.take(pa.array(unread)).to_pylist()
    stated = np.array([not is_unstated(spelling) for spelling in spellings], bool)
    rows = np.bincount(codes, minlength=len(given))[unread] * stated
    examples = tuple(spellings[i] for i in np.flatnonzero(rows)[:_EXAMPLES])
    return ProteinChanges(
        coded(text.fill_null(""), codes), codon.take(pa.array(codes)), coded(told, codes), int(rows.sum()), examples
    )


# Nine in ten protein changes are substitutions or frameshifts in the commonest spelling, and telling them apart in
# Arrow spares most of the time of reading a cohort. Each of the three gives text, codon and consequence as
# parse_protein_change does, null for what it does not read.


def _substitutions(given: pa.Array) -> tuple[pa.Array, pa.Array, pa.Array]:
    bare = _without_prefix(given)
    bare = pc.if_else(pc.match_substring_regex(bare, f"^{PLAIN}$"), bare, None)
    before, after = pc.utf8_slice_codeunits(bare, 0, 1), pc.utf8_slice_codeunits(bare, -1)
    codon = pc.utf8_slice_codeunits(bare, 1, -1).cast(pa.int32())
    read = pc.and_(pc.not_equal(before, after), pc.invert(pc.and_(pc.equal(before, "M"), pc.equal(codon, 1))))
    told = pc.if_else(pc.equal(after, "*"), "nonsense", "missense")
    return tuple(pc.if_else(read, column, None) for column in (bare, codon, told))


def _frameshifts(given: pa.Array) -> tuple[pa.Array, pa.Array, pa.Array]:
    parts = pc.extract_regex(_without_prefix(given), f"^{PLAIN_FRAMESHIFT}$")
    residue, codon = pc.struct_field(parts, "residue"), pc.struct_field(parts, "codon")
    text = pc.binary_join_element_wise(residue, codon, "fs", "")
    return text, codon.cast(pa.int32()), pc.if_else(text.is_valid(), "frameshift", None)


def _of_any_kind(given: pa.Array) -> tuple[pa.Array, pa.Array, pa.Array]:
    nothing = (None, None, None)
    changes = [parse_protein_change(spelling) or nothing for spelling in given.to_pylist()]
    text, codon, told = zip(*changes, strict=True) if changes else ((), (), ())
    return pa.array(text, pa.string()), pa.array(codon, pa.int32()), pa.array(told, pa.string())


def _without_prefix(given: pa.Array) -> pa.Array:
    return pc.replace_substring(pc.replace_substring_regex(given, "^p\\.", ""), "Ter", "*")


def table(rows: pa.Table, source: str) -> tuple[pa.Table, list[Dropped]]:
    """Turn what a source states into canonical variants.

    ``rows`` has the text columns ``case_id``, ``gene`` and ``protein_change`` and, where the source has them,
    ``consequence`` (its own terms), ``reference`` and ``alternative`` (alleles), and ``around`` (three bases around
    the variant). Returns a table of ``SCHEMA`` and what was left out, by reason.

    The stated consequence counts, but for three things: where none is stated the protein change tells it; the loss of
    the start codon is no missense; and a splice variant whose protein change is silent is written X125_splice.
    """
    columns = {name: encoded(rows[name]) for name in rows.column_names}
    gene = translated(columns["gene"], current_symbol)
    changes = parse_protein_changes(columns["protein_change"])
    consequence = _consequence(columns.get("consequence"), changes.consequence)
    text = _with_splice(changes, consequence)
    events, substitution = _dna(columns.get("reference"), columns.get("alternative"), rows.num_rows)
    context = _context(columns.get("around"), substitution)
    no_gene = equals(gene, "")
    reasons = {
        "no gene": no_gene,
        SILENT: ~no_gene & equals(consequence, SILENT),
        NON_CODING: ~no_gene & equals(consequence, NON_CODING),
        "consequence not recognised": ~no_gene & (indices(consequence) < 0),
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

    For readers to leave out most rows of a large file while it streams: ``table`` would drop the same ones.
    """
    silent = matching(stated, lambda term: consequence_class(term) == SILENT)
    non_coding = matching(stated, lambda term: consequence_class(term) == NON_CODING)
    counts[SILENT] += int(np.count_nonzero(silent))
    counts[NON_CODING] += int(np.count_nonzero(non_coding))
    return ~(silent | non_coding)


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
    return column.fill_null(-1).to_numpy() if pa.types.is_integer(column.type) else indices(encoded(column))


def _shown(columns: dict[str, pa.DictionaryArray], mask: np.ndarray) -> tuple[str, ...]:
    """A few of the rows of ``mask``, as text."""
    names = [name for name in ("case_id", "gene", "consequence", "protein_change") if name in columns]
    rows = np.flatnonzero(mask)[:_EXAMPLES].tolist()
    return tuple(" ".join(filter(None, (columns[name][row].as_py() for name in names))) for row in rows)


def _consequence(stated: pa.DictionaryArray | None, told: pa.DictionaryArray) -> pa.DictionaryArray:
    """The consequence of each row, from the source's term and from its protein change."""
    told_codes, told_names = indices(told, len(told.dictionary)), [*told.dictionary.to_pylist(), None]
    if stated is None:
        return told
    stated_names = [consequence_class(term) for term in stated.dictionary.to_pylist()]
    pairs = [_agreed(a, b) for a in stated_names for b in told_names]
    return coded(pairs, indices(stated).astype(np.int64) * len(told_names) + told_codes)


def _agreed(stated: str | None, told: str | None) -> str | None:
    if stated is None or (stated == "missense" and told in ("start_lost", SILENT)):
        return told
    return stated


def _with_splice(changes: ProteinChanges, consequence: pa.DictionaryArray) -> pa.DictionaryArray:
    """The protein changes, silent ones of splice variants written as X125_splice."""
    rows = np.flatnonzero(equals(consequence, "splice") & equals(changes.consequence, SILENT))
    if not len(rows):
        return changes.text
    codes = indices(changes.text).copy()
    forms = pa.array([splice(codon).text for codon in changes.codon.take(pa.array(rows)).to_pylist()], pa.string())
    codes[rows] = len(changes.text.dictionary) + np.arange(len(rows), dtype=np.int32)
    return coded(pa.concat_arrays([changes.text.dictionary, forms]), codes)


def _dna(
    reference: pa.DictionaryArray | None, alternative: pa.DictionaryArray | None, n: int
) -> tuple[pa.DictionaryArray, pa.DictionaryArray]:
    """DNA event and substitution class of each row, worked out once for each pair of alleles."""
    if reference is None or alternative is None:
        return coded(["unknown"], np.zeros(n, np.int32)), coded([], np.zeros(n, np.int32))
    pairs = indices(reference).astype(np.int64) * max(len(alternative.dictionary), 1) + indices(alternative)
    unique = pa.array(pairs).dictionary_encode()
    codes = indices(unique)
    before, after = reference.dictionary.to_pylist(), alternative.dictionary.to_pylist()
    events = [dna_event(before[pair // len(after)], after[pair % len(after)]) for pair in unique.dictionary.to_pylist()]
    return coded([event for event, _ in events], codes), coded([substitution for _, substitution in events], codes)


def _context(around: pa.DictionaryArray | None, substitution: pa.DictionaryArray) -> pa.DictionaryArray:
    if around is None:
        return coded([], np.zeros(len(substitution), np.int32))
    exchanges = [*substitution.dictionary.to_pylist(), None]
    names = [trinucleotide(bases, exchange) for bases in around.dictionary.to_pylist() for exchange in exchanges]
    return coded(names, indices(around).astype(np.int64) * len(exchanges) + indices(substitution, len(exchanges) - 1))
