"""Copy number and fusions as an assay, a pipeline or a writer of lists would have shown them.

Which kinds of data a tumour has depends on its study, and so on its label. So each kind is hidden in part of the views
of every label, such that what is left is shown equally often whatever the label.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ..alterations.of_cases import AMPLIFIED, NO_CALL, OfCases
from ..alterations.schema import ARMS
from ..variants.genes import fusion_genes
from .assay import LIST, known, panels_per_gene
from .noise import Noise
from .settings import AlterationViews

KINDS = ("arms", "genes", "fusions")


def through(found: OfCases, panels: Sequence[str | None], genes: Mapping[str, Sequence[str]]) -> OfCases:
    """``found`` as the assay of each case reports it: ``panels`` (n,) are the cases' column ``panel``, and ``genes``
    maps a panel's name to its genes.

    A panel tells copy number and fusions of its own genes (a fusion where it holds one of the two), and a named one
    that does not report them tells nothing of them. Arms stay: they come from all genes of a panel, from its off-target
    reads or from another test."""
    calls, fusions = found.calls.copy(), list(found.fusions)
    outside = {
        name: ~np.isin(found.genes, genes[name]) for name in {panel for panel in panels if panel} if name in genes
    }
    held = {name: frozenset(genes[name]) for name in outside}
    for row, panel in enumerate(panels):
        # A panel without genes looked at no mutations: its copy number came from elsewhere.
        if panel not in outside or not held[panel]:
            continue
        assay = known(panel)
        calls[row, slice(None) if assay and assay.copy_number is False else outside[panel]] = NO_CALL
        if assay and assay.fusions is False:
            fusions[row] = None
        elif found.fusions[row] is not None:
            fusions[row] = frozenset(each for each in found.fusions[row] if _holds(held[panel], each))
    return replace(found, calls=calls, fusions=tuple(fusions))


def drawn(
    found: OfCases,
    labels: Sequence[str | None],
    panels: Sequence[str | None],
    genes: Mapping[str, Sequence[str]],
    noise: Noise,
    key: tuple[int, int],
    settings: AlterationViews,
) -> OfCases:
    """One view: kinds hidden so that each is shown in the share that ``settings`` give, whatever the label; then what
    the case's assay reports, with the errors of a caller, and of a list the few events that somebody would mention."""
    shares = {kind: getattr(settings, kind) for kind in KINDS}
    masks = {
        kind: hidden(getattr(found, f"{kind}_known"), labels, share, noise.of_cases(*key, "hidden", kind))
        for kind, share in shares.items()
    }
    seen = through(found.hidden(**masks), panels, genes)
    arms = _called(seen.arms, noise, key, settings)
    is_list = np.array([panel == LIST for panel in panels], bool)
    return _mentioned(replace(seen, arms=arms), is_list, noise, key, settings)


def hidden(known: np.ndarray, labels: Sequence[str | None], share: float, uniform: np.ndarray) -> np.ndarray:
    """Which cases to hide (bool, shape (n,)) so that ``share`` of each label's cases are shown.

    A label of which fewer cases are ``known`` shows all that it has. ``uniform`` (n,) are numbers between 0 and 1."""
    label = np.array([each or "" for each in labels], object)
    keep = np.ones(len(known))
    for each in set(label.tolist()):
        here = label == each
        keep[here] = min(1.0, share / max(known[here].mean(), 1e-9))
    return uniform >= keep


def _called(arms: np.ndarray, noise: Noise, key: tuple[int, int], settings: AlterationViews) -> np.ndarray:
    """``arms`` as an imperfect caller gives them: in each case a share of them without a call, another share wrong."""
    uncalled = noise.of_cases(*key, "uncalled") * settings.uncalled
    wrong = noise.of_cases(*key, "wrong") * settings.wrong
    called = arms.copy()
    for place, arm in enumerate(ARMS):
        luck, other = noise.of_cases(*key, "arm", arm), noise.of_cases(*key, "other call", arm)
        column = called[:, place]
        # Another of the three calls, each as likely.
        turned = (column + 1 + 1 + (other >= 0.5)) % 3 - 1
        column[:] = np.where((luck < wrong) & (column != NO_CALL), turned, column)
        column[luck >= 1.0 - uncalled] = NO_CALL
    return called


def _mentioned(
    found: OfCases, is_list: np.ndarray, noise: Noise, key: tuple[int, int], settings: AlterationViews
) -> OfCases:
    """What somebody writes into a list: in half of the lists with arms all of them, else a few altered ones; of the
    other events the best known."""
    low, high = settings.mentioned
    number = low + (noise.of_cases(*key, "mentioned") * (high + 1 - low)).astype(np.int64)
    few = is_list & (noise.of_cases(*key, "few arms") < 0.5)
    arms, calls, fusions = found.arms.copy(), found.calls.copy(), list(found.fusions)
    order = np.argsort(np.stack([noise.of_cases(*key, "arm's place", arm) for arm in ARMS], axis=1), axis=1)
    for row in np.flatnonzero(few).tolist():
        altered = [place for place in order[row].tolist() if arms[row, place] in (-1, 1)]
        forgotten = np.setdiff1d(np.arange(len(ARMS)), altered[: number[row]])
        arms[row, forgotten] = NO_CALL
    fame = panels_per_gene()
    for row in np.flatnonzero(is_list).tolist():
        events = [(fame.get(found.genes[i], 0), "gene", i) for i in np.flatnonzero(abs(calls[row]) == AMPLIFIED)]
        events += [(_fame(each, fame), "fusion", each) for each in sorted(fusions[row] or ())]
        # Of equally well-known ones the first by name, which depends on nothing else.
        kept = {event[1:] for event in sorted(events, key=lambda event: -event[0])[: number[row]]}
        for _, kind, name in events:
            if kind == "gene" and (kind, name) not in kept:
                calls[row, name] = NO_CALL
        if fusions[row] is not None:
            fusions[row] = frozenset(each for each in fusions[row] if ("fusion", each) in kept)
    return replace(found, arms=arms, calls=calls, fusions=tuple(fusions))


def _holds(genes: frozenset[str], fusion: str) -> bool:
    return any(gene in genes for gene in fusion_genes(fusion))


def _fame(fusion: str, known_of: Mapping[str, int]) -> int:
    return max((known_of.get(gene, 0) for gene in fusion_genes(fusion)), default=0)
