"""Mutational spectra as columns of the table of cases: shares of the 96 substitution and 83 indel classes."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..variants.spectra import CLASSES

SUBSTITUTIONS, INDELS = "SBS96", "ID83"
COLUMNS = {SUBSTITUTIONS: "sbs96", INDELS: "id83"}


def with_spectra(cases: pa.Table, spectra: pa.Table | None, hidden: np.ndarray | bool = False) -> pa.Table:
    """``cases`` (from ``count``) with the columns ``sbs96`` and ``id83``: shares (float32 lists), null where unknown.

    The spectrum of a matrix (``spectra``, the schema ``variants.spectra.SPECTRA``) comes first: it counts all of a
    tumour's variants. Without one, the 96 are those of the case's own variants with a context. ``hidden`` (bool, shape
    (cases,)): cases whose matrix is not to be used. Shares, never counts, because another caller's counts give the
    study away.
    """
    hide = np.broadcast_to(hidden, cases.num_rows)
    own = _own_substitutions(cases)
    for kind, name in COLUMNS.items():
        given = _given(cases["case_id"].to_pylist(), spectra, kind)
        usable = ~np.isnan(given[:, :1]) & ~hide[:, None]
        shares = np.where(usable, given, own if kind == SUBSTITUTIONS else np.nan)
        cases = cases.append_column(name, _lists(shares))
    return cases


def shares_of(cases: pa.Table, name: str) -> np.ndarray:
    """A column of ``COLUMNS`` as float64 of shape (cases, classes), NaN where unknown."""
    kind = next(kind for kind, column in COLUMNS.items() if column == name)
    shares = np.full((cases.num_rows, len(CLASSES[kind])), np.nan)
    known = np.flatnonzero(cases[name].is_valid().to_numpy(zero_copy_only=False))
    flat = np.array(cases[name].drop_null().combine_chunks().flatten())
    shares[known] = flat.reshape(len(known), len(CLASSES[kind]))
    return shares


def _own_substitutions(cases: pa.Table) -> np.ndarray:
    n_classes = len(CLASSES[SUBSTITUTIONS])
    shares = np.full((cases.num_rows, n_classes), np.nan)
    known = np.flatnonzero(cases["trinucleotides"].is_valid().to_numpy(zero_copy_only=False))
    counts = np.array(cases["trinucleotides"].drop_null().combine_chunks().flatten()).reshape(len(known), n_classes)
    shares[known] = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return shares


def _given(case_ids: list[str], spectra: pa.Table | None, kind: str) -> np.ndarray:
    shares = np.full((len(case_ids), len(CLASSES[kind])), np.nan)
    if spectra is None:
        return shares
    of_kind = spectra.filter(pc.and_(pc.equal(spectra["kind"], kind), pc.is_valid(spectra["shares"])))
    rows = {case: row for row, case in enumerate(case_ids)}
    flat = np.array(of_kind["shares"].combine_chunks().flatten()).reshape(of_kind.num_rows, len(CLASSES[kind]))
    for place, case in enumerate(of_kind["case_id"].to_pylist()):
        if case in rows:
            shares[rows[case]] = flat[place]
    return shares


def _lists(shares: np.ndarray) -> pa.Array:
    offsets = np.arange(0, shares.size + 1, shares.shape[1], dtype=np.int32)
    values = pa.array(shares.astype(np.float32).ravel())
    return pa.ListArray.from_arrays(pa.array(offsets), values, mask=pa.array(np.isnan(shares[:, 0])))
