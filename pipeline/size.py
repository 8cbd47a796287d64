"""How large an adapter may be to travel with the repository."""

from pathlib import Path

LARGEST = 20 << 20
"""Bytes. git keeps every version of a file in remote/ or released/ for ever, in every clone."""


def warning(adapter: Path) -> str | None:
    """What to tell who trained an adapter that does not belong in remote/; None for one that does."""
    size = sum(path.stat().st_size for path in adapter.rglob("*") if path.is_file())
    if size <= LARGEST:
        return None
    return (
        f"{adapter} takes {size / 2**20:,.0f} MiB, and git would keep that in every clone: what travels with the "
        f"repository has at most {LARGEST >> 20} MiB. Do not commit it in remote/. Push it to a remote of your own "
        "(docs/versions.md), or lower lora.r or lora.train_embeddings"
    )
