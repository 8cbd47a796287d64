"""Copy number and fusions as columns of the table of cases."""

import numpy as np
import pyarrow as pa

from ..alterations.of_cases import AMPLIFIED, DELETED, NO_CALL, OfCases
from ..alterations.schema import ARMS

EVENTS = ("amplified", "deleted", "fusions")
COLUMNS = ("arms", *EVENTS)


def with_alterations(cases: pa.Table, found: OfCases) -> pa.Table:
    """``cases`` with the columns of ``found``, which has the same cases in the same order.

    ``arms``: 39 calls (int8, null for no call), null where none of them was looked at. ``amplified``, ``deleted`` and
    ``fusions``: what was found, in alphabetical order. These lists are empty both for cases without such an event and
    for cases that were not looked at: which kinds of data a tumour has depends on its study and so on its label, and a
    model that could tell would learn the study.
    """
    known = found.arms_known
    offsets = np.arange(0, found.arms.size + 1, len(ARMS), dtype=np.int32)
    flat = found.arms.ravel()
    calls = pa.array(flat, pa.int8(), mask=flat == NO_CALL)
    arms = pa.ListArray.from_arrays(pa.array(offsets), calls, mask=pa.array(~known))
    lists = (found.names(AMPLIFIED), found.names(DELETED), [sorted(fusions or ()) for fusions in found.fusions])
    for name, column in zip(COLUMNS, (arms, *(pa.array(each, pa.list_(pa.string())) for each in lists)), strict=True):
        cases = cases.append_column(name, column)
    return cases


def arm_calls(cases: pa.Table) -> np.ndarray:
    """The column ``arms`` as float64 of shape (cases, 39), NaN for no call."""
    calls = np.full((cases.num_rows, len(ARMS)), np.nan)
    column = cases["arms"].combine_chunks()
    known = np.flatnonzero(column.is_valid().to_numpy(zero_copy_only=False))
    flat = column.drop_null().flatten()
    calls[known] = flat.cast(pa.float64()).to_numpy(zero_copy_only=False).reshape(len(known), len(ARMS))
    return calls
