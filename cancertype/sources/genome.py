"""The bases around a variant: from a column of the file, or from a reference genome that the user names."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..errors import InputError

_FITTING = 0.9
"""Where fewer of the reference bases agree with the genome, it is another build: by chance a quarter agrees."""

_OTHER_NAMES = {"23": "X", "24": "Y", "M": "MT", "25": "MT"}


def middle_bases(context: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray | pa.Array:
    """The three bases in the middle of a text of bases, "" for one of even length or shorter than three.

    For the columns CONTEXT (GDC and MC3: 11 bases) and ref_context (Oncotator and Funcotator: 21 bases), and any other
    of odd length. What surrounds an insertion or deletion may have an odd length too; ``alleles.trinucleotide`` uses
    the bases only where a single base is replaced and the middle one is that base.
    """
    length = pc.utf8_length(context)
    longest = pc.max(length).as_py() or 0
    bases = pc.if_else(pc.is_valid(context), "", None)
    for n in range(3, longest + 1, 2):
        here = pc.equal(length, n)
        if pc.any(here).as_py():
            middle = pc.utf8_upper(pc.utf8_slice_codeunits(context, n // 2 - 1, n // 2 + 2))
            bases = pc.if_else(here, middle, bases)
    return pc.fill_null(bases, "")


@dataclass(frozen=True)
class Around:
    """``bases``: three bases around each variant, "" where they are not known. ``n_fitting`` of ``n_checked`` single
    reference bases agree with the genome."""

    bases: pa.Array
    n_checked: int
    n_fitting: int


class _OtherBuild(InputError):
    """The variants were called on another genome than this one."""


def around(
    genomes: Sequence[Path], chromosome: Sequence[str], position: np.ndarray, reference: Sequence[str]
) -> Around:
    """The three bases around each variant whose ``reference`` is a single base, from the first of ``genomes`` (FASTA
    files, one or more) on which the variants were called.

    ``chromosome`` may be written with or without ``chr``; ``position`` is 1-based, -1 (or NaN) for none. A ``.fai``
    index is written beside the file the first time. Bases are "" where the reference has another length, where the
    genome lacks the place, and where it holds another base there.

    Raises ``InputError`` when a file is no FASTA file, and when none fits: a genome has none of the chromosomes, or
    fewer than 90% of the reference bases agree with it, because it is another build than that of the variants.
    """
    misfits = []
    for genome in genomes:
        try:
            return _around(Path(genome), chromosome, position, reference)
        except _OtherBuild as error:
            misfits.append(str(error))
    raise InputError("; ".join(misfits))


def _around(genome: Path, chromosome: Sequence[str], position: np.ndarray, reference: Sequence[str]) -> Around:
    chromosome, reference = np.asarray(chromosome, object), np.char.upper(np.asarray(reference, str))
    place = np.nan_to_num(np.asarray(position, float), nan=-1).astype(np.int64)
    single = np.isin(reference, list("ACGT")) & (place > 0)
    found = np.full(len(reference), "", "<U3")
    sequences = _fasta(genome)
    names = {_plain(name): name for name in sequences.keys()}  # noqa: SIM118  pyfaidx iterates over the sequences
    known = np.zeros(len(reference), bool)
    for name in dict.fromkeys(chromosome[single].tolist()):
        own = names.get(_plain(name))
        if own is not None:
            here = np.flatnonzero(single & (chromosome == name))
            found[here] = _triplets(sequences[own], place[here])
            known[here] = True
    return _checked(genome, found, reference, single, known, list(names.values()))


def _plain(name: str) -> str:
    """A chromosome's name to compare by: chr7 is 7, chrM is MT, 23 is X."""
    bare = str(name).strip().removeprefix("chr").removeprefix("Chr").removeprefix("CHR").upper()
    return _OTHER_NAMES.get(bare, bare)


def _fasta(path: Path):
    try:
        from pyfaidx import Fasta
    except ImportError as error:
        raise InputError(f"reading {path} needs the package pyfaidx: pip install pyfaidx") from error
    if not path.is_file():
        raise InputError(f"{path} is not there: give the FASTA file of the reference genome")
    with path.open("rb") as file:
        start = file.read(2)
    if start == b"\x1f\x8b":
        raise InputError(f"{path} is compressed: unpack it (gunzip), because bases are looked up by their place")
    if start[:1] != b">":
        raise InputError(f"{path} is not a FASTA file (it does not begin with '>'): give the reference genome's FASTA")
    try:
        return Fasta(str(path), as_raw=True, sequence_always_upper=True, rebuild=False)
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError(
            f"{path} cannot be indexed ({error}): check the file, and that its folder is writable"
        ) from error


def _triplets(sequence, place: np.ndarray) -> np.ndarray:
    """Three bases around each place of one chromosome, "" where they would reach beyond an end."""
    whole = np.frombuffer(sequence[:].encode("ascii"), np.uint8)
    inside = (place > 1) & (place < len(whole))
    at = np.where(inside, place, 2) - 1
    if len(whole) < 3:
        return np.full(len(place), "", "<U3")
    bases = np.stack([whole[at - 1], whole[at], whole[at + 1]], axis=1).astype(np.uint8)
    return np.where(inside, np.ascontiguousarray(bases).view("S3").reshape(-1).astype("<U3"), "")


def _checked(
    path: Path, found: np.ndarray, reference: np.ndarray, single: np.ndarray, known: np.ndarray, names: list[str]
) -> Around:
    n = int(single.sum())
    if n and not known.any():
        listed = ", ".join(names[:5])
        raise _OtherBuild(f"{path} has none of the variants' chromosomes (it has {listed}, ...): give the whole genome")
    middle = np.array([bases[1:2] for bases in found.tolist()], "<U1") if len(found) else found
    fits = single & (middle == reference)
    n_checked, n_fitting = int(known.sum()), int(fits.sum())
    if n_fitting < _FITTING * n_checked:
        raise _OtherBuild(
            f"{path}: only {n_fitting} of {n_checked} reference bases ({n_fitting / n_checked:.0%}) agree with this "
            "genome: the variants were called on another build. Give the FASTA of that one (hg19/GRCh37 or hg38/GRCh38)"
        )
    return Around(pa.array(np.where(fits, found, "").tolist(), pa.string()), n_checked, n_fitting)
