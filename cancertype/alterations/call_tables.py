"""Arrays of calls as the canonical tables."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from .calls import NOT_MEASURED
from .schema import ARM_CALLS, ARMS, GENE_CALLS


def arm_table(samples: Sequence[str], calls: np.ndarray, looked_at: np.ndarray) -> pa.Table:
    """``ARM_CALLS`` from calls of ``ARMS`` (float, shape (samples, 39), NaN for no call); one row where
    ``looked_at``."""
    rows, columns = np.nonzero(looked_at)
    call = calls[rows, columns]
    known = ~np.isnan(call)
    return pa.table(
        [
            _names(samples, rows),
            _names(ARMS, columns),
            pa.array(np.where(known, call, 0).astype(np.int8), pa.int8(), mask=~known),
        ],
        schema=ARM_CALLS,
    )


def gene_table(samples: Sequence[str], genes: Sequence[str], calls: np.ndarray) -> pa.Table:
    """``GENE_CALLS`` from calls of ``genes`` (int8, shape (samples, genes)); no row for ``NOT_MEASURED``."""
    rows, columns = np.nonzero(calls != NOT_MEASURED)
    return pa.table(
        [_names(samples, rows), _names(genes, columns), pa.array(calls[rows, columns], pa.int8())], schema=GENE_CALLS
    )


def _names(values: Sequence[str], places: np.ndarray) -> pa.Array:
    return pa.array(list(values), pa.string()).take(pa.array(places))
