"""Numbers that depend on a seed and a name alone, so that a choice made by them never depends on other cases."""

import hashlib


def uniform(seed: int, key: str) -> float:
    """A number in [0, 1) that depends on ``seed`` and ``key`` alone and is the same on every machine."""
    digest = hashlib.blake2b(f"{seed}:{key}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
