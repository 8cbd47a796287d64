"""The case and the name of each variant."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..tables.columns import row_positions


def case_rows(cases: pa.Table, variants: pa.Table) -> np.ndarray:
    """The row in ``cases`` of each variant's case, -1 where the case is not there: shape (variants,)."""
    return row_positions(variants["case_id"], cases["case_id"].to_pylist())


def mutation_names(variants: pa.Table) -> pa.ChunkedArray:
    """``TP53 R175H`` for each variant: gene and protein change."""
    return pc.binary_join_element_wise(*(pc.cast(variants[c], pa.string()) for c in ("gene", "protein_change")), " ")
