"""Spreading a run over processes of this machine, with PyTorch's own launcher."""

import os
from collections.abc import Callable
from typing import Any

from torch.distributed.elastic.multiprocessing import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError, ProcessFailure, record
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from ..errors import InputError


def shared_out(work: Callable[[Any], Any], job: Any, processes: int) -> Any:
    """``work(job)`` in that many processes, unless a launcher (``accelerate launch``, ``torchrun``) has started this
    one among others. Then it is one of them, and the launcher's number counts."""
    if processes > 1 and "WORLD_SIZE" not in os.environ:
        return spread(work, job, processes)
    return work(job)


def spread(work: Callable[[Any], Any], job: Any, processes: int) -> Any:
    """Run ``work(job)`` in ``processes`` processes that form one DDP group; returns what rank 0 returned.

    Raises ``InputError`` with the first failure's message; the other processes are then ended. SIGTERM ends all of
    them and raises ``SystemExit``.
    """
    # Each process would otherwise start as many threads as there are cores.
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // processes)))
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=processes,
        rdzv_backend="c10d",
        rdzv_endpoint="127.0.0.1:0",
        local_addr="127.0.0.1",
        max_restarts=0,
        run_id="cancertype",
    )
    try:
        return elastic_launch(config, _attempt)(work, job)[0]
    except SignalException as error:
        raise SystemExit(128 + error.sigval) from error
    except ChildFailedError as error:
        rank, failure = error.get_first_failure()
        raise InputError(f"process {rank} of {processes} failed: {_reason(failure)}") from error


def _reason(failure: ProcessFailure) -> str:
    """What the process raised, or which signal killed it."""
    recorded = failure.message
    return recorded["message"] if isinstance(recorded, dict) else recorded


@record
def _attempt(work: Callable[[Any], Any], job: Any) -> Any:
    return work(job)
