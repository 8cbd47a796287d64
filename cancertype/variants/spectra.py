"""The canonical table of mutational spectra, and the classes that each kind of spectrum counts."""

import pyarrow as pa

from .schema import TRINUCLEOTIDES

SPECTRA = pa.schema(
    [
        ("case_id", pa.string()),
        ("kind", pa.string()),
        ("total", pa.float64()),
        ("shares", pa.list_(pa.float32())),
    ]
)
"""One row per case and kind of spectrum ("SBS96", "ID83" or "DBS78"). ``shares`` are in the order of ``CLASSES`` and
sum to 1; they are null, and ``total`` is 0, where no mutation was counted. ``total`` is null where the matrix itself
holds shares."""

_DOUBLETS = {
    "AC": "CA CG CT GA GG GT TA TG TT",
    "AT": "CA CC CG GA GC TA",
    "CC": "AA AG AT GA GG GT TA TG TT",
    "CG": "AT GC GT TA TC TT",
    "CT": "AA AC AG GA GC GG TA TC TG",
    "GC": "AA AG AT CA CG TA",
    "TA": "AT CG CT GC GG GT",
    "TC": "AA AG AT CA CG CT GA GG GT",
    "TG": "AA AC AT CA CC CT GA GC GT",
    "TT": "AA AC AG CA CC CG GA GC GG",
}


def _indels() -> tuple[str, ...]:
    """``length:Del or Ins:base, R(epeat) or M(icrohomology):repeats or length of the homology``."""
    single = [f"1:{event}:{base}:{n}" for event in ("Del", "Ins") for base in "CT" for n in range(6)]
    repeats = [f"{length}:{event}:R:{n}" for event in ("Del", "Ins") for length in range(2, 6) for n in range(6)]
    homology = [f"{length}:Del:M:{n}" for length in range(2, 6) for n in range(1, length if length < 5 else 6)]
    return (*single, *repeats, *homology)


CLASSES: dict[str, tuple[str, ...]] = {
    "SBS96": TRINUCLEOTIDES,
    "ID83": _indels(),
    "DBS78": tuple(f"{before}>{after}" for before, each in _DOUBLETS.items() for after in each.split()),
}
"""The classes of each kind of spectrum, under the names of SigProfilerMatrixGenerator (Bergstrom et al. 2019) and
COSMIC."""
