"""Live logging while training runs, through transformers' own callbacks."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from transformers import TrainerCallback
from transformers.integrations import DVCLiveCallback, TensorBoardCallback, WandbCallback

from ..errors import InputError


def live_loggers(names: Sequence[str], folder: Path, *, resumes: bool) -> list[TrainerCallback]:
    """A callback for each of ``names`` (``train.log_to``).

    ``dvclive`` and ``tensorboard`` write to a sub-folder of that name in ``folder``. ``wandb`` sends to the project in
    the environment variable ``WANDB_PROJECT``. A run that ``resumes`` adds to what it has written before. Raises
    ``InputError`` where the package of that name is not installed.
    """
    for name in names:
        if find_spec(name) is None:
            raise InputError(
                f"train.log_to names {name}, which is not installed: pip install {name}, or remove it there"
            )
    return [_callback(name, folder / name, resumes) for name in names]


def _callback(name: str, folder: Path, resumes: bool) -> TrainerCallback:
    if name == "wandb":
        return WandbCallback()
    if name == "tensorboard":
        from torch.utils.tensorboard import SummaryWriter

        return TensorBoardCallback(SummaryWriter(str(folder)))
    from dvclive import Live

    # dvc.yaml and the experiments are the pipeline's own.
    return DVCLiveCallback(live=Live(str(folder), resume=resumes, save_dvc_exp=False, dvcyaml=None))
