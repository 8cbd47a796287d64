"""What leaves the house."""

import re

from pydantic import field_validator

from ..settings import Settings

REPO_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


class Publish(Settings):
    """Hub repositories for the model and the datasets; ``null`` writes the folder and pushes nothing."""

    repo_id: str | None = None
    dataset_repo_id: str | None = None
    private: bool = True
    allow_restricted_terms: bool = False

    @field_validator("repo_id", "dataset_repo_id")
    @classmethod
    def _owner_and_name(cls, repo_id: str | None) -> str | None:
        if repo_id is not None and not REPO_ID.fullmatch(repo_id):
            raise ValueError(f"is {repo_id!r}: write it as owner/name, as in the repository's address on the Hub")
        return repo_id
