"""The frozen model that API values and stored values share."""

from typing import Final, TypeVar

from pydantic import BaseModel, ConfigDict

Item = TypeVar("Item")
VISIBLE: Final = r"\S"
"""The pattern of texts that are not white space only."""


class FrozenModel(BaseModel):
    """Immutable; unknown fields are rejected."""

    model_config = ConfigDict(frozen=True, extra="forbid")
