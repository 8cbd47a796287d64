"""Where a published model is: the folder or Hub id that a user names, or the default one."""

from pathlib import Path

from ..errors import InputError
from ..files import roots

DEFAULT_MODELS = ("released", "models/published")
"""Where the model lies unless ``--model`` says so: below the working directory, else below the repository."""


def model_folder(model: str | None, revision: str | None = None) -> Path:
    """Folder of the model named, fetched where it is a Hub id; of the default one (``DEFAULT_MODELS``) where None.

    Raises ``InputError`` when there is none."""
    if model is not None:
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
    """The first of ``DEFAULT_MODELS`` that is there, or None."""
    places = (root / name for root in roots() for name in DEFAULT_MODELS)
    return next((place for place in places if place.is_dir()), None)
