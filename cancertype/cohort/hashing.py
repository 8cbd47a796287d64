"""Numbers that depend on a seed and a name alone, so that a choice made by them never depends on other cases."""

import hashlib

import numpy as np


def uniform(seed: int, key: str) -> float:
    """A number in [0, 1) that depends on ``seed`` and ``key`` alone and is the same on every machine."""
    digest = hashlib.blake2b(f"{seed}:{key}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def mixed(keys: np.ndarray) -> np.ndarray:
    """The finaliser of SplitMix64 (Steele, Lea & Flood, 2014) of 64-bit ``keys``: one to one, and sums of it collide by
    chance only."""
    keys = keys + np.uint64(0x9E3779B97F4A7C15)
    keys = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    keys = (keys ^ (keys >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return keys ^ (keys >> np.uint64(31))
