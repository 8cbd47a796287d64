"""Cases seen through assays, as the tables that models learn from and are tested on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import compress

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..alterations.of_cases import OfCases
from ..assays import alteration_views
from ..assays.assay import LIST, get, named
from ..assays.noise import Noise
from ..assays.settings import Views
from ..assays.views import Seen, View
from ..cohort.assembly import Cohort
from ..cohort.views import Calls, variants_of
from ..errors import InputError
from ..tables.columns import with_column
from ..variants.cases import NOTHING
from .description import described
from .exchange import variants_of_copies
from .groups import groups
from .informative import informative_variants
from .view_files import Table
from .vocabulary import Vocabulary

REDUCED = "reduced"
_REDUCED_TO = {"min_cases": 3, "min_panels": 18}
"""``Seen.reduced``: 2.4 mutations a case on average."""

SHOWN = ("arms", "genes", "fusions", "spectra")
ALL = "all"


@dataclass(frozen=True)
class Row:
    """A row of the grid that models are tested on: an assay (or "reduced", or "nothing" where nobody looked at the
    mutations), and what else is shown of a case."""

    name: str
    assay: str
    shown: frozenset[str]


def table(cases: pa.Table, variants: pa.Table, panels: dict[str, list[str]], vocabulary: Vocabulary) -> Table:
    """``cases`` (``described``) with their groups of assays and their informative ``variants``."""
    cases = cases.append_column("group", pa.array(groups(cases, panels), pa.string()))
    return Table(cases, informative_variants(cases, variants, vocabulary), panels)


def row(name: str) -> Row:
    """``msk-impact-468+arms``: an assay, and of arms, genes, fusions and spectra those that are shown, or ``all``.

    Raises ``InputError`` for an assay or a kind that is not known."""
    assay, *shown = name.split("+")
    kinds = set(SHOWN) if ALL in shown else set(shown)
    if unknown := sorted(kinds - set(SHOWN)):
        raise InputError(f"{name!r} shows {', '.join(unknown)}: write {', '.join(SHOWN)} or {ALL} after the plus")
    if assay == NOTHING and not kinds:
        raise InputError(f"{name!r} shows nothing at all: add arms, genes, fusions or spectra, as in {name}+arms")
    return Row(name, assay if assay in (REDUCED, NOTHING) else get(assay).name, frozenset(kinds))


def training_views(cohort: Cohort, recurrent: pa.Table, vocabulary: Vocabulary, settings: Views) -> Iterator[Table]:
    """The views of the training cases of ``cohort``: first each case as it is, then ``settings.copies`` drawn ones.

    ``recurrent`` comes from ``assays.views.recurrence``. Copy number, fusions and matrices of spectra are
    shown in the shares that the settings give in every view, the first included: which cases have them depends on their
    study and so on their label."""
    cases = cohort.cases.filter(pc.equal(cohort.cases["split"], "train"))
    ids, labels = cases["case_id"].to_pylist(), cases["label"].to_pylist()
    alterations = OfCases.of(cohort.alterations, ids)
    with_matrix = pc.is_in(cases["case_id"], cohort.spectra["case_id"].combine_chunks()).to_numpy(zero_copy_only=False)
    noise = Noise(ids, np.empty(0, int), (np.empty(0, int), []), (np.empty(0, int), []))

    def no_spectra(copy: int) -> np.ndarray:
        uniform = noise.of_cases(settings.seed, copy, "spectra")
        return alteration_views.hidden(with_matrix, labels, 1.0 - settings.no_spectra, uniform)

    def seen_as(view: View, copy: int, without: np.ndarray) -> Table:
        key = (settings.seed, copy)
        panels = view.cases["panel"].to_pylist()
        seen = alteration_views.drawn(alterations, labels, panels, view.panels, noise, key, settings.alterations)
        return _table(view, seen, cohort.spectra, without, vocabulary)

    offered = _offered(ids, cohort.further)
    own = Seen(cases, cohort.variants, recurrent, cohort.panels)
    yield seen_as(own.through(get("exome")), 0, no_spectra(0))
    for copy, variants in enumerate(variants_of_copies(cases, cohort.variants, settings), start=1):
        called = _other_calls(
            cases, variants, cohort.further, offered, noise.of_cases(settings.seed, copy, "calls"), settings
        )
        view = Seen(*called, recurrent, cohort.panels).drawn(settings, copy)
        # A matrix counts the variants of a whole exome, which a panel or a list does not have.
        seen_whole = np.array([panel in (None, NOTHING) for panel in view.cases["panel"].to_pylist()], bool)
        yield seen_as(view, copy, no_spectra(copy) | ~seen_whole)


def grid(
    cohort: Cohort,
    splits: Sequence[str],
    recurrent: pa.Table,
    vocabulary: Vocabulary,
    rows: Sequence[str],
    settings: Views,
) -> Iterator[tuple[str, Table]]:
    """The whole exomes of ``splits`` in each of ``rows`` (``row``), with the row's name.

    A row that shows arms holds the cases that have them, one that shows spectra those with a matrix, and one of lists
    alone those with a mutation that somebody would have written down."""
    held_out = pc.is_in(cohort.cases["split"], pa.array(list(splits)))
    cases = cohort.cases.filter(pc.and_(held_out, pc.is_null(cohort.cases["panel"])))
    alterations = OfCases.of(cohort.alterations, cases["case_id"].to_pylist())
    with_matrix = pc.is_in(cases["case_id"], cohort.spectra["case_id"].combine_chunks()).to_numpy(zero_copy_only=False)
    for each in map(row, rows):
        there = np.ones(cases.num_rows, bool)
        if "arms" in each.shown:
            there &= alterations.arms_known
        if "spectra" in each.shown and "arms" not in each.shown:
            there &= with_matrix
        kept = np.flatnonzero(there)
        seen = Seen(cases.take(pa.array(kept)), cohort.variants, recurrent, cohort.panels)
        view = _seen_through(seen, each, settings)
        if each.assay in (LIST, REDUCED) and not each.shown:
            written = view.shows_mutations
            kept, view = kept[written], view.filtered(written)
        found = alterations.take(kept).hidden(**{kind: kind not in each.shown for kind in SHOWN[:3]})
        found = alteration_views.through(found, view.cases["panel"].to_pylist(), view.panels)
        spectra = cohort.spectra if "spectra" in each.shown and each.assay in ("exome", "genome", NOTHING) else None
        yield each.name, _table(view, found, spectra, False, vocabulary)


def _seen_through(seen: Seen, each: Row, settings: Views) -> View:
    if each.assay == REDUCED:
        return seen.reduced(**_REDUCED_TO)
    if each.assay == NOTHING:
        return seen.nothing()
    if each.assay == LIST:
        # Another seed than any training view, because it is none.
        return seen.lists(settings.lists, settings.seed - 1)
    return seen.through(named()[each.assay])


def _table(
    view: View, found: OfCases, spectra: pa.Table | None, no_spectra: np.ndarray | bool, vocabulary: Vocabulary
) -> Table:
    cases = described(view.cases, view.variants, found, spectra, view.counts_known, no_spectra)
    return table(cases, view.variants, view.panels, vocabulary)


def _offered(ids: Sequence[str], further: Sequence[Calls]) -> list[list[int]]:
    """Of each case the places in ``further`` of the files that call it too."""
    offered: dict[str, list[int]] = {case: [] for case in ids}
    for number, calls in enumerate(further):
        for case in calls.cases["case_id"].to_pylist():
            if case in offered:
                offered[case].append(number)
    return [offered[case] for case in ids]


def _other_calls(
    cases: pa.Table,
    variants: pa.Table,
    further: Sequence[Calls],
    offered: Sequence[list[int]],
    uniform: np.ndarray,
    settings: Views,
) -> tuple[pa.Table, pa.Table]:
    """``cases`` and ``variants``, part of the cases as other files call them: ``offered`` are each case's places in
    ``further``."""
    ids = cases["case_id"].to_pylist()
    chosen = np.full(len(ids), -1)
    for i, numbers in enumerate(offered):
        if numbers and uniform[i] < settings.other_calls:
            chosen[i] = numbers[int(uniform[i] / settings.other_calls * len(numbers))]
    if (chosen < 0).all():
        return cases, variants
    panels, parts = cases["panel"].to_pylist(), [variants_of(variants, compress(ids, chosen < 0))]
    for number, calls in enumerate(further):
        here = chosen == number
        panel_of = dict(zip(calls.cases["case_id"].to_pylist(), calls.cases["panel"].to_pylist(), strict=True))
        panels = [panel_of[case] if own else panel for case, own, panel in zip(ids, here, panels, strict=True)]
        parts.append(variants_of(calls.variants, compress(ids, here)))
    joined = pa.concat_tables(parts).unify_dictionaries().combine_chunks()
    return with_column(cases, "panel", pa.array(panels, pa.string())), joined
