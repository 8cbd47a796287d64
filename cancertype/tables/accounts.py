"""What became of a file's rows: every reader accounts for each of them."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Dropped:
    """``n`` cases, variants or rows (``what``) of ``source`` left out for one ``reason``, with a few ``examples``."""

    source: str
    what: str
    reason: str
    n: int
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class RowAccount:
    """What became of every row of an input: each is in exactly one of the three, so that they sum to ``total``.

    ``unit``: what is counted ("row" of a table, "line" of a VCF below its header, "cell" of a wide table, "statement"
    of a text). ``used``: rows that gave a result: an alteration, or the statement that there is none. ``left_out`` and
    ``not_understood`` map a reason to its number of rows: the first are understood and not wanted (silent, germline,
    repeated), the second are not.
    """

    unit: str
    total: int
    used: int
    left_out: dict[str, int] = field(default_factory=dict)
    not_understood: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        stated = self.used + sum(self.left_out.values()) + sum(self.not_understood.values())
        if stated != self.total:
            raise AssertionError(f"{self.total} {self.unit}s were read, but {stated} are accounted for: {self}")
