"""How much a gene, a change or an amino-acid substitution says about the label, in bits."""

import numpy as np


def mutual_information(present: np.ndarray, per_label: np.ndarray) -> np.ndarray:
    """Mutual information of each item's presence and the label, in bits, shape (items,).

    ``present``: training cases with the item by label, shape (items, labels). ``per_label``: training cases by label,
    shape (labels,). Source: Cover & Thomas (2006), eq. 2.28."""
    joint, prior = present / per_label.sum(), per_label / per_label.sum()
    share = joint.sum(axis=1)
    bits = _partial(joint, share, prior) + _partial(prior - joint, 1.0 - share, prior)
    return np.maximum(bits, 0.0)


def _partial(joint: np.ndarray, marginal: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """The terms of the mutual information for one value of presence."""
    expected = np.where(prior > 0, marginal[:, None] * prior, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(joint > 0, joint * np.log2(joint / np.where(expected > 0, expected, 1.0)), 0.0)
    return terms.sum(axis=1)


def evidence(present: np.ndarray, per_label: np.ndarray) -> np.ndarray:
    """How far seeing each item moves the label's distribution, in bits, shape (items,); arguments as above.

    The Kullback-Leibler divergence of the label's distribution given the item from its distribution without it (Cover
    & Thomas, 2006, eq. 2.26). One pseudo-case is spread over the labels, so that an item seen once is not certain."""
    prior = per_label / per_label.sum()
    some = prior > 0
    posterior = (present + prior) / (present.sum(axis=1, keepdims=True) + 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(some & (posterior > 0), posterior * np.log2(posterior / np.where(some, prior, 1.0)), 0.0)
    return terms.sum(axis=1)
