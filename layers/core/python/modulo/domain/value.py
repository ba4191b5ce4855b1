"""The frozen model that API values and stored values share."""

from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict

Item = TypeVar("Item")


class Value(BaseModel):
    """Immutable; unknown fields are refused rather than dropped."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Listing(Value, Generic[Item]):
    """One page of a listing; `next` is the opaque cursor of the following page, or null."""

    items: tuple[Item, ...]
    next: str | None = None
