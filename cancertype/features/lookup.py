"""Positions of values in a list of names, computed once per unique value so that millions of rows stay cheap."""

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..tables.columns import indices, single


def positions(values: pa.Array | pa.ChunkedArray | Sequence[str], names: Sequence[str]) -> np.ndarray:
    """The index in ``names`` of each of ``values``, -1 where it is not there: integers, shape (values,)."""
    values = values if isinstance(values, (pa.Array, pa.ChunkedArray)) else pa.array(values, pa.string())
    return pc.index_in(values, value_set=pa.array(names, pa.string())).fill_null(-1).to_numpy(zero_copy_only=False)


def row_positions(
    column: pa.ChunkedArray, names: Sequence[str], translate: Callable[[pa.Array], pa.Array] | None = None
) -> np.ndarray:
    """``positions`` of each row of a text column, shape (rows,), after ``translate`` of the unique values."""
    whole = single(column)
    values = translate(whole.dictionary) if translate else whole.dictionary
    return np.append(positions(values, names), np.int32(-1))[indices(whole)]


def case_rows(cases: pa.Table, variants: pa.Table) -> np.ndarray:
    """The row in ``cases`` of each variant's case, -1 where the case is not there: shape (variants,)."""
    return row_positions(variants["case_id"], cases["case_id"].to_pylist())


def mutation_names(variants: pa.Table) -> pa.ChunkedArray:
    """``TP53 R175H`` for each variant: gene and protein change."""
    return pc.binary_join_element_wise(*(pc.cast(variants[c], pa.string()) for c in ("gene", "protein_change")), " ")
