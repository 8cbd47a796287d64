"""Copy number and fusions of cases as arrays, one row per case: what views change and what features are made of."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from ..tables.columns import row_positions
from .schema import ARMS, Alterations

NO_CALL = -9
"""In an array of calls: no call, or not looked at."""

AMPLIFIED, DELETED = 2, -2


@dataclass(frozen=True)
class OfCases:
    """What is known of the copy number and fusions of n cases.

    ``arms`` (n, 39) int8: -1, 0, 1 or ``NO_CALL``, in the order of ``ARMS``. ``calls`` (n, len(genes)) int8: GISTIC's
    -2 to 2 or ``NO_CALL``. ``fusions`` (n,): ``five prime-three prime`` of each, "?" for an unknown partner; None where
    fusions were not looked for.
    """

    arms: np.ndarray
    genes: tuple[str, ...]
    calls: np.ndarray
    fusions: tuple[frozenset[str] | None, ...]

    def __len__(self) -> int:
        return len(self.arms)

    @classmethod
    def of(cls, alterations: Alterations | None, case_ids: Sequence[str]) -> "OfCases":
        """The alterations of ``case_ids``, in their order; those of other cases are ignored."""
        alterations = alterations or Alterations()
        genes = tuple(sorted(alterations.genes["gene"].unique().to_pylist()))
        found: dict[str, set[str]] = {case: set() for case in alterations.screened_for_fusions}
        for case, five, three in zip(*(column.to_pylist() for column in alterations.fusions.columns), strict=True):
            found.setdefault(case, set()).add(f"{five or '?'}-{three or '?'}")
        return cls(
            arms=_calls(alterations.arms, "arm", case_ids, ARMS),
            genes=genes,
            calls=_calls(alterations.genes, "gene", case_ids, genes),
            fusions=tuple(frozenset(found[case]) if case in found else None for case in case_ids),
        )

    @property
    def arms_known(self) -> np.ndarray:
        """Cases (bool, shape (n,)) with a call of any arm."""
        return (self.arms != NO_CALL).any(axis=1)

    @property
    def genes_known(self) -> np.ndarray:
        """Cases (bool, shape (n,)) with a call of any gene."""
        return (self.calls != NO_CALL).any(axis=1)

    @property
    def fusions_known(self) -> np.ndarray:
        """Cases (bool, shape (n,)) whose fusions were looked for."""
        return np.array([fusions is not None for fusions in self.fusions], bool)

    def take(self, rows: np.ndarray) -> "OfCases":
        """The cases of ``rows``, in this order."""
        fusions = tuple(self.fusions[row] for row in rows.tolist())
        return replace(self, arms=self.arms[rows], calls=self.calls[rows], fusions=fusions)

    def hidden(
        self, arms: np.ndarray | bool = False, genes: np.ndarray | bool = False, fusions: np.ndarray | bool = False
    ) -> "OfCases":
        """The same with the arms, genes or fusions of some cases (bool, shape (n,), or of all) not looked at."""
        n = len(self)
        masks = [np.broadcast_to(mask, n) for mask in (arms, genes, fusions)]
        return replace(
            self,
            arms=np.where(masks[0][:, None], np.int8(NO_CALL), self.arms),
            calls=np.where(masks[1][:, None], np.int8(NO_CALL), self.calls),
            fusions=tuple(None if hide else found for hide, found in zip(masks[2], self.fusions, strict=True)),
        )

    def names(self, call: int) -> list[list[str]]:
        """The genes of each case with ``call`` (``AMPLIFIED``, ``DELETED``), in alphabetical order."""
        rows, places = np.nonzero(self.calls == call)
        found: list[list[str]] = [[] for _ in range(len(self))]
        for row, place in zip(rows.tolist(), places.tolist(), strict=True):
            found[row].append(self.genes[place])
        return found


def _calls(table: pa.Table, what: str, case_ids: Sequence[str], names: Sequence[str]) -> np.ndarray:
    """The column ``call`` of a long table as int8 of shape (cases, names), ``NO_CALL`` where there is none."""
    calls = np.full((len(case_ids), len(names)), NO_CALL, np.int8)
    rows, columns = row_positions(table["case_id"], case_ids), row_positions(table[what], names)
    values = table["call"].fill_null(NO_CALL).to_numpy()
    inside = (rows >= 0) & (columns >= 0)
    calls[rows[inside], columns[inside]] = values[inside]
    return calls
