"""The strict base of every settings model: unknown keys and wrong types are errors, values never change."""

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """One section of the parameters. Unknown keys and ill-typed values raise ``pydantic.ValidationError``."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, protected_namespaces=())
