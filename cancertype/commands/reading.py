"""From what stands on the command line to tables: files, standard input, pipes and typed text."""

import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError
from ..prediction import paths

if TYPE_CHECKING:
    import numpy as np

    from ..cohort.settings import Cohort
    from ..prediction.inputs import Input
    from ..variants.cases import SourceTables


@dataclass(frozen=True)
class Wishes:
    """What the options say about the input. ``reading`` holds those that ``inputs.read`` takes, where given: ``assay``,
    ``copy_number``, ``fusions`` and ``spectra`` (lists of paths), ``build``, ``purity``, ``copy_number_limits``,
    ``tumor``, ``normal``, ``genome``, ``gff``, and ``rename``, a mapping from a sample's name in the file to its new
    name."""

    prior: Path | None = None
    sex: str | None = None
    rule_out: bool = False
    kind: str | None = None
    histology: str | None = None
    site: str | None = None
    reading: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Given:
    """The input of one call as a ``whole``, and the prior's label ``frequencies`` (26,), if there is one."""

    whole: "Input"
    frequencies: "np.ndarray | None"

    @property
    def tables(self) -> "SourceTables":
        """Everything that was read."""
        return self.whole.tables

    @property
    def inputs(self) -> "list[Input]":
        """The files of mutations one by one."""
        return list(self.whole.parts) or [self.whole]


_BESIDE = ("copy_number", "fusions", "spectra")


@contextmanager
def read(given: Sequence[str], wishes: Wishes, limits: "Cohort | None") -> Iterator[Given]:
    """Read everything that was ``given``; copies of pipes stay until the context ends. Raises ``InputError`` for any
    mistake, before weights are loaded. What ``check`` refuses has been refused before."""
    # Imports pyarrow and every reader: a mistyped path is reported before that.
    from ..prediction import histology, inputs, priors

    if wishes.histology is not None:
        histology.weights(wishes.histology)
    frequencies = priors.read_prior(wishes.prior) if wishes.prior else None
    with ExitStack() as copies:

        def as_files(names: Sequence[str | Path]) -> list[str]:
            return [copies.enter_context(_as_file(str(name))) for name in names]

        options = dict(wishes.reading)
        for name in _BESIDE:
            if name in options:
                options[name] = as_files(options[name])
        whole = inputs.read(as_files(given), limits, **options)
        yield Given(inputs.with_facts(whole, kind=wishes.kind, sex=wishes.sex), frequencies)


def check(given: Sequence[str], wishes: Wishes) -> None:
    """Raise ``InputError`` for what is wrong with options and paths before anything of them is read."""
    if wishes.rule_out and wishes.sex is None:
        raise InputError("--rule-out-by-sex needs --sex female or --sex male")
    if given.count("-") > 1:
        raise InputError("standard input (-) can be read once only")
    for name in given:
        if name == "-":
            continue
        if len(given) > 1 and not paths.exists(Path(name)):
            raise InputError(
                f"{name} is no file. Where several are given, each must be one: check the path, or put a text of "
                "mutations into quotes"
            )
        paths.check(name)
    beside = [path for name in _BESIDE for path in wishes.reading.get(name, ())]
    for path in (wishes.prior, *beside, wishes.reading.get("genome"), wishes.reading.get("gff")):
        if path is not None and not paths.exists(Path(path)):
            raise InputError(f"{path} is not there: check the path")


def renames(asked: Sequence[str]) -> dict[str, str]:
    """Old name to new name, from the ``NEW=OLD`` of ``--sample``. Raises ``InputError`` for any other form."""
    new_names: dict[str, str] = {}
    for text in asked:
        new, equals, old = text.partition("=")
        if not (new and equals and old):
            raise InputError(f"--sample {text}: write NEW=OLD, the new name and the sample's name in the file")
        if old in new_names:
            raise InputError(f"--sample {text}: {old} is renamed twice: give it one new name")
        new_names[old] = new
    if len(set(new_names.values())) < len(new_names):
        raise InputError("--sample gives two samples the same new name: choose another for one of them")
    return new_names


@contextmanager
def _as_file(given: str) -> Iterator[str]:
    """A path that can be read several times. Standard input (``-``) and pipes, such as ``<(zcat x)``, are copied first,
    because a file's form is recognised from its first lines."""
    mode = Path(given).stat().st_mode if given != "-" and paths.exists(Path(given)) else 0
    if stat.S_ISCHR(mode) and not Path(given).samefile("/dev/null"):
        raise InputError(f"{given} is a device: give a file, a text, or - for standard input")
    if given != "-" and not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
        yield given
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ("stdin" if given == "-" else "pipe")
        with path.open("wb") as file:
            if given == "-":
                shutil.copyfileobj(sys.stdin.buffer, file)
            else:
                with Path(given).open("rb") as pipe:
                    shutil.copyfileobj(pipe, file)
        try:
            yield str(path)
        except InputError as error:
            raise InputError(str(error).replace(str(path), path.name)) from error
