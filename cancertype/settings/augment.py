"""Further versions of the training cases."""

from pydantic import Field

from .base import Settings


class Augment(Settings):
    """How many versions, and how far they may differ from the case."""

    copies: int = Field(0, ge=0)
    exchanged: float = Field(0.5, gt=0.0, le=1.0)
    seed: int = Field(0, ge=0)
