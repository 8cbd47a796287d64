"""Everything that models see of a case beside its single mutations, as one table."""

import numpy as np
import pyarrow as pa

from ..alterations.of_cases import OfCases
from ..variants.cases import counts_are_known
from .alteration_columns import with_alterations
from .counts import count
from .spectrum_columns import with_spectra


def described(
    cases: pa.Table,
    variants: pa.Table,
    alterations: OfCases | None = None,
    spectra: pa.Table | None = None,
    counts_known: np.ndarray | None = None,
    no_spectra: np.ndarray | bool = False,
) -> pa.Table:
    """``cases`` with the columns of ``count``, ``counts_known``, and those of copy number, fusions and spectra.

    ``counts_known`` (bool, shape (cases,)): whether the numbers of a case's mutations mean anything; by default they do
    unless its assay is a list or its mutations were not looked at. ``alterations`` holds the cases in the same order;
    None stands for nothing known. ``no_spectra`` (bool, shape (cases,)): cases whose row in ``spectra`` is not used.
    """
    known = counts_known if counts_known is not None else counts_are_known(cases["panel"].to_pylist())
    table = count(cases, variants).append_column("counts_known", pa.array(known))
    of_cases = alterations if alterations is not None else OfCases.of(None, cases["case_id"].to_pylist())
    return with_spectra(with_alterations(table, of_cases), spectra, no_spectra)
