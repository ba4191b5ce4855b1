"""Lists as OpenAI's clients page through them."""

from collections.abc import Callable
from typing import Annotated, Final, Generic, Literal, TypeVar
from uuid import UUID

from fastapi import Depends, Query
from pydantic import BaseModel

from modulo.domain.errors import InvalidRequest
from modulo.domain.pagination import Page, Window
from modulo.runtime.parameters import WRITTEN

Item = TypeVar("Item")
Shown = TypeVar("Shown", bound=BaseModel)
After = Annotated[UUID | None, Query(description="the id of the last item of the page before")]
Before = Annotated[UUID | None, Query(description="the id of the first item of the page behind")]
Order = Annotated[Literal["asc", "desc"], Query(description="by time of creation")]
Limit = Annotated[int, Query(ge=1, le=100), WRITTEN]
FileLimit = Annotated[int, Query(ge=1, le=10_000), WRITTEN]
MAX_FILES: Final = 1_000
"""Files of a page at most, however many are asked for; `has_more` tells."""


class ListAnswer(BaseModel, Generic[Shown]):
    """One page of a list."""

    object: Literal["list"] = "list"
    data: list[Shown]
    first_id: str | None = None
    last_id: str | None = None
    has_more: bool = False


async def _window(after: After = None, before: Before = None, limit: Limit = 20, order: Order = "desc") -> Window:
    if after is not None and before is not None:
        raise InvalidRequest.field("before", "must not be given beside after")
    return Window(limit, after, before, order == "asc")


async def _window_of_files(after: After = None, limit: FileLimit = 10_000, order: Order = "desc") -> Window:
    return Window(min(limit, MAX_FILES), after, None, order == "asc")


async def _window_of_items(after: After = None, limit: Limit = 20, order: Order = "desc") -> Window:
    return Window(limit, after, None, order == "asc")


WindowQuery = Annotated[Window, Depends(_window)]
FileWindowQuery = Annotated[Window, Depends(_window_of_files)]
ItemWindowQuery = Annotated[Window, Depends(_window_of_items)]


def list_answer(page: Page[Item], show: Callable[[Item], Shown]) -> ListAnswer[Shown]:
    """A page in the shape of the door; each shown item has an `id`."""
    data = [show(item) for item in page.items]
    ids = [str(getattr(one, "id")) for one in (data[:1] + data[-1:])]  # noqa: B009 - a model of its own has it
    return ListAnswer(data=data, first_id=ids[0] if ids else None, last_id=ids[-1] if ids else None, has_more=page.more)
