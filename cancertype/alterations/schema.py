"""The canonical tables of copy number and fusions."""

from dataclasses import dataclass, field

import pyarrow as pa

ARMS = tuple(
    f"{chromosome}{arm}" for chromosome in range(1, 23) for arm in ("q" if chromosome in (13, 14, 15, 21, 22) else "pq")
)
"""The 39 autosomal chromosome arms that arrays and exomes measure, in the order of the genome: the short arms of the
acrocentric chromosomes hold next to no genes (Taylor et al. 2018)."""

ARM_CALLS = pa.schema([("case_id", pa.string()), ("arm", pa.string()), ("call", pa.int8())])
"""One row per case and arm that was looked at. ``call`` is -1 (lost), 0 (neither), 1 (gained), or null: no call."""

GENE_CALLS = pa.schema([("case_id", pa.string()), ("gene", pa.string()), ("call", pa.int8())])
"""One row per case and gene that was looked at. ``call`` follows GISTIC: -2 (deleted), -1 (lost), 0, 1 (gained), 2
(amplified)."""

FUSIONS = pa.schema([("case_id", pa.string()), ("five_prime", pa.string()), ("three_prime", pa.string())])
"""One row per case and fusion that was found; one of the two genes is null where the partner is unknown."""


@dataclass(frozen=True)
class Alterations:
    """Copy number and fusions of some cases: ``arms`` (``ARM_CALLS``), ``genes`` (``GENE_CALLS``), ``fusions``
    (``FUSIONS``).

    An arm or a gene without a row was not looked at. A case without a fusion has none only if it is one of
    ``screened_for_fusions``; otherwise its fusions are unknown. ``findings`` maps a case to what a report states about
    it as a whole, such as ``{"msi": "high", "mutations_per_megabase": 45.0}``.
    """

    arms: pa.Table = field(default_factory=ARM_CALLS.empty_table)
    genes: pa.Table = field(default_factory=GENE_CALLS.empty_table)
    fusions: pa.Table = field(default_factory=FUSIONS.empty_table)
    screened_for_fusions: frozenset[str] = frozenset()
    findings: dict[str, dict[str, str | float]] = field(default_factory=dict)
