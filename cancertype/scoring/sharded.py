"""Scoring with a model folder, shared out among processes as training is."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from accelerate import PartialState
from accelerate.utils import gather_object

from ..language_model import loading
from ..language_model.processes import shared_out
from ..text.prompt import Rendered
from . import likelihood


@dataclass(frozen=True)
class _Job:
    folder: Path
    cases: Sequence[Rendered]
    completion: str
    orders: int
    batch_size: int


def score_orders(
    folder: Path, cases: Sequence[Rendered], completion: str, *, orders: int, batch_size: int, processes: int = 1
) -> np.ndarray:
    """What ``likelihood.score_orders`` gives for the model in ``folder``: nats, float64, (orders, n_cases, 26).

    With ``processes`` above 1 that many local processes share the cases. Under a launcher (``accelerate launch``,
    ``torchrun``) every process calls this function, the launcher's number counts, and all get all scores. Raises what
    ``likelihood.score_labels`` raises.
    """
    job = _Job(Path(folder), cases, completion, orders, batch_size)
    return shared_out(_whole, job, processes)


def _whole(job: _Job) -> np.ndarray:
    state = PartialState(cpu=loading.default_device().type == "cpu")
    share = slice(state.process_index, None, state.num_processes)
    mine = likelihood.score_orders(
        loading.load_model(job.folder),
        loading.load_tokenizer(job.folder),
        job.cases[share],
        job.completion,
        orders=job.orders,
        batch_size=job.batch_size,
        progress=state.is_main_process,
    )
    whole = np.empty((job.orders, len(job.cases), mine.shape[2]))
    for rank, part in enumerate(gather_object([mine])):
        whole[:, rank :: state.num_processes] = part
    return whole
