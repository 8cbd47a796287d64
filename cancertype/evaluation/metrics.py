"""Figures of merit with bootstrap intervals by patient, as plain dicts that dump to JSON.

Throughout, ``y`` is an integer vector (n,) of positions in ``LABELS`` and ``p`` a probability matrix (n, 26) in the
same order. ``weights`` (samples, n) is the number of times that each case occurs in each bootstrap sample
(``resample``). Every figure is a function of such weights, so a thousand samples cost a few matrix products.

Labels without a case in the test set (or in a bootstrap sample) are left out of every macro average. A prediction of
such a label still counts as an error for the case's own label.

SciPy's statistics and scikit-learn are imported where they are used: together they take two seconds, and a prediction
needs only ``encode``.
"""

from collections.abc import Sequence

import numpy as np

from ..errors import InputError
from ..labels import FAMILIES, FAMILY_OF, LABELS, NAMES

FIGURES = ("accuracy", "balanced_accuracy", "macro_f1", "top3", "log_loss", "brier", "ece", "aurc")
FEW = ("accuracy", "macro_f1", "top3", "log_loss", "ece")
"""The figures of ``FIGURES`` that a published model carries with it."""
TRACKED = ("accuracy", "macro_f1", "log_loss", "ece")
"""The figures of the final model in the metrics files that git tracks. All others are in the details."""
TRACKED_BESIDE = ("accuracy", "log_loss")
"""Those of the models beside it."""

LOWER_IS_BETTER = frozenset({"log_loss", "brier", "ece", "aurc"})
BURDEN_EDGES = (0, 10, 30, 100, 300, 1000)
CALIBRATION_BINS = 10

# scikit-learn's log_loss clips here too; without it one confident error makes the mean infinite.
_EPSILON = 1e-15
_LEVEL = 0.95
_LABEL_TO_FAMILY = np.array([FAMILIES.index(FAMILY_OF[label]) for label in LABELS])
_MEMBERSHIP = np.eye(len(FAMILIES))[_LABEL_TO_FAMILY]


def encode(labels: Sequence[str]) -> np.ndarray:
    """Positions in ``LABELS`` of ``labels`` (n,), as int64. Raises ``InputError`` for a label that is not one of the
    26."""
    position = {label: i for i, label in enumerate(LABELS)}
    unknown = sorted({str(label) for label in labels if label not in position})
    if unknown:
        raise InputError(f"column label: {unknown[:5]} are not among the 26 labels: use {', '.join(LABELS)}")
    return np.array([position[label] for label in labels], dtype=np.int64)


def check_probabilities(p: np.ndarray, what: str) -> None:
    """Raise ``InputError`` unless each row of ``p`` (n, k) is finite, not negative and sums to 1 within 1e-3."""
    if not np.isfinite(p).all() or (p < 0).any():
        row = int(np.flatnonzero(~(np.isfinite(p) & (p >= 0)).all(axis=1))[0])
        raise InputError(f"{what}: row {row} holds a negative or non-finite probability: score that case again")
    wrong = np.flatnonzero(np.abs(p.sum(axis=1) - 1.0) > 1e-3)
    if len(wrong):
        total = p[wrong[0]].sum()
        raise InputError(f"{what}: row {wrong[0]} sums to {total:.4f}, not 1: normalise the probabilities first")


def family_codes(y: np.ndarray) -> np.ndarray:
    """Positions in ``FAMILIES`` of the families of ``y``."""
    return _LABEL_TO_FAMILY[y]


def family_probabilities(p: np.ndarray) -> np.ndarray:
    """P(family), (n, 24): the sum over the family's leaves of ``p`` (n, 26)."""
    return p @ _MEMBERSHIP


def resample(patients: Sequence[str], samples: int, seed: int) -> np.ndarray:
    """Bootstrap weights (samples, n): patients are drawn with replacement, each with all of its cases.

    The cluster bootstrap of Davison & Hinkley (1997), section 3.8. ``patients`` holds one identifier per case.
    """
    _, group = np.unique(np.asarray(patients, dtype=str), return_inverse=True)
    n_groups = int(group.max()) + 1 if len(group) else 0
    if samples == 0 or n_groups == 0:
        return np.zeros((0, len(group)))
    counts = np.random.default_rng(seed).multinomial(n_groups, np.full(n_groups, 1.0 / n_groups), size=samples)
    return counts[:, group].astype(np.float64)


def _ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Element-wise quotient, NaN where the denominator is 0."""
    out = np.full(np.broadcast_shapes(numerator.shape, denominator.shape), np.nan)
    return np.divide(numerator, denominator, out=out, where=denominator > 0)


def _mean_over_present(values: np.ndarray, present: np.ndarray) -> np.ndarray:
    return _ratio(np.where(present, np.nan_to_num(values), 0.0).sum(axis=1), present.sum(axis=1))


def _bin_of(confidence: np.ndarray) -> np.ndarray:
    """Equal-width bins (low, high] of [0, 1], numbered from 0."""
    return np.clip(np.ceil(confidence * CALIBRATION_BINS).astype(int) - 1, 0, CALIBRATION_BINS - 1)


def _rank_of_truth(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    """0 where the true class is the most probable. Ties go to the class that comes first, as in ``argmax``."""
    order = np.argsort(-p, axis=1, kind="stable")
    return np.argmax(order == y[:, None], axis=1)


def _risk(wrong: np.ndarray, confidence: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean over coverages of the error rate among the cases at least as confident, one value per row of ``weights``."""
    order = np.argsort(-confidence, kind="stable")
    ordered = weights[:, order]
    running = _ratio((ordered * wrong[order]).cumsum(axis=1), ordered.cumsum(axis=1))
    return _ratio((np.nan_to_num(running) * ordered).sum(axis=1), ordered.sum(axis=1))


def _estimates(y: np.ndarray, p: np.ndarray, weights: np.ndarray, fewest: int = 1) -> dict[str, np.ndarray]:
    """Every figure of ``FIGURES`` for each row of ``weights`` (m, n), as vectors (m,). ``fewest`` as in ``figures``."""
    n, k = p.shape
    total = weights.sum(axis=1)
    rank = _rank_of_truth(y, p)
    predicted = p.argmax(axis=1)
    confidence = p.max(axis=1)
    right = (rank == 0).astype(float)
    truth = np.eye(k)[y]
    hits, actual = weights @ (truth * right[:, None]), weights @ truth
    called = weights @ np.eye(k)[predicted]
    present = actual > 0
    member = np.eye(CALIBRATION_BINS)[_bin_of(confidence)]
    gap = np.abs(weights @ (member * right[:, None]) - weights @ (member * confidence[:, None])).sum(axis=1)
    loss = -np.log(np.clip(p[np.arange(n), y], _EPSILON, 1.0))
    return {
        "accuracy": _ratio(weights @ right, total),
        "balanced_accuracy": _mean_over_present(_ratio(hits, actual), present),
        "macro_f1": _mean_over_present(_ratio(2 * hits, actual + called), present & (truth.sum(axis=0) >= fewest)),
        "top3": _ratio(weights @ (rank < 3), total),
        "log_loss": _ratio(weights @ loss, total),
        "brier": _ratio(weights @ ((p - truth) ** 2).sum(axis=1), total),
        "ece": _ratio(gap, total),
        "aurc": _risk(1.0 - right, confidence, weights),
    }


def _number(value: float) -> float | None:
    return None if not np.isfinite(value) else round(float(value), 6)


def interval(value: float, samples: np.ndarray) -> dict[str, float | None]:
    """``{"value", "low", "high"}``: the estimate and its 95 % bootstrap percentile interval (null without samples)."""
    samples = samples[np.isfinite(samples)]
    tail = (1 - _LEVEL) / 2
    low, high = np.quantile(samples, [tail, 1 - tail]) if len(samples) else (np.nan, np.nan)
    return {"value": _number(value), "low": _number(low), "high": _number(high)}


def figures(y: np.ndarray, p: np.ndarray, weights: np.ndarray, fewest: int = 1) -> dict[str, dict[str, float | None]]:
    """Each of ``FIGURES`` as ``{"value", "low", "high"}``; all null for no cases. ``fewest``: how many cases a label
    needs to count in macro-F1.

    log_loss in nats; brier is Brier's (1950) sum over the labels, 0 to 2; ece is the expected calibration error of the
    top probability over ``CALIBRATION_BINS`` equal-width bins (Guo et al. 2017); aurc is the area under the
    risk-coverage curve (Geifman et al. 2019). Any number of classes works, so the family view uses it too.
    """
    point = _estimates(y, p, np.ones((1, len(y))), fewest)
    drawn = _estimates(y, p, weights, fewest)
    return {name: interval(point[name][0], drawn[name]) for name in FIGURES}


def merged_figures(y: np.ndarray, p: np.ndarray, weights: np.ndarray) -> dict[str, dict]:
    """``figures`` over the 24 families, probabilities summed over each family's leaves."""
    return figures(family_codes(y), family_probabilities(p), weights)


def hierarchical(y: np.ndarray, p: np.ndarray, weights: np.ndarray) -> dict:
    """The family first, then the leaf inside it.

    ``family_accuracy``: the family of greatest summed probability is right. ``family_then_leaf_accuracy``: its most
    probable leaf is right too. ``families``: for each family of several leaves, the accuracy of the leaf given the
    right family (``leaf_accuracy``), which confusion with other families cannot lower.
    """
    family = family_codes(y)
    chosen = family_probabilities(p).argmax(axis=1)
    inside = np.where(_LABEL_TO_FAMILY[None, :] == family[:, None], p, -1.0).argmax(axis=1)
    family_right = (chosen == family).astype(float)
    both = family_right * (inside == y)
    split = {}
    for i, name in enumerate(FAMILIES):
        if list(FAMILY_OF.values()).count(name) > 1:
            rows = family == i
            leaf = share((inside == y)[rows], weights[:, rows])
            split[name] = {"leaves": [label for label in LABELS if FAMILY_OF[label] == name], "n": int(rows.sum())}
            split[name]["leaf_accuracy"] = leaf
    return {
        "family_accuracy": share(family_right, weights),
        "family_then_leaf_accuracy": share(both, weights),
        "families": split,
    }


def mean(values: np.ndarray, weights: np.ndarray) -> dict[str, float | None]:
    """The mean of ``values`` (n,) with its interval; null for no values."""
    if not len(values):
        return interval(np.nan, np.empty(0))
    return interval(values.mean(), _ratio(weights @ values, weights.sum(axis=1)))


def share(flags: np.ndarray, weights: np.ndarray) -> dict[str, float | None]:
    """The share of true ``flags`` (n,) with its interval; null for no flags.

    Where all flags agree, every bootstrap sample agrees and its interval would have no width, so Wilson's is used.
    """
    from scipy.stats import binomtest

    flags = np.asarray(flags, dtype=float)
    if len(flags) and len(weights) and flags.min() == flags.max():
        low, high = binomtest(int(flags.sum()), len(flags)).proportion_ci(_LEVEL, "wilson")
        return {"value": _number(flags[0]), "low": _number(low), "high": _number(high)}
    return mean(flags, weights)


def reliability(y: np.ndarray, p: np.ndarray) -> list[dict]:
    """The bins of the calibration error: low, high, n, confidence (mean top probability), accuracy; null when empty."""
    confidence, right = p.max(axis=1), p.argmax(axis=1) == y
    which = _bin_of(confidence)
    n = np.bincount(which, minlength=CALIBRATION_BINS)
    mean_confidence = _ratio(np.bincount(which, confidence, CALIBRATION_BINS), n)
    accuracy = _ratio(np.bincount(which, right, CALIBRATION_BINS), n)
    return [
        {
            "low": i / CALIBRATION_BINS,
            "high": (i + 1) / CALIBRATION_BINS,
            "n": int(n[i]),
            "confidence": _number(mean_confidence[i]),
            "accuracy": _number(accuracy[i]),
        }
        for i in range(CALIBRATION_BINS)
    ]


def per_label(y: np.ndarray, p: np.ndarray) -> list[dict]:
    """One row per label, in ``LABELS`` order: label, name, n, predicted, precision, recall (with Wilson's 95%
    interval), f1.

    Precision is null for a label never predicted, recall and F1 for one without a case.
    """
    from scipy.stats import binomtest
    from sklearn.metrics import precision_recall_fscore_support

    predicted = p.argmax(axis=1)
    codes = np.arange(len(LABELS))
    precision, recall, f1, n = precision_recall_fscore_support(y, predicted, labels=codes, zero_division=np.nan)
    rows = []
    for i, label in enumerate(LABELS):
        hits = int(((y == i) & (predicted == i)).sum())
        # With zero_division=nan, a label that is always missed or never predicted gets an F1 of NaN instead of 0.
        score = (0.0 if np.isnan(f1[i]) or hits == 0 else f1[i]) if n[i] else np.nan
        low, high = binomtest(hits, int(n[i])).proportion_ci(_LEVEL, "wilson") if n[i] else (np.nan, np.nan)
        row = {"label": label, "name": NAMES[label], "n": int(n[i]), "predicted": int((predicted == i).sum())}
        row |= {"precision": _number(precision[i]), "recall": _number(recall[i] if n[i] else np.nan)}
        rows.append(row | {"recall_low": _number(low), "recall_high": _number(high), "f1": _number(score)})
    return rows


def of_labels(y: np.ndarray, p: np.ndarray) -> dict[str, dict]:
    """Label to the n, recall and precision of ``per_label``; a label without a case is left out."""
    return {
        row["label"]: {name: row[name] for name in ("n", "recall", "precision")} for row in per_label(y, p) if row["n"]
    }


def by_group(y: np.ndarray, p: np.ndarray, groups: Sequence[str], weights: np.ndarray) -> dict[str, dict]:
    """``{"n": ..., **figures}`` of the cases in each group, in order of the group's name."""
    groups = np.asarray(groups, dtype=str)
    out = {}
    for name in np.unique(groups):
        rows = groups == name
        out[str(name)] = {"n": int(rows.sum())} | figures(y[rows], p[rows], weights[:, rows])
    return out


def by_burden(y: np.ndarray, p: np.ndarray, n_mutations: Sequence[int], weights: np.ndarray) -> list[dict]:
    """Accuracy, macro-F1 and top-3 by number of mutations: rows low, high (exclusive, null = no end), n, figures."""
    n_mutations = np.asarray(n_mutations)
    rows = []
    for low, high in zip(BURDEN_EDGES, (*BURDEN_EDGES[1:], None), strict=True):
        inside = (n_mutations >= low) & (n_mutations < (np.inf if high is None else high))
        measured = figures(y[inside], p[inside], weights[:, inside]) if inside.any() else {}
        kept = {name: measured[name] for name in ("accuracy", "macro_f1", "top3") if name in measured}
        rows.append({"low": low, "high": high, "n": int(inside.sum())} | kept)
    return rows


def confusion_pairs(y: np.ndarray, p: np.ndarray, most: int = 15) -> list[dict]:
    """The commonest errors: actual, predicted, n, share (of the actual label's cases), most frequent first."""
    from sklearn.metrics import confusion_matrix

    counts = confusion_matrix(y, p.argmax(axis=1), labels=np.arange(len(LABELS)))
    totals = counts.sum(axis=1)
    np.fill_diagonal(counts, 0)
    pairs = sorted(np.argwhere(counts).tolist(), key=lambda pair: (-counts[tuple(pair)], pair))
    return [
        {
            "actual": LABELS[i],
            "predicted": LABELS[j],
            "n": int(counts[i, j]),
            "share": _number(counts[i, j] / totals[i]),
        }
        for i, j in pairs[:most]
    ]


def mcnemar(first: np.ndarray, second: np.ndarray) -> dict:
    """McNemar's exact test on two vectors of right (true) and wrong: is one of two models right more often?

    The discordant cases are binomial with 1/2 under the null (McNemar 1947). Returns only_first, only_second, p_value.
    """
    from scipy.stats import binomtest

    first, second = np.asarray(first, dtype=bool), np.asarray(second, dtype=bool)
    only_first, only_second = int((first & ~second).sum()), int((~first & second).sum())
    discordant = only_first + only_second
    p_value = binomtest(only_first, discordant).pvalue if discordant else 1.0
    return {"only_first": only_first, "only_second": only_second, "p_value": float(f"{p_value:.3g}")}


def paired(y: np.ndarray, p: np.ndarray, other: np.ndarray, weights: np.ndarray) -> dict:
    """How ``p`` differs from ``other`` (both (n, 26)) on the same cases.

    Each of ``FIGURES`` as the difference p - other with the interval over the same bootstrap samples, McNemar's test,
    and a ``verdict`` on accuracy: "better" or "worse" when the interval excludes 0, "undecided" when it includes 0 or
    there is no interval.
    """
    ones = np.ones((1, len(y)))
    point, point_other = _estimates(y, p, ones), _estimates(y, other, ones)
    drawn, drawn_other = _estimates(y, p, weights), _estimates(y, other, weights)
    out = {name: interval(point[name][0] - point_other[name][0], drawn[name] - drawn_other[name]) for name in FIGURES}
    out["mcnemar"] = mcnemar(p.argmax(axis=1) == y, other.argmax(axis=1) == y)
    low, high = out["accuracy"]["low"], out["accuracy"]["high"]
    out["verdict"] = "better" if (low or 0) > 0 else "worse" if (high or 0) < 0 else "undecided"
    return out


def at_thresholds(y: np.ndarray, p: np.ndarray, weights: np.ndarray, thresholds: Sequence[float]) -> list[dict]:
    """The share of cases whose top probability reaches each threshold, and how many of them are right.

    Rows: threshold, n (answered), coverage and accuracy with intervals. Accuracy is null where no case is answered.
    """
    confidence, right = p.max(axis=1), p.argmax(axis=1) == y
    rows = []
    for threshold in thresholds:
        answered = confidence >= threshold
        row = {"threshold": threshold, "n": int(answered.sum()), "coverage": share(answered, weights)}
        rows.append(row | {"accuracy": share(right[answered], weights[:, answered])})
    return rows


def risk_coverage(y: np.ndarray, p: np.ndarray, points: int = 200) -> list[dict]:
    """The error rate (risk) among the most confident share (coverage) of cases, at most ``points`` rows."""
    order = np.argsort(-p.max(axis=1), kind="stable")
    wrong = (p.argmax(axis=1) != y)[order]
    n = len(y)
    kept = np.unique(np.linspace(1, n, min(n, points)).round().astype(int)) if n else np.empty(0, dtype=int)
    risk = wrong.cumsum()
    return [{"coverage": _number(k / n), "risk": _number(risk[k - 1] / k)} for k in kept]


def prediction_sets(y: np.ndarray, sets: np.ndarray, weights: np.ndarray) -> dict:
    """How often ``sets`` (bool (n, 26)) hold the true label, overall and per label, and how large they are."""
    covered, size = sets[np.arange(len(y)), y], sets.sum(axis=1)
    per = [
        {
            "label": label,
            "n": int((y == i).sum()),
            "coverage": _number(covered[y == i].mean()),
            "mean_size": _number(size[y == i].mean()),
        }
        for i, label in enumerate(LABELS)
        if (y == i).any()
    ]
    return {
        "coverage": share(covered, weights),
        "mean_size": mean(size, weights),
        "median_size": _number(np.median(size)),
        "single": share(size == 1, weights),
        "per_label": per,
    }


def auroc(inside: np.ndarray, outside: np.ndarray, w_inside: np.ndarray, w_outside: np.ndarray) -> dict:
    """AUROC of a score that should be higher outside than inside, ``{"value", "low", "high"}``; ties count one half.

    ``inside`` (n,), ``outside`` (m,); their weights (samples, n) and (samples, m) are drawn independently.
    """
    if not len(inside) or not len(outside):
        return interval(np.nan, np.empty(0))
    wins = (outside[None, :] > inside[:, None]) + 0.5 * (outside[None, :] == inside[:, None])
    total = w_inside.sum(axis=1) * w_outside.sum(axis=1)
    return interval(wins.mean(), _ratio(((w_inside @ wins) * w_outside).sum(axis=1), total))


def view(y: np.ndarray, p: np.ndarray, weights: np.ndarray) -> dict:
    """One model's figures in the three views: strict, merged, hierarchical."""
    return {
        "strict": figures(y, p, weights),
        "merged": merged_figures(y, p, weights),
        "hierarchical": hierarchical(y, p, weights),
    }


def headline(measured: dict) -> dict[str, float | None]:
    """The few figures of a ``view`` that a published model carries with it."""
    return few(measured) | {
        "merged_accuracy": measured["merged"]["accuracy"]["value"],
        "merged_macro_f1": measured["merged"]["macro_f1"]["value"],
    }


def few(measured: dict, prefix: str = "", names: Sequence[str] = FEW) -> dict[str, float | None]:
    """The figures ``names`` of a ``view`` under short flat keys, so that a diff of two runs stays readable."""
    return {prefix + name: measured["strict"][name]["value"] for name in names}
