"""The frozen model that API values and stored values share."""

from typing import Final, TypeVar

from pydantic import BaseModel, ConfigDict

Item = TypeVar("Item")
STORABLE: Final = r"^[^\x00]*$"
"""The pattern of texts without NUL, which Postgres cannot store: it is refused, as leaving it out would alter them."""
VISIBLE: Final = r"^[^\x00]*[^\s\x00][^\x00]*$"
"""The pattern of such texts that are not white space only."""

_CHARACTER: Final = r"[^\s\x00-\x1f\x7f]"
ONE_LINE: Final = rf"^\s*{_CHARACTER}([^\x00-\x1f\x7f]*{_CHARACTER})?\s*$"
"""The pattern of a name without control characters; white space around it may be cut off."""
SHA256: Final = r"^[0-9a-fA-F]{64}$"
MD5: Final = r"^[0-9a-fA-F]{32}$"


class FrozenModel(BaseModel):
    """Immutable; unknown fields are rejected."""

    model_config = ConfigDict(frozen=True, extra="forbid")
