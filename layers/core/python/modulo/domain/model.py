"""The frozen model that API values and stored values share."""

from typing import Final, TypeVar

from pydantic import BaseModel, ConfigDict

Item = TypeVar("Item")
STORABLE: Final = r"^[^\x00]*$"
"""The pattern of texts without NUL, which Postgres cannot store: it is refused, as leaving it out would alter them."""
VISIBLE: Final = r"^[^\x00]*[^\s\x00][^\x00]*$"
"""The pattern of such texts that are not white space only."""


class FrozenModel(BaseModel):
    """Immutable; unknown fields are rejected."""

    model_config = ConfigDict(frozen=True, extra="forbid")
