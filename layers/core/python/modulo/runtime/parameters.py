"""Parameters that several endpoints share."""

import re
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Header, Query
from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from modulo.domain.collections.member_cursor import MEMBER_CURSOR_PATTERN
from modulo.domain.documents.chunk_cursor import CHUNK_CURSOR_PATTERN
from modulo.domain.pagination import CURSOR_PATTERN

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        description="the same key again answers with what the first request created",
    ),
]
LastEventId = Annotated[
    str | None, Header(alias="Last-Event-ID", max_length=100, description="the `id` of the last event, to go on from")
]
After = Annotated[
    str | None, Query(json_schema_extra={"pattern": CURSOR_PATTERN}, description="`next` of the page before")
]
AfterChunk = Annotated[
    str | None, Query(json_schema_extra={"pattern": CHUNK_CURSOR_PATTERN}, description="`next` of the page before")
]
AfterMember = Annotated[
    str | None, Query(json_schema_extra={"pattern": MEMBER_CURSOR_PATTERN}, description="`next` of the page before")
]
AfterId = Annotated[UUID | None, Query(description="`next` of the page before")]
_INTEGER: Final = re.compile("-?[0-9]{1,18}")


def _integer(given: Any) -> Any:
    """The integer that a query holds: not `1_0`, ` 1` or `1.0`, which Pydantic takes for one."""
    if isinstance(given, str) and _INTEGER.fullmatch(given) is None:
        raise PydanticCustomError("int_parsing", "Input should be a valid integer")
    return given


WRITTEN: Final = BeforeValidator(_integer)
"""Behind the bounds of an integer of a query: it has to be written as one."""


def _flag(given: Any) -> Any:
    """The boolean that a query holds, as the API's description has it: Pydantic also takes `yes`, `on`, `1` and `T`."""
    if isinstance(given, str) and given not in ("true", "false"):
        raise PydanticCustomError("bool_parsing", "Input should be a valid boolean")
    return given


Flag = Annotated[bool, BeforeValidator(_flag)]
PageSize = Annotated[int, Query(alias="limit", ge=1, le=100), WRITTEN]
