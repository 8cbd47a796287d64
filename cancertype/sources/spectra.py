"""Mutational spectra: counts of the 96 substitution, 83 indel and 78 doublet classes, one column per sample."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from ..errors import InputError
from ..tables.delimited import TEXT, DelimitedFile
from ..variants.cases import Dropped
from ..variants.spectra import CLASSES, SPECTRA
from .folder_files import is_spectrum

_KIND_OF = {name: kind for kind, names in CLASSES.items() for name in names}
_EXAMPLES = 5
_FROM_NORMAL_TISSUE = "10"


@dataclass(frozen=True)
class Spectra:
    """``table`` (schema ``SPECTRA``, sorted by kind and case), and what was left out."""

    table: pa.Table
    dropped: list[Dropped] = field(default_factory=list)

    def cases(self) -> set[str]:
        """The cases with a spectrum of any kind."""
        return set(self.table["case_id"].to_pylist())

    def matrix(self, kind: str, case_ids: Sequence[str]) -> np.ndarray:
        """Shares of ``case_ids``, float32 of shape (cases, classes of ``kind``), NaN where a case has none."""
        rows = {row["case_id"]: row["shares"] for row in self.table.to_pylist() if row["kind"] == kind}
        nothing = [np.nan] * len(CLASSES[kind])
        shares = [rows.get(case) or nothing for case in case_ids]
        return np.array(shares, np.float32).reshape(len(case_ids), len(CLASSES[kind]))


def files(folder: Path) -> list[Path]:
    """The matrices in ``folder``: files whose names hold SBS96, ID83 or DBS78 and end in .all, .csv, .tsv or .txt (or
    these with .gz)."""
    return [path for path in sorted(Path(folder).iterdir()) if path.is_file() and is_spectrum(path.name)]


def read(paths: Sequence[Path], case_of: Callable[[str], str] | None = None, source: str = "spectra") -> Spectra:
    """Read matrices of counts: SigProfilerMatrixGenerator's ``*.SBS96.all``, ``*.ID83.all`` and ``*.DBS78.all``, or the
    same as CSV, packed with gzip or not.

    The first column (MutationType) names the classes, or the first two do as in COSMIC's CSV files (Type and SubType,
    Ref and Var); every other column is a sample. Rows and columns may be exchanged, and the first column may be
    unnamed, as R writes row names. The kind is recognised by the classes. ``case_of`` gives the case of a sample; by
    default a TCGA barcode gives its patient (the first 12 characters) and any other name itself. Of several samples of
    a case the first primary tumour is kept, and normal tissue never.

    Raises ``InputError`` with file, line and column for a matrix that lacks classes, holds others or holds anything but
    counts, and for a sample that is there twice.
    """
    parts: list[tuple[str, str, float | None, list[float] | None]] = []
    dropped: list[Dropped] = []
    seen: dict[str, Path] = {}
    for path in map(Path, paths):
        kind, samples, counts = _matrix(path)
        if kind in seen:
            raise InputError(f"{path} and {seen[kind]} both hold {kind}: keep one")
        seen[kind] = path
        kept, left_out = _one_per_case(samples, case_of or _patient, f"{source} {kind}")
        dropped += left_out
        parts += [(case, kind, *_shares(counts[:, place])) for case, place in kept.items()]
    rows = [dict(zip(SPECTRA.names, part, strict=True)) for part in sorted(parts, key=lambda part: (part[1], part[0]))]
    return Spectra(pa.Table.from_pylist(rows, schema=SPECTRA), dropped)


def _patient(sample: str) -> str:
    return sample[:12] if sample.startswith("TCGA-") else sample


def _shares(counts: np.ndarray) -> tuple[float | None, list[float] | None]:
    total = float(counts.sum())
    if total == 0:
        return 0.0, None
    are_shares = abs(total - 1.0) < 1e-3 and not np.equal(counts, np.round(counts)).all()
    return (None if are_shares else total), (counts / total).tolist()


def _one_per_case(
    samples: Sequence[str], case_of: Callable[[str], str], source: str
) -> tuple[dict[str, int], list[Dropped]]:
    """Case to the column of the sample that is kept."""
    of_case: dict[str, list[str]] = defaultdict(list)
    normal = [name for name in samples if name.startswith("TCGA-") and name[13:15] >= _FROM_NORMAL_TISSUE]
    for name in samples:
        if name not in set(normal):
            of_case[case_of(name)].append(name)
    place = {name: i for i, name in enumerate(samples)}
    # TCGA barcodes differ first in the sample type, of which 01 is the primary tumour.
    kept = {case: place[min(names)] for case, names in of_case.items()}
    others = [name for names in of_case.values() for name in sorted(names)[1:]]
    reasons = {"normal tissue": normal, "another sample of the case is kept": others}
    return kept, [
        Dropped(source, "spectrum", reason, len(names), tuple(names[:_EXAMPLES]))
        for reason, names in reasons.items()
        if names
    ]


# --- One matrix ---


def _matrix(path: Path) -> tuple[str, list[str], np.ndarray]:
    """Kind, samples, and counts of shape (classes, samples) in the order of ``CLASSES``."""
    file = _opened(path)
    in_columns = [name for name in map(_class, file.names[1:]) if name]
    classes, samples, counts = _exchanged(file) if 2 * len(in_columns) > len(file.names) else _as_is(file)
    kind = _kind(path, classes)
    if (counts < 0).any():
        where = samples[int(np.argwhere(counts < 0)[0][1])]
        raise InputError(f"{path}: column {where} holds a negative count: these must be counts of mutations")
    order = [classes.index(name) for name in CLASSES[kind]]
    return kind, samples, counts[order]


def _opened(path: Path) -> DelimitedFile:
    """The file, with a name for the column of row names where R left it out, and with blanks between columns as
    tabs."""
    file = DelimitedFile.open(path)
    lines = [line for _, line in file.lines() if line.strip() and not line.startswith("#")]
    if len(lines) < 2:
        return file
    delimiter = next((sign for sign in "\t,;" if sign in lines[1]), None)
    top, first = _split(lines[0], delimiter), _split(lines[1], delimiter)
    if len(first) == len(top) + 1:
        top = ["MutationType", *top]
    elif delimiter:
        return file
    rows = (_split(line, delimiter) for line in lines[1:])
    return DelimitedFile(path, "\n".join("\t".join(row) for row in (top, *rows)).encode())


def _split(line: str, delimiter: str | None) -> list[str]:
    return [part.strip(' "') for part in line.split(delimiter)]


def _as_is(file: DelimitedFile) -> tuple[list[str], list[str], np.ndarray]:
    """A matrix with one row per class."""
    path, top = file.path, file.header
    n_names = 2 if len(top.names) > 2 and _class_column(top.names[1]) else 1
    heads, samples = top.names[:n_names], list(top.names[n_names:])
    if not samples:
        raise InputError(f"{path}: line {top.line}: no column of a sample after {', '.join(heads)}: add one")
    table = file.read(dict.fromkeys(heads, TEXT) | dict.fromkeys(samples, pa.float64()))
    spelt = [" ".join(parts) for parts in zip(*(table[head].to_pylist() for head in heads), strict=True)]
    names = [_class(text) for text in spelt]
    if unknown := [text for text, name in zip(spelt, names, strict=True) if not name]:
        line = top.line + 1 + spelt.index(unknown[0])
        others = f"{len(unknown)} of {len(spelt)} rows are none"
        raise InputError(
            f"{path}: line {line}: {unknown[0]!r} is not a class of SBS96, ID83 or DBS78 ({others}): give the matrix "
            "of one of these three"
        )
    return names, samples, _numbers(path, table, samples)


def _exchanged(file: DelimitedFile) -> tuple[list[str], list[str], np.ndarray]:
    """A matrix with one row per sample."""
    path, top = file.path, file.header
    named = [(name, _class(name)) for name in top.names[1:]]
    columns = [name for name, found in named if found]
    table = file.read({top.names[0]: TEXT} | dict.fromkeys(columns, pa.float64()))
    samples = [text.strip() for text in table[top.names[0]].to_pylist()]
    if twice := [name for name, n in Counter(samples).items() if n > 1]:
        raise InputError(f"{path}: column {top.names[0]} holds {twice[0]!r} twice: remove one of the rows")
    return [found for _, found in named if found], samples, _numbers(path, table, columns).T


def _numbers(path: Path, table: pa.Table, columns: Sequence[str]) -> np.ndarray:
    for name in columns:
        if table[name].null_count:
            row = table[name].is_null().to_pylist().index(True) + 1
            raise InputError(f"{path}: row {row} below the column names: column {name} is empty: write 0 for none")
    return np.stack([table[name].to_numpy() for name in columns], axis=1)


def _kind(path: Path, classes: Sequence[str]) -> str:
    twice = [name for name, n in Counter(classes).items() if n > 1]
    if twice:
        raise InputError(f"{path}: the class {twice[0]} is there twice: keep one")
    kinds = Counter(_KIND_OF[name] for name in classes)
    kind = kinds.most_common(1)[0][0] if kinds else "SBS96"
    if len(kinds) > 1:
        raise InputError(f"{path} mixes classes of {' and '.join(sorted(kinds))}: give one matrix per file")
    missing = [name for name in CLASSES[kind] if name not in set(classes)]
    if missing:
        raise InputError(
            f"{path}: {len(missing)} of the {len(CLASSES[kind])} classes of {kind} are missing, the first being "
            f"{missing[0]}: give the whole matrix"
        )
    return kind


# --- Names of classes ---

_SBS = re.compile(r"([ACGT])\[([CT]>[ACGT])\]([ACGT])")
_SBS_IN_TWO = re.compile(r"([CT]>[ACGT]) ([ACGT])[CT]([ACGT])")
_DBS_IN_TWO = re.compile(r"([ACGT]{2}) ([ACGT]{2})")
_PCAWG_INDEL = re.compile(r"(DEL|INS)_(C|T|repeats|MH)_(\d)\+?_(\d)\+?")


def _class_column(name: str) -> bool:
    """Whether a second column names classes too (Type and SubType, Mutation type and Trinucleotide, Ref and Var)."""
    return name.strip().lower() in ("subtype", "trinucleotide", "var", "context")


def _class(text: str) -> str | None:
    """The class that ``text`` stands for in any of the usual spellings, else None."""
    text = text.strip()
    if text in _KIND_OF:
        return text
    if match := _SBS_IN_TWO.fullmatch(text):
        text = f"{match[2]}[{match[1]}]{match[3]}"
    elif match := _DBS_IN_TWO.fullmatch(text):
        text = f"{match[1]}>{match[2]}"
    elif match := _PCAWG_INDEL.fullmatch(text):
        text = f"{match[3]}:{match[1].title()}:{_PCAWG.get(match[2], match[2])}:{match[4]}"
    return text if text in _KIND_OF else None


_PCAWG = {"repeats": "R", "MH": "M"}
