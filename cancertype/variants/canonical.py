"""From what a source states to canonical variants, with what was left out counted by reason."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..tables.columns import coded, compacted, distinct, encoded, equals, filled, indices, matching, single, translated
from .alleles import dna_event, shortest, trinucleotide
from .cases import GENE_ID, UNRECOGNISED, Dropped
from .consequences import consequence_class
from .genes import is_gene_id, is_other_spelling, symbol_of
from .protein_changes import PLAIN, PLAIN_FRAMESHIFT, is_unstated, parse_protein_change, splice
from .schema import NON_CODING, SCHEMA, SILENT
from .transcripts import is_histone_h3, numbered_with_methionine

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
    text, codon, implied = found
    unread = np.flatnonzero(text.is_null())
    spellings = given.take(pa.array(unread)).to_pylist()
    stated = np.array([not is_unstated(spelling) for spelling in spellings], bool)
    rows = np.bincount(codes, minlength=len(given))[unread] * stated
    examples = tuple(spellings[i] for i in np.flatnonzero(rows)[:_EXAMPLES])
    return ProteinChanges(
        coded(text.fill_null(""), codes), codon.take(pa.array(codes)), coded(implied, codes), int(rows.sum()), examples
    )


def unreadable(column: pa.Array) -> np.ndarray:
    """Mask of the protein changes that are stated and cannot be read."""
    column = encoded(column)
    changes = parse_protein_changes(column)
    silent_about_it = matching(column, is_unstated) if changes.unreadable else np.ones(len(column), bool)
    return equals(changes.text, "") & ~silent_about_it


# Nine in ten protein changes are substitutions or frameshifts in the commonest spelling, and telling them apart in
# Arrow spares most of the time of reading a cohort. Each of the three gives text, codon and consequence as
# parse_protein_change does, null for what it does not read.


def _substitutions(given: pa.Array) -> tuple[pa.Array, pa.Array, pa.Array]:
    bare = _without_prefix(given)
    bare = pc.if_else(pc.match_substring_regex(bare, f"^{PLAIN}$"), bare, None)
    before, after = pc.utf8_slice_codeunits(bare, 0, 1), pc.utf8_slice_codeunits(bare, -1)
    codon = pc.utf8_slice_codeunits(bare, 1, -1).cast(pa.int32())
    read = pc.and_(pc.not_equal(before, after), pc.invert(pc.and_(pc.equal(before, "M"), pc.equal(codon, 1))))
    implied = pc.if_else(pc.equal(after, "*"), "nonsense", "missense")
    return tuple(pc.if_else(read, column, None) for column in (bare, codon, implied))


def _frameshifts(given: pa.Array) -> tuple[pa.Array, pa.Array, pa.Array]:
    parts = pc.extract_regex(_without_prefix(given), f"^{PLAIN_FRAMESHIFT}$")
    residue, codon = pc.struct_field(parts, "residue"), pc.struct_field(parts, "codon")
    text = pc.binary_join_element_wise(residue, codon, "fs", "")
    return text, codon.cast(pa.int32()), pc.if_else(text.is_valid(), "frameshift", None)


def _of_any_kind(given: pa.Array) -> tuple[pa.Array, pa.Array, pa.Array]:
    nothing = (None, None, None)
    changes = [parse_protein_change(spelling) or nothing for spelling in given.to_pylist()]
    text, codon, implied = zip(*changes, strict=True) if changes else ((), (), ())
    return pa.array(text, pa.string()), pa.array(codon, pa.int32()), pa.array(implied, pa.string())


def _without_prefix(given: pa.Array) -> pa.Array:
    return pc.replace_substring(pc.replace_substring_regex(given, "^p\\.", ""), "Ter", "*")


class Canonical(NamedTuple):
    """``variants`` (``SCHEMA``) and what was ``dropped``, by reason."""

    variants: pa.Table
    dropped: list[Dropped]


def table(rows: pa.Table, source: str) -> Canonical:
    """Turn what a source states into canonical variants.

    ``rows`` has the text columns ``case_id``, ``gene`` and ``protein_change`` and, where the source has them,
    ``consequence`` (its own terms), ``reference`` and ``alternative`` (alleles), ``around`` (three bases around the
    variant), ``chromosome``, and ``position`` (text or int64).

    The stated consequence counts, with three exceptions: where none is stated, the protein change shows it; a protein
    change that is no missense overrules "missense", and one that is not silent overrules "silent"; and a splice variant
    whose protein change is silent is written X125_splice. Changes of histone H3 are numbered with the initial
    methionine. Where ``rows`` has ``chromosome`` and ``position``, a variant that one case has on several rows counts
    once (``_first_of_each``).
    """
    columns = {name: encoded(rows[name]) for name in rows.column_names if name != "position"}
    gene = translated(columns["gene"], symbol_of)
    changes, renumbered = _with_methionine(gene, parse_protein_changes(columns["protein_change"]))
    consequence = _consequence(columns.get("consequence"), changes.consequence)
    text = _with_splice(changes, consequence)
    events, substitution = _dna(columns.get("reference"), columns.get("alternative"), rows.num_rows)
    context = _context(columns.get("around"), substitution)
    reasons = _unusable(columns["gene"], gene, consequence)
    keep = ~np.logical_or.reduce(list(reasons.values()))
    dropped = [
        Dropped(source, "variant", reason, int(mask.sum()), _shown(columns, mask))
        for reason, mask in reasons.items()
        if mask.any()
    ]
    arrays = [columns["case_id"], gene, text, changes.codon, consequence, substitution, events, context]
    variants = pa.Table.from_arrays(arrays, schema=SCHEMA)
    if "position" in rows.column_names and rows.num_rows:
        repeated = keep & ~_first_of_each(variants, columns, rows["position"], keep)
        if repeated.any():
            dropped.append(Dropped(source, "row", REPEATED, int(repeated.sum()), _shown(columns, repeated)))
        keep &= ~repeated
    dropped += _remarkable(columns, changes, source, keep)
    if (renumbered & keep).any():
        n = int((renumbered & keep).sum())
        dropped.append(Dropped(source, "protein change", RENUMBERED, n, _shown(columns, renumbered & keep)))
    return Canonical(compacted(variants if keep.all() else variants.filter(pa.array(keep))), dropped)


REPEATED = "the same variant of the same case again"
RENUMBERED = "numbered without the initial methionine: read as HGVS numbers it"


def _with_methionine(gene: pa.DictionaryArray, changes: ProteinChanges) -> tuple[ProteinChanges, np.ndarray]:
    """The changes, those of histone H3 in the numbers of HGVS, and the mask of the rows that were in others."""
    rows = np.flatnonzero(matching(gene, is_histone_h3))
    renumbered = np.zeros(len(gene), bool)
    stated = changes.text.take(pa.array(rows)).to_pylist()
    new = {row: numbered_with_methionine(text) for row, text in zip(rows.tolist(), stated, strict=True)}
    renumbered[rows] = [text != before for text, before in zip(new.values(), stated, strict=True)]
    at = np.flatnonzero(renumbered)
    if not len(at):
        return changes, renumbered
    text = filled(changes.text.dictionary_decode(), at, pa.array([new[row] for row in at.tolist()]))
    codon = filled(changes.codon, at, pc.add(changes.codon.take(pa.array(at)), 1).cast(pa.int32()))
    return replace(changes, text=text.dictionary_encode(), codon=codon), renumbered


def _unusable(
    stated_gene: pa.DictionaryArray, gene: pa.DictionaryArray, consequence: pa.DictionaryArray
) -> dict[str, np.ndarray]:
    """Masks of the rows that make no variant; each row is in one of them at most."""
    no_gene, by_id = equals(gene, ""), matching(stated_gene, is_gene_id)
    named = ~(no_gene | by_id)
    return {
        "no gene": no_gene,
        GENE_ID: by_id,
        SILENT: named & equals(consequence, SILENT),
        NON_CODING: named & equals(consequence, NON_CODING),
        UNRECOGNISED: named & (indices(consequence) < 0),
    }


def _remarkable(
    columns: dict[str, pa.DictionaryArray],
    changes: ProteinChanges,
    source: str,
    keep: np.ndarray,
) -> list[Dropped]:
    """What was read otherwise than the source says it, and what of a kept variant was not readable."""
    remarks = []
    if changes.unreadable:
        reason = "protein change not readable: the variant is kept without it"
        remarks.append(Dropped(source, "protein change", reason, changes.unreadable, changes.examples))
    stated = columns.get("consequence")
    for what, reason, mask in (
        ("gene", "a symbol in other capitals or of the mouse: read as the human gene", _other_spellings(columns)),
        ("consequence", "the stated class contradicts the protein change", _contradicted(stated, changes.consequence)),
    ):
        if (mask := mask & keep).any():
            remarks.append(Dropped(source, what, reason, int(mask.sum()), _shown(columns, mask)))
    return remarks


def _other_spellings(columns: dict[str, pa.DictionaryArray]) -> np.ndarray:
    return matching(columns["gene"], lambda stated: is_other_spelling(stated, symbol_of(stated)))


def silent_and_non_coding(stated: pa.DictionaryArray, protein_change: pa.Array | None = None) -> dict[str, np.ndarray]:
    """Masks of the rows whose stated consequence is silent or non-coding, unless a plain ``protein_change`` (one
    residue for another) contradicts "silent".

    For readers to leave out most rows of a large file while it streams: ``table`` would drop the same ones.
    """
    silent = matching(stated, lambda term: consequence_class(term) == SILENT)
    non_coding = matching(stated, lambda term: consequence_class(term) == NON_CODING)
    if protein_change is not None and silent.any():
        rows = np.flatnonzero(silent)
        silent[rows] = ~_plain_substitution(protein_change.take(pa.array(rows)))
    return {SILENT: silent, NON_CODING: non_coding}


def _plain_substitution(protein_change: pa.Array) -> np.ndarray:
    if pa.types.is_dictionary(protein_change.type):
        protein_change = protein_change.dictionary_decode()
    text, _, _ = _substitutions(protein_change)
    return text.is_valid().to_numpy(zero_copy_only=False)


def _first_of_each(
    variants: pa.Table, columns: dict[str, pa.DictionaryArray], position: pa.ChunkedArray, keep: np.ndarray
) -> np.ndarray:
    """Mask of one row for each variant of each case, the first that states a protein change where any does.

    Rows with chromosome, position and alleles are one variant where case, gene and these agree: ``chr7`` is 7, and
    alleles count without the bases that they share (G>GA before a base is the MAF's ->A). Other rows are one where
    case, gene, protein change and consequence agree, also with a row that has a place.
    """
    place = _places(columns, position)
    placed = place[0] >= 0
    case, gene, text, consequence = (
        indices(single(variants[name])).astype(np.int64)
        for name in ("case_id", "gene", "protein_change", "consequence")
    )
    stated = ~equals(single(variants["protein_change"]), "")
    by_change = [np.where(placed, -1, codes) for codes in (text, consequence)]
    # One place cannot have two neighbourhoods.
    around = indices(columns["around"]).astype(np.int64) if "around" in columns else np.zeros(len(placed), np.int64)
    first = _first_rows([case, gene, *place, np.where(placed, around, -1), *by_change], keep, ~stated)
    loose = first & ~placed & stated
    if loose.any() and (first & placed).any():
        # A row without a place repeats one with a place that states the same change.
        both = first & stated
        first &= ~(loose & ~_first_rows([case, gene, text], both, ~placed))
    return first


def _first_rows(keys: list[np.ndarray], among: np.ndarray, later: np.ndarray) -> np.ndarray:
    """Mask of the first row for each combination of ``keys`` in ``among``; those of ``later`` come after all others."""
    rows = np.flatnonzero(among)
    n = len(among)
    columns = {str(i): key[rows] for i, key in enumerate(keys)} | {"row": rows + n * later[rows]}
    names = [str(i) for i in range(len(keys))]
    first = pa.table(columns).group_by(names).aggregate([("row", "min")])["row_min"].to_numpy() % n
    mask = np.zeros(n, bool)
    mask[first] = True
    return mask


def _places(columns: dict[str, pa.DictionaryArray], position: pa.ChunkedArray) -> list[np.ndarray]:
    """Codes of chromosome, position and alleles of each row; -1 in all three where any is not known."""
    chromosome = indices(translated(columns["chromosome"], _chromosome)).astype(np.int64)
    at = _numbers(position)
    alleles, shift = _allele_codes(columns.get("reference"), columns.get("alternative"), len(at))
    unknown = (chromosome < 0) | (at < 0) | (alleles < 0)
    return [np.where(unknown, -1, codes) for codes in (chromosome, at + shift, alleles)]


def _chromosome(text: str) -> str | None:
    name = text.strip().upper().removeprefix("CHR")
    return None if name in ("", ".", "-", "NA", "0", "UNKNOWN") else {"MT": "M", "23": "X", "24": "Y"}.get(name, name)


def _numbers(position: pa.ChunkedArray) -> np.ndarray:
    if not pa.types.is_integer(position.type):
        position = position.cast(pa.string())
        position = pc.if_else(pc.match_substring_regex(position, "^[0-9]{1,15}$"), position, None).cast(pa.int64())
    return position.fill_null(-1).to_numpy()


def _allele_codes(
    reference: pa.DictionaryArray | None, alternative: pa.DictionaryArray | None, n: int
) -> tuple[np.ndarray, np.ndarray]:
    """A code for each pair of alleles without the bases that they share (-1 where none is stated), and by how many
    bases its place lies behind the stated position."""
    if reference is None or alternative is None:
        return np.full(n, -1), np.zeros(n, np.int64)
    pairs = indices(reference).astype(np.int64) * max(len(alternative.dictionary), 1) + indices(alternative)
    unique = pa.array(pairs).dictionary_encode()
    before, after = reference.dictionary.to_pylist(), alternative.dictionary.to_pylist()
    bare = [shortest(before[pair // len(after)], after[pair % len(after)]) for pair in unique.dictionary.to_pylist()]
    known: dict[tuple[str, str], int] = {}
    code = np.array(
        [known.setdefault(pair[:2], len(known)) if any(pair[:2]) else -1 for pair in bare] or [-1], np.int64
    )
    shift = np.array([pair[2] for pair in bare] or [0], np.int64)
    return code[indices(unique)], shift[indices(unique)]


def without_repeats(rows: pa.Table, source: str) -> tuple[pa.Table, list[Dropped]]:
    """One of the rows that are one variant of one case (same gene, place and alleles): the first that states a protein
    change where any does. Callers spell the change in their own ways, so it is not compared.

    For rows that reach ``table`` without their chromosome and position; given these, it does the same itself.
    ``rows`` has the columns case_id, gene, chromosome, position, reference, alternative and protein_change.
    """
    names = ("case_id", "gene", "chromosome", "position", "reference", "alternative")
    keys = [indices(encoded(rows[name].cast(pa.string()))).astype(np.int64) for name in names]
    unstated = matching(encoded(rows["protein_change"].cast(pa.string())), is_unstated)
    keep = _first_rows(keys, np.ones(rows.num_rows, bool), unstated)
    if keep.all():
        return rows, []
    return rows.filter(pa.array(keep)), [Dropped(source, "row", REPEATED, int((~keep).sum()))]


def _shown(columns: dict[str, pa.DictionaryArray], mask: np.ndarray) -> tuple[str, ...]:
    """A few of the rows of ``mask``, as text."""
    names = [name for name in ("case_id", "gene", "consequence", "protein_change") if name in columns]
    rows = np.flatnonzero(mask)[:_EXAMPLES].tolist()
    return tuple(" ".join(filter(None, (columns[name][row].as_py() for name in names))) for row in rows)


def _consequence(stated: pa.DictionaryArray | None, implied: pa.DictionaryArray) -> pa.DictionaryArray:
    """The consequence of each row, from the source's term and from its protein change."""
    implied_codes, implied_names = indices(implied, len(implied.dictionary)), [*implied.dictionary.to_pylist(), None]
    if stated is None:
        return implied
    stated_names = [consequence_class(term) for term in stated.dictionary.to_pylist()]
    codes = indices(stated).astype(np.int64) * len(implied_names) + implied_codes
    # Only pairs that occur, so that the order of the classes depends on nothing else.
    pairs: list[str | None] = [None] * (len(stated_names) * len(implied_names))
    for pair in distinct(codes).tolist():
        pairs[pair] = _agreed(stated_names[pair // len(implied_names)], implied_names[pair % len(implied_names)])
    return coded(pairs, codes)


def _agreed(stated: str | None, of_protein: str | None) -> str | None:
    if stated is None or (stated in _OVERRULED and of_protein is not None):
        return of_protein
    return stated


_OVERRULED = ("missense", SILENT)
"""What a protein change overrules: annotators give these classes to whatever they cannot place. Other contradictions
are often true (a splice variant may change a residue, a frameshift may be a new stop), so that the class counts."""

_COMPATIBLE = {
    "missense": ("missense", "start_lost", SILENT),
    "nonsense": ("nonsense", "frameshift"),
    "frameshift": ("frameshift", "nonsense", "start_lost", "stop_lost"),
    "inframe": ("inframe", "nonsense", "stop_lost", "start_lost"),
    "start_lost": ("start_lost", "missense", "inframe", "frameshift", "nonsense", SILENT),
    "stop_lost": ("stop_lost", "inframe", "frameshift", "missense"),
    SILENT: (SILENT,),
}
"""The classes that a protein change may have beside each stated one without contradicting it."""


def _contradicted(stated: pa.DictionaryArray | None, of_protein: pa.DictionaryArray) -> np.ndarray:
    """Mask of the rows whose protein change contradicts the stated class."""
    if stated is None:
        return np.zeros(len(of_protein), bool)
    names, changes = [consequence_class(term) for term in stated.dictionary.to_pylist()], of_protein.dictionary
    table = np.array(
        [[change not in _COMPATIBLE.get(name, (change,)) for change in changes.to_pylist()] + [False] for name in names]
        or [[False] * (len(changes) + 1)]
    )
    return table[indices(stated), indices(of_protein)]


def _with_splice(changes: ProteinChanges, consequence: pa.DictionaryArray) -> pa.DictionaryArray:
    """The protein changes, silent ones of splice variants written as X125_splice. A bare "=" of another variant, which
    contradicts its consequence, says nothing."""
    rows = np.flatnonzero(equals(consequence, "splice") & equals(changes.consequence, SILENT))
    if not len(rows):
        return translated(changes.text, _without_bare_equals)
    codes = indices(changes.text).copy()
    forms = pa.array([splice(codon).text for codon in changes.codon.take(pa.array(rows)).to_pylist()], pa.string())
    codes[rows] = len(changes.text.dictionary) + np.arange(len(rows), dtype=np.int32)
    return translated(coded(pa.concat_arrays([changes.text.dictionary, forms]), codes), _without_bare_equals)


def _without_bare_equals(text: str) -> str:
    return "" if text == "=" else text


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
