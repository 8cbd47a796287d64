"""What became of a file's rows: every reader accounts for each of them."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

_EXAMPLES = 5


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


@dataclass
class RowTally:
    """Counts what becomes of each row while a file is read, with a few examples for each reason.

    ``total`` is the number of rows where it is counted apart; ``account`` then finds out whether any is missing."""

    used: int = 0
    total: int | None = None
    left_out: Counter[str] = field(default_factory=Counter)
    not_understood: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)

    def leave_out(self, reason: str, n: int = 1, examples: Iterable[str] = ()) -> None:
        """``n`` more rows are understood and not wanted."""
        self._count(self.left_out, reason, n, examples)

    def misunderstand(self, reason: str, n: int = 1, examples: Iterable[str] = ()) -> None:
        """``n`` more rows could not be read."""
        self._count(self.not_understood, reason, n, examples)

    def withdraw(self, reason: str, n: int, examples: Iterable[str] = ()) -> None:
        """``n`` rows that were counted as used are left out after all."""
        self.used -= n
        self.leave_out(reason, n, examples)

    def dropped(self, source: str, unit: str) -> list[Dropped]:
        """What was left out or not understood, by reason."""
        reasons = sorted((self.left_out + self.not_understood).items())
        return [Dropped(source, unit, reason, n, tuple(self.examples[reason])) for reason, n in reasons]

    def account(self, unit: str) -> RowAccount:
        """The sum of it all. Raises ``AssertionError`` unless it adds up to ``total``."""
        left_out, unclear = dict(sorted(self.left_out.items())), dict(sorted(self.not_understood.items()))
        counted = self.used + self.left_out.total() + self.not_understood.total()
        return RowAccount(unit, counted if self.total is None else self.total, self.used, left_out, unclear)

    def _count(self, counts: Counter[str], reason: str, n: int, examples: Iterable[str]) -> None:
        if n:
            counts[reason] += n
            known = self.examples.setdefault(reason, [])
            new = [example for example in dict.fromkeys(examples) if example and example not in known]
            known += new[: _EXAMPLES - len(known)]
