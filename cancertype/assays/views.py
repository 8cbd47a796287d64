"""Cases as an assay would have shown them: variants outside its genes are gone, and what it cannot know is unknown.

A view of a training case is a training case: one model then serves exomes, panels and hand-written lists. The same
functions make the views of test cases, so that what is trained on and what is tested come from one generator.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import compress

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..errors import InputError
from ..tables.columns import coded, codes, compacted, distinct, equals, row_positions, single, with_column
from ..variants.cases import NOTHING, counts_are_known
from ..variants.schema import TRUNCATING
from . import background
from .assay import LIST, Assay, coding_megabases, codons_of_genes, get, panels, panels_per_gene
from .noise import Noise
from .settings import Lists, Pipelines, RandomPanels, Views

RECURRENCE = pa.schema([("gene", pa.string()), ("protein_change", pa.string()), ("cases", pa.int32())])
"""One row per protein change that two or more training cases have."""

GENE_ALONE = "missense"
"""The consequence of a mutation given by its gene alone, as the reader of typed lists takes it."""

_SMALLEST_INTERSECTION = 10
"""A panel case is seen through another panel only where the two share at least this many genes."""

_WIDE = 300
"""Genes of a panel that may pass for an exome where nothing is said of it."""

_EXOME = -1


@dataclass(frozen=True)
class View:
    """``cases`` (the columns they came with; ``panel`` and ``sex`` as the view shows them, in the same order),
    ``variants`` in the same columns, ``panels`` (name, as in ``cases``, to genes), what was done to each case in
    ``words`` ("msk-impact-468, tumour-only, no sex"), and ``counts_known`` (bool, shape (cases,)): whether the numbers
    of a case's mutations mean anything."""

    cases: pa.Table
    variants: pa.Table
    panels: dict[str, list[str]]
    words: list[str]
    counts_known: np.ndarray

    @property
    def shows_mutations(self) -> np.ndarray:
        """Whether each case (bool, shape (cases,)) shows a mutation."""
        of_case = row_positions(self.variants["case_id"], self.cases["case_id"].to_pylist())
        return np.bincount(of_case, minlength=self.cases.num_rows) > 0

    def filtered(self, kept: np.ndarray) -> "View":
        """The cases of which ``kept`` (bool, shape (cases,)) is true."""
        of_case = row_positions(self.variants["case_id"], self.cases["case_id"].to_pylist())
        variants = self.variants.filter(pa.array(kept[of_case]))
        words = list(compress(self.words, kept))
        return View(self.cases.filter(pa.array(kept)), variants, self.panels, words, self.counts_known[kept])


def recurrence(cases: pa.Table, variants: pa.Table) -> pa.Table:
    """How many of ``cases`` have each protein change, as a table of ``RECURRENCE``; pass training cases only."""
    of_case = row_positions(variants["case_id"], cases["case_id"].to_pylist())
    gene, genes = codes(variants["gene"])
    change, changes = codes(variants["protein_change"])
    stated = np.array([bool(text) for text in changes] or [False])[change] & (of_case >= 0)
    pair = gene[stated].astype(np.int64) * len(changes) + change[stated]
    keys, which = np.unique(pair, return_inverse=True)
    of_key = distinct(which.astype(np.int64) * cases.num_rows + of_case[stated]) // max(cases.num_rows, 1)
    counts = np.bincount(of_key, minlength=len(keys))
    kept = np.flatnonzero(counts >= 2)
    names = [(genes[k // len(changes)], changes[k % len(changes)]) for k in keys[kept].tolist()]
    rows = zip(names, counts[kept].tolist(), strict=True)
    found = sorted((gene_name, text, n) for (gene_name, text), n in rows)
    return pa.Table.from_pylist([dict(zip(RECURRENCE.names, row, strict=True)) for row in found], schema=RECURRENCE)


class Seen:
    """Cases and their variants, ready to be seen through assays.

    ``cases`` has the columns of ``cases.CASES`` (and any others), ``variants`` those of ``schema.SCHEMA``;
    ``own_panels`` maps the names in the cases' column ``panel`` to their genes; ``recurrent`` comes from
    ``recurrence`` of the training cases. Every method is deterministic. What is drawn for a case depends on
    the seed and the case alone, inherited variants aside: its view stays when other cases come.
    """

    def __init__(
        self,
        cases: pa.Table,
        variants: pa.Table,
        recurrent: pa.Table,
        own_panels: Mapping[str, Sequence[str]] | None = None,
    ):
        ids = cases["case_id"].to_pylist()
        of_case = row_positions(variants["case_id"], ids)
        if (of_case < 0).any():
            variants = variants.filter(pa.array(of_case >= 0))
            of_case = of_case[of_case >= 0]
        self.cases, self.variants, self.case_ids = cases, compacted(variants), ids
        self._of_case = of_case
        self._gene, self._genes = codes(self.variants["gene"])
        self._number_of = {gene: i for i, gene in enumerate(self._genes)}
        self._own = cases["panel"].to_pylist()
        self._own_panels = {name: list(genes) for name, genes in (own_panels or {}).items()}
        self._recurrent = recurrent
        change = codes(self.variants["protein_change"])
        self._noise = Noise(ids, of_case, (self._gene, self._genes), change)

    def through(self, assay: Assay) -> View:
        """Every case as ``assay`` would have shown it. An exome or genome shows a case as it is; for a list use
        ``lists``."""
        if assay.kind == LIST:
            raise ValueError("a list is drawn: use Seen.lists")
        if assay.covers_all_genes:
            names = [assay.name] * len(self.case_ids)
            return View(self.cases, self.variants, dict(self._own_panels), names, counts_are_known(self._own))
        named, number = self._assigned([assay], np.zeros(len(self.case_ids), np.int64))
        return self._view(np.flatnonzero(self._covered(named, number)), named, number)

    def lists(self, settings: Lists, seed: int) -> View:
        """Every case as somebody would have written it down.

        The number of mutations is drawn evenly from ``settings.mutations``, and that many (or all there are) of the
        case's mutations in genes of the named panels are drawn without replacement. The weight is the number of
        panels that hold the gene, times the square root of the number of training cases with the change. The protein
        change is given for the share ``settings.protein_change`` of them; DNA alleles never are. A gene that is given
        alone is given once. A case without such a mutation stays without any.
        """
        key = (seed, "list")
        rows = self._drawn_list(key, np.ones(len(self.case_ids), bool), settings)
        variants = self._as_written(self._taken(rows), self._given(key, settings)[rows])
        return self._lists_of(variants)

    def reduced(self, min_cases: int, min_panels: int) -> View:
        """Every case reduced to what a report would call its drivers: protein changes that at least ``min_cases``
        training cases have, and truncating variants, both in genes that at least ``min_panels`` named panels hold.
        DNA alleles are unknown. A case without such a mutation stays without any."""
        well_known = self._panels_of_gene >= min_panels
        truncating = np.isin(_texts(self.variants["consequence"]), TRUNCATING)
        rows = np.flatnonzero(well_known & (truncating | (self._recurrence >= min_cases)))
        variants = self._as_written(self._taken(rows), np.ones(len(rows), bool))
        return self._lists_of(variants)

    def nothing(self) -> View:
        """Every case as if nobody had looked at its mutations."""
        names: list[str | None] = [NOTHING] * len(self.case_ids)
        cases = _with_panels(self.cases, names)
        return View(cases, self.variants.slice(0, 0), {NOTHING: []}, [NOTHING] * len(names), counts_are_known(names))

    def _lists_of(self, variants: pa.Table) -> View:
        names: list[str | None] = [LIST] * len(self.case_ids)
        return View(_with_panels(self.cases, names), variants, {}, [LIST] * len(names), counts_are_known(names))

    def drawn(self, settings: Views, copy: int) -> View:
        """View number ``copy`` of every case: through an assay and a pipeline that are drawn for each case.

        A case that is a panel already is seen through the genes that its panel and the drawn one share, under the
        name ``its panel & the drawn one``; where they share fewer than 10, or the genes of its own are not known, it
        stays as it is.
        """
        key = (settings.seed, copy)
        rng = np.random.default_rng(key)
        kinds = _chosen(self._noise.of_cases(*key, "kind"), dict(settings.shares))
        offered = [*_training_panels(settings), *random_panels(rng, settings.random_panels, f"random {copy}")]
        n_named = len(offered) - settings.random_panels.number
        assays, number = self._assigned(offered, self._choice(key, kinds, n_named, len(offered)))
        is_list, unread = kinds == LIST, kinds == NOTHING
        sequenced_cases = ~is_list & ~unread
        pipeline = _Pipeline.drawn(self._noise, key, settings.pipelines, sequenced_cases)
        keep = self._covered(assays, number) & sequenced_cases[self._of_case] & self._called(key, pipeline)
        sequenced = self._hidden(self._taken(np.flatnonzero(keep)), pipeline)
        added = self._not_somatic(rng, key, settings.pipelines, pipeline, assays, number)
        listed = self._drawn_list(key, is_list, settings.lists)
        written = self._as_written(self._taken(listed), self._given(key, settings.lists)[listed])
        unstated = (number == _EXOME) & sequenced_cases & self._wide
        unstated &= self._noise.of_cases(*key, "unstated") < settings.unstated
        names = self._names(assays, number)
        for name, here in ((LIST, is_list), (NOTHING, unread)):
            names = [name if so else other for so, other in zip(here, names, strict=True)]
        return self._described(_joined(sequenced, added, written), assays, names, pipeline, unstated)

    def _choice(self, key: tuple[int, int], kinds: np.ndarray, n_named: int, n: int) -> np.ndarray:
        """The place of each case's assay among ``n`` panels of which the first ``n_named`` are named; -1 for none."""
        place = self._noise.of_cases(*key, "panel")
        named, drawn = (place * n_named).astype(np.int64), (n_named + place * (n - n_named)).astype(np.int64)
        is_named = (kinds == "panel") & (n_named > 0)
        return np.where(is_named, named, np.where(kinds == "random_panel", drawn, _EXOME))

    @cached_property
    def _wide(self) -> np.ndarray:
        """Whether each case was sequenced in so many genes that nobody sees from its mutations that it was not all."""
        sizes = {name: len(genes) for name, genes in self._own_panels.items()} | {None: len(codons_of_genes())}
        return np.array([sizes.get(own, 0) >= _WIDE for own in self._own], bool)

    # --- Which variants an assay shows ---

    def _assigned(self, offered: Sequence[Assay], choice: np.ndarray) -> tuple[list[Assay], np.ndarray]:
        """The assays that cases are seen through, and each case's place among them (-1: its own, whole).

        It is ``choice`` among ``offered``, but for cases that are panels themselves: they get the genes shared with
        their own panel, and stay as they are where its genes are not known."""
        assays, number = list(offered), choice.copy()
        together: dict[tuple[str, int], int] = {}
        for row, own in enumerate(self._own):
            if own in (None, NOTHING) or choice[row] == _EXOME:
                number[row] = _EXOME if own == NOTHING else number[row]
                continue
            if own not in self._own_panels:
                number[row] = _EXOME
                continue
            key = (own, int(choice[row]))
            if key not in together:
                together[key] = len(assays)
                assays.append(_shared(own, self._own_panels[own], offered[choice[row]]))
            number[row] = together[key] if assays[together[key]].genes else _EXOME
        return assays, number

    def _covered(self, assays: Sequence[Assay], number: np.ndarray) -> np.ndarray:
        """Whether each variant is in the genes (and codons) of its case's assay."""
        holds = np.ones((len(self._genes), len(assays) + 1), bool)
        for place, assay in enumerate(assays):
            holds[:, place] = False
            holds[[self._number_of[gene] for gene in assay.genes if gene in self._number_of], place] = True
        of_variant = number[self._of_case]
        covered = holds[self._gene, of_variant]
        for place in (place for place, assay in enumerate(assays) if assay.codons):
            here = np.flatnonzero(covered & (of_variant == place))
            covered[here] = self._on_codons(here, assays[place])
        return covered

    def _on_codons(self, rows: np.ndarray, assay: Assay) -> np.ndarray:
        codon = pc.fill_null(self.variants["codon"], -1).to_numpy()[rows]
        genes = [self._genes[i] for i in self._gene[rows].tolist()]
        whole = frozenset(assay.genes) - set(assay.codons)
        return np.array(
            [gene in whole or c in assay.codons[gene] for gene, c in zip(genes, codon.tolist(), strict=True)], bool
        )

    # --- Lists ---

    @cached_property
    def _panels_of_gene(self) -> np.ndarray:
        """The number of named panels that hold each variant's gene."""
        counts = panels_per_gene()
        return np.array([counts.get(gene, 0) for gene in self._genes] or [0])[self._gene]

    @cached_property
    def _recurrence(self) -> np.ndarray:
        """The number of training cases that have each variant's protein change; 1 where fewer than two have it."""
        change, changes = codes(self.variants["protein_change"])
        texts = {text: i for i, text in enumerate(changes)}
        known = [
            (self._number_of[gene] * len(changes) + texts[text], n)
            for gene, text, n in zip(*(self._recurrent[name].to_pylist() for name in RECURRENCE.names), strict=True)
            if gene in self._number_of and text in texts
        ]
        if not known:
            return np.ones(len(change), np.int64)
        keys, counts = (np.array(column) for column in zip(*sorted(known), strict=True))
        pair = self._gene.astype(np.int64) * len(changes) + change
        place = np.minimum(np.searchsorted(keys, pair), len(keys) - 1)
        return np.where(keys[place] == pair, counts[place], 1)

    def _drawn_list(self, key: tuple[int | str, ...], of: np.ndarray, settings: Lists) -> np.ndarray:
        """The variants of the lists of the cases ``of``, heaviest draws first within a case."""
        low, high = settings.mutations
        size = low + (self._noise.of_cases(*key, "size") * (high + 1 - low)).astype(np.int64)
        rows = np.flatnonzero((self._panels_of_gene > 0) & of[self._of_case])
        weight = self._panels_of_gene[rows] * np.sqrt(self._recurrence[rows])
        # Drawing without replacement by weight is taking the greatest of log(weight) + Gumbel noise.
        draw = np.log(weight) - np.log(-np.log(self._noise.of_variants(*key, "place")[rows]))
        order = np.lexsort((-draw, self._of_case[rows]))
        rows = rows[order]
        case = self._of_case[rows]
        rank = np.arange(len(rows)) - np.searchsorted(case, case)
        return rows[rank < size[case]]

    def _given(self, key: tuple[int | str, ...], settings: Lists) -> np.ndarray:
        """Whether a list would give each variant's protein change."""
        return self._noise.of_variants(*key, "given") < settings.protein_change

    def _as_written(self, variants: pa.Table, given: np.ndarray) -> pa.Table:
        """``variants`` as a list gives them: no alleles, and the gene alone where the change is not ``given``."""
        everywhere = np.ones(variants.num_rows, bool)
        variants = _without_alleles(variants, everywhere)
        variants = _blanked(variants, "protein_change", ~given, "")
        variants = _blanked(variants, "consequence", ~given, GENE_ALONE)
        codon = pc.if_else(pa.array(given), variants["codon"], pa.scalar(None, pa.int32()))
        variants = with_column(variants, "codon", codon)
        case, gene = codes(variants["case_id"])[0].astype(np.int64), codes(variants["gene"])[0]
        key = case * (int(gene.max(initial=0)) + 1) + gene
        # A gene alone says nothing where the gene is in the list already.
        by_change = np.isin(key, key[given])
        first = np.zeros(len(key), bool)
        first[np.unique(key, return_index=True)[1]] = True
        keep = given | (~by_change & first)
        return variants if keep.all() else variants.filter(pa.array(keep))

    # --- Pipelines ---

    def _called(self, key: tuple[int, int], pipeline: "_Pipeline") -> np.ndarray:
        """Whether each variant is called: thinning, and pipelines without insertions and deletions."""
        called = self._noise.of_variants(*key, "called") < pipeline.share[self._of_case]
        return called & ~(_is_indel(self.variants) & pipeline.no_indels[self._of_case])

    def _hidden(self, variants: pa.Table, pipeline: "_Pipeline") -> pa.Table:
        of_case = row_positions(variants["case_id"], self.case_ids)
        variants = _without_alleles(variants, pipeline.no_alleles[of_case])
        return _blanked(variants, "context", pipeline.no_context[of_case], None)

    def _not_somatic(
        self,
        rng: np.random.Generator,
        key: tuple[int, int],
        settings: Pipelines,
        pipeline: "_Pipeline",
        assays: Sequence[Assay],
        number: np.ndarray,
    ) -> pa.Table:
        """Rare inherited variants and clonal haematopoiesis of the cases that were called without a normal sample."""
        low, high = settings.germline_per_megabase
        rate = low + (high - low) * self._noise.of_cases(*key, "germline")
        carrier = self._noise.of_cases(*key, "blood") < settings.clonal_haematopoiesis
        drawn: list[background.Drawn] = []
        for genes, here in self._covered_genes(np.flatnonzero(pipeline.tumour_only), assays, number):
            numbers = np.zeros(len(self.case_ids), np.int64)
            numbers[here] = rng.poisson(rate[here] * coding_megabases(genes))
            drawn.append(background.germline(rng, numbers, genes))
            drawn.append(background.clonal_haematopoiesis(rng, here[carrier[here]], frozenset(genes)))
        table = background.table(drawn, self.case_ids)
        unseen = _is_indel(table) & pipeline.no_indels[row_positions(table["case_id"], self.case_ids)]
        return self._hidden(table.filter(pa.array(~unseen)), pipeline)

    def _covered_genes(
        self, cases: np.ndarray, assays: Sequence[Assay], number: np.ndarray
    ) -> Iterator[tuple[Sequence[str], np.ndarray]]:
        """The genes that groups of ``cases`` were sequenced in. Hotspot panels are left out: their codons hold next to
        no inherited variants."""
        whole = {None: list(codons_of_genes())} | self._own_panels
        seen_whole = cases[number[cases] == _EXOME]
        own = [self._own[row] for row in seen_whole.tolist()]
        for name in dict.fromkeys(own):
            yield whole.get(name, ()), seen_whole[[other == name for other in own]]
        for place, assay in enumerate(assays):
            here = cases[number[cases] == place]
            if len(here) and not assay.codons:
                yield assay.genes, here

    # --- Making the view ---

    def _taken(self, rows: np.ndarray) -> pa.Table:
        return self.variants.take(pa.array(rows))

    def _names(self, assays: Sequence[Assay], number: np.ndarray) -> list[str | None]:
        return [own if n == _EXOME else assays[n].name for own, n in zip(self._own, number.tolist(), strict=True)]

    def _view(self, rows: np.ndarray, assays: Sequence[Assay], number: np.ndarray) -> View:
        names = self._names(assays, number)
        found = {assay.name: list(assay.genes) for assay in assays} | self._own_panels
        used = {name: found[name] for name in dict.fromkeys(names) if name in found}
        words = [name or "exome" for name in names]
        return View(_with_panels(self.cases, names), self._taken(rows), used, words, counts_are_known(names))

    def _described(
        self,
        variants: pa.Table,
        assays: Sequence[Assay],
        names: Sequence[str | None],
        pipeline: "_Pipeline",
        unstated: np.ndarray,
    ) -> View:
        # Nobody says what was sequenced: it is taken for an exome, and its counts mean nothing.
        names = [None if hide else name for name, hide in zip(names, unstated, strict=True)]
        cases = _with_panels(self.cases, names)
        sex = pc.if_else(pa.array(pipeline.no_sex), pa.scalar(None, pa.string()), cases["sex"])
        cases = with_column(cases, "sex", sex)
        found = {assay.name: list(assay.genes) for assay in assays} | self._own_panels | {NOTHING: []}
        used = {name: found[name] for name in dict.fromkeys(names) if name in found}
        titles = ["not stated" if hide else name or "exome" for name, hide in zip(names, unstated, strict=True)]
        words = [", ".join([title, *pipeline.words(row)]) for row, title in enumerate(titles)]
        return View(cases, variants, used, words, counts_are_known(names) & ~unstated)


@dataclass(frozen=True)
class _Pipeline:
    """For each case: the share of its variants that are called, and what its pipeline leaves out or adds."""

    share: np.ndarray
    tumour_only: np.ndarray
    no_indels: np.ndarray
    no_alleles: np.ndarray
    no_context: np.ndarray
    no_sex: np.ndarray

    @classmethod
    def drawn(cls, noise: Noise, key: tuple[int, int], settings: Pipelines, sequenced: np.ndarray) -> "_Pipeline":
        """``sequenced`` is False for lists and cases whose mutations nobody looked at: only the sex matters there."""

        def happens(name: str) -> np.ndarray:
            return noise.of_cases(*key, name) < getattr(settings, name)

        low, high = settings.thinned_to
        to = low + (high - low) * noise.of_cases(*key, "share")
        share = np.where(happens("thinned") & sequenced, to, 1.0)
        flags = ("tumour_only", "no_indels", "no_alleles", "no_context")
        return cls(share, *(happens(name) & sequenced for name in flags), happens("no_sex"))

    def words(self, row: int) -> list[str]:
        """What was done to a case, in words."""
        said = [f"{100 * self.share[row]:.0f}% of the variants"] if self.share[row] < 1 else []
        flags = ("tumour_only", "no_indels", "no_alleles", "no_context", "no_sex")
        return said + [name.replace("_", " ") for name in flags if getattr(self, name)[row]]


def _chosen(uniform: np.ndarray, weights: Mapping[str, float]) -> np.ndarray:
    """A name for each number between 0 and 1, by weight."""
    edges = np.cumsum(list(weights.values())) / sum(weights.values())
    return np.array(list(weights))[np.minimum(np.searchsorted(edges, uniform, side="right"), len(weights) - 1)]


def _training_panels(settings: Views) -> list[Assay]:
    """The named panels that training views use. Raises ``InputError`` for a name in ``not_panels`` that is none."""
    kept_out = {get(name).name for name in settings.not_panels}
    if strange := sorted(kept_out - set(panels())):
        raise InputError(f"views.not_panels names {', '.join(strange)}, which has no gene list: remove it")
    return [assay for name, assay in panels().items() if name not in kept_out]


def random_panels(rng: np.random.Generator, settings: RandomPanels, name: str) -> list[Assay]:
    """``settings.number`` panels called ``name`` and a number, their sizes even on a logarithmic scale.

    Genes are drawn without replacement: a share ``settings.other_genes`` of them evenly from all genes, the others by
    the number of named panels that hold them.
    """
    known = panels_per_gene()
    cancer, weight = np.array(list(known), object), np.array(list(known.values()), float)
    others = np.array(sorted(set(codons_of_genes()) - set(known)), object)
    low, high = settings.genes
    found = []
    for number in range(settings.number):
        size = round(float(np.exp(rng.uniform(np.log(low), np.log(high)))))
        elsewhere = min(rng.binomial(size, settings.other_genes), len(others))
        inside = min(size - elsewhere, len(cancer))
        genes = [
            *rng.choice(cancer, inside, replace=False, p=weight / weight.sum()),
            *rng.choice(others, elsewhere, replace=False),
        ]
        found.append(Assay(f"{name}.{number}", f"A random panel of {len(genes)} genes", "panel", tuple(sorted(genes))))
    return found


def _shared(own: str, own_genes: Sequence[str], assay: Assay) -> Assay:
    """What a panel case shows through another panel; no genes where too few are shared."""
    held = set(own_genes)
    genes = tuple(gene for gene in assay.genes if gene in held)
    if len(genes) < _SMALLEST_INTERSECTION:
        genes = ()
    codons = {gene: assay.codons[gene] for gene in genes if gene in assay.codons}
    return Assay(f"{own} & {assay.name}", f"{assay.title}, within {own}", assay.kind, genes, codons)


def _is_indel(variants: pa.Table) -> np.ndarray:
    """Insertions and deletions: by the DNA event, or by the consequence where that is unknown."""
    dna, consequence = single(variants["dna"]), single(variants["consequence"])
    event = equals(dna, "insertion") | equals(dna, "deletion")
    return event | (equals(dna, "unknown") & (equals(consequence, "frameshift") | equals(consequence, "inframe")))


def _texts(column: pa.ChunkedArray) -> np.ndarray:
    number, names = codes(column)
    return np.array([*names, None], object)[number]


def _with_panels(cases: pa.Table, names: Sequence[str | None]) -> pa.Table:
    return with_column(cases, "panel", pa.array(names, pa.string()))


def _without_alleles(variants: pa.Table, mask: np.ndarray) -> pa.Table:
    variants = _blanked(variants, "dna", mask, "unknown")
    variants = _blanked(variants, "substitution", mask, None)
    return _blanked(variants, "context", mask, None)


def _blanked(variants: pa.Table, name: str, mask: np.ndarray, value: str | None) -> pa.Table:
    """``variants`` with ``value`` in column ``name`` where ``mask`` says so."""
    if not mask.any():
        return variants
    number, names = codes(variants[name])
    column = coded([*names, value], np.where(mask, len(names), number))
    return with_column(variants, name, column)


def _joined(*tables: pa.Table) -> pa.Table:
    return pa.concat_tables(tables).unify_dictionaries().combine_chunks()
