"""Where a published model is: the folder or Hub id that a user names, or the default one."""

from pathlib import Path

from ..errors import InputError
from ..files import roots

DEFAULT_MODELS = ("released", "models/published")
"""Where the model is unless ``--model`` names another: below the working directory, else below the repository."""


def model_folder(model: str | None, revision: str | None = None) -> Path:
    """The folder of ``model``, downloaded first if it is a Hub id. None means the first existing of ``DEFAULT_MODELS``.

    Raises ``InputError`` when there is none.
    """
    if model is not None:
        if revision is None and (folder := Path(model)).is_dir():
            return folder
        # Imports the libraries that download and convert models, which a folder of this machine does not need.
        from ..language_model import conversion

        return conversion.local_folder(model, revision)
    if revision is not None:
        raise InputError(f"--revision {revision} needs --model with a Hub id: the default model has no revisions")
    if (folder := default_folder()) is not None:
        return folder
    raise InputError(
        f"no model: none of {', '.join(DEFAULT_MODELS)} is here. Run `dvc repro` (or `dvc pull`) in the repository, or "
        "name a folder or a Hub id with --model"
    )


def default_folder() -> Path | None:
    """The first of ``DEFAULT_MODELS`` that exists, or None."""
    places = (root / name for root in roots() for name in DEFAULT_MODELS)
    return next((place for place in places if place.is_dir()), None)
