"""The limits that decide which copy-number values count as gained, lost, amplified or deleted."""

from collections.abc import Mapping

from pydantic import Field, ValidationError

from ..errors import InputError
from ..settings import Settings


class CopyNumberLimits(Settings):
    """Limits for calling chromosome arms and genes. Each has a default, so that single ones can be set by keyword.

    The shares of an arm follow Taylor et al. 2018 (doi:10.1016/j.ccell.2018.03.007). The defaults of ``deleted_log2``
    and ``gained_log2`` are CNVkit's.
    """

    gained_log2: float = Field(default=0.2, gt=0)
    """A segment is gained from this log2 ratio above the sample's median on."""
    lost_log2: float = Field(default=-0.2, lt=0)
    """A segment is lost from this log2 ratio below the sample's median on."""
    amplified_log2: float = Field(default=0.9, gt=0)
    deleted_log2: float = Field(default=-1.1, lt=0)
    amplified_copies: int = Field(default=4, ge=1)
    """A segment is amplified with this many copies more than the sample's rounded ploidy."""
    altered_share: float = Field(default=0.8, gt=0.5, le=1)
    """An arm is gained (or lost) where at least this share of it is."""
    unaltered_share: float = Field(default=0.2, ge=0, lt=0.5)
    """An arm is neither where at most this share of it is gained or lost. Between the two shares there is no call."""
    covered_share: float = Field(default=0.5, ge=0, le=1)
    """An arm (or a gene) counts as looked at where segments cover at least this share of it."""
    genes_per_arm: int = Field(default=2, ge=1)
    """A gene matrix calls an arm where it holds at least this many genes of it. Against Taylor's calls, arms judged by
    one gene agree in 89.0% of the cells, by two in 90.7%, by three or more in 91%."""
    purity: float = Field(default=0.2, ge=0, le=1)
    """A sample below this purity counts as not looked at."""
    flat_log2: float = Field(default=0.1, ge=0)
    flat_length: int = Field(default=10_000_000, ge=0)
    """A sample of unknown purity counts as not looked at where no stretch of this many bases departs by more than
    ``flat_log2`` from its median (or, in absolute copies, from its ploidy), and no gene is amplified or deleted."""


def limits_of(stated: "str | Mapping[str, float] | CopyNumberLimits | None") -> CopyNumberLimits:
    """The limits with those that are ``stated``: a mapping from names of fields to numbers, or the text
    ``gained_log2=0.3,lost_log2=-0.3``; the others keep their defaults.

    Raises ``InputError`` for another form, for a name that is not known or stated twice, and for a number out of
    range."""
    if stated is None or isinstance(stated, CopyNumberLimits):
        return stated or CopyNumberLimits()
    values = dict(stated) if isinstance(stated, Mapping) else _parsed(stated)
    if unknown := [name for name in values if name not in CopyNumberLimits.model_fields]:
        known = ", ".join(CopyNumberLimits.model_fields)
        raise InputError(f"copy-number limits: there is no limit {unknown[0]!r}: choose from {known}")
    try:
        return CopyNumberLimits(**values)
    except ValidationError as error:
        first = error.errors()[0]
        name = first["loc"][0]
        raise InputError(f"copy-number limits: {name} is {values[name]!r}: {first['msg']}") from error


def _parsed(text: str) -> dict[str, float]:
    values: dict[str, float] = {}
    for part in text.split(","):
        name, equals, number = (piece.strip() for piece in part.partition("="))
        if not equals:
            raise InputError(f"copy-number limits: {part!r} is not NAME=NUMBER, such as gained_log2=0.3")
        if name in values:
            raise InputError(f"copy-number limits: {name} is stated twice")
        try:
            values[name] = int(number) if number.lstrip("+-").isdecimal() else float(number)
        except ValueError:
            raise InputError(f"copy-number limits: {name} is {number!r}, which is no number") from None
    return values
