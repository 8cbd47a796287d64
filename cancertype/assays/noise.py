"""Random numbers that depend on a case and its variants alone, so that a case's view stays when other cases come."""

import hashlib
from collections.abc import Sequence

import numpy as np

from ..cohort.hashing import mixed


def _hashed(texts: Sequence[str | None]) -> np.ndarray:
    """64 bits of each text."""
    digests = (hashlib.blake2b((text or "").encode(), digest_size=8).digest() for text in texts)
    return np.array([int.from_bytes(digest, "big") for digest in digests], np.uint64)


def _uniform(keys: np.ndarray) -> np.ndarray:
    """Numbers between 0 and 1, neither included."""
    return ((keys >> np.uint64(11)).astype(float) + 0.5) * 2.0**-53


class Noise:
    """Uniform numbers for the cases ``case_ids`` and for their variants.

    A variant is known by its case, gene and protein change; ``of_case``, ``gene`` and ``change`` give each variant's
    place in ``case_ids``, ``genes`` and ``changes``.
    """

    def __init__(
        self,
        case_ids: Sequence[str],
        of_case: np.ndarray,
        gene: tuple[np.ndarray, Sequence[str]],
        change: tuple[np.ndarray, Sequence[str | None]],
    ):
        self._cases = _hashed(case_ids)
        own = self._cases[of_case] if len(case_ids) else np.zeros(0, np.uint64)
        for codes, texts in (gene, change):
            own = mixed(own) ^ (_hashed([*texts, None])[codes])
        self._variants = own

    def of_cases(self, *key: int | str) -> np.ndarray:
        """One number per case for a purpose: the same ``key`` gives the same numbers, another key independent ones."""
        return _uniform(mixed(mixed(self._cases ^ self._key(key))))

    def of_variants(self, *key: int | str) -> np.ndarray:
        """One number per variant for a purpose."""
        return _uniform(mixed(mixed(self._variants ^ self._key(key))))

    @staticmethod
    def _key(key: tuple[int | str, ...]) -> np.uint64:
        return _hashed([":".join(map(str, key))])[0]
