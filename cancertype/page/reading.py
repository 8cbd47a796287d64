"""Reading a visitor's file in a process of its own, with limits on memory and time: no file can stop the page."""

import multiprocessing
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from ..cohort.settings import Cohort
from ..errors import InputError
from ..prediction import inputs

SECONDS = 20.0
"""Time to read one file."""
MEMORY = 2 << 30
"""Bytes that reading may take beyond what the process needs for itself."""

_METHODS = multiprocessing.get_all_start_methods()
# A plain fork would copy the page's threads in whatever state they are; the fork server has none.
_processes = multiprocessing.get_context("forkserver" if "forkserver" in _METHODS else "spawn")


def start() -> None:
    """Start the process from which readers are forked, so that the first visitor does not wait for its imports."""
    if "forkserver" in _METHODS:
        from multiprocessing import forkserver

        _processes.set_forkserver_preload([__name__])
        forkserver.ensure_running()


def read(
    path: Path | None,
    limits: Cohort,
    *,
    sex: str | None = None,
    kind: str | None = None,
    assay: str | None = None,
    copy_number: Sequence[Path] = (),
    fusions: Sequence[Path] = (),
    spectra: Sequence[Path] = (),
    build: str | None = None,
) -> inputs.Input:
    """``inputs.read`` with ``inputs.with_facts``, in another process. Without a ``path``, the other files stand
    alone.

    Raises ``InputError`` as they do, and where reading takes more than ``SECONDS`` or ``MEMORY``.
    """
    options = {"assay": assay, "copy_number": copy_number, "fusions": fusions, "spectra": spectra, "build": build}
    return within_limits(_read, path, limits, sex, kind, options)


def _read(path: Path | None, limits: Cohort, sex: str | None, kind: str | None, options: dict) -> inputs.Input:
    given = [] if path is None else str(path)
    return inputs.with_facts(inputs.read(given, limits, **options), sex=sex, kind=kind)


def within_limits(work: Callable, *arguments: Any, seconds: float | None = None, memory: int | None = None) -> Any:
    """``work(*arguments)`` in another process, ended after ``seconds`` or when it asks for more than ``memory`` bytes.

    ``work`` is a function of a module. Raises ``InputError`` for a limit, and the ``InputError`` that ``work`` raised.
    """
    seconds = SECONDS if seconds is None else seconds
    receiver, sender = _processes.Pipe(duplex=False)
    process = _processes.Process(
        target=_answer, args=(sender, work, arguments, MEMORY if memory is None else memory), daemon=True
    )
    process.start()
    sender.close()
    try:
        if not receiver.poll(seconds):
            raise InputError(f"reading took more than {seconds:.0f} s: {_TOO_MUCH}")
        what, result = receiver.recv()
    except (EOFError, OSError):
        # The process died without an answer: the system or a library ended it.
        raise InputError(f"reading it failed or took too much memory: {_TOO_MUCH}") from None
    finally:
        process.kill()
        process.join()
        receiver.close()
    if what == "error":
        raise InputError(result)
    return result


_TOO_MUCH = "give fewer samples, or use `cancertype predict` on your own machine"


def _answer(sender: Connection, work: Callable, arguments: tuple, memory: int) -> None:
    _limit_memory(memory)
    try:
        answer = ("result", work(*arguments))
    except InputError as error:
        answer = ("error", str(error))
    except MemoryError:
        answer = ("error", f"reading it takes more than {memory >> 20} MB of memory: {_TOO_MUCH}")
    sender.send(answer)


def _limit_memory(more: int) -> None:
    """Allow ``more`` bytes beyond those that this process has mapped. Only Linux states how much that is."""
    try:
        import resource

        mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (mapped + more, mapped + more))
        # A core file would hold the visitor's data.
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ImportError, OSError, ValueError):
        pass
