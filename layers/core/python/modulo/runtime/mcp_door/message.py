"""What a body holds: one message of JSON-RPC 2.0, or several.

The SDK would take what this refuses: a request whose id is null for a notification, which nobody answers, and an answer
for one to a question that was never asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from mcp_types import PARSE_ERROR

from modulo.domain.errors import InvalidRequest
from modulo.runtime.json_body import read_json
from modulo.runtime.mcp_door.errors import no_message, protocol_error

if TYPE_CHECKING:
    from collections.abc import Mapping

NOTIFICATION: Final = "notifications/"
"""How the methods begin that want no answer."""
MAX_ID_CHARACTERS: Final = 1_000
MAX_ID: Final = 2**53
"""Above it, JSON readers in many languages mistake whole numbers for others."""
MAX_METHOD_CHARACTERS: Final = 200


@dataclass(frozen=True, slots=True)
class Message:
    """A request, or a notification where it has no id."""

    method: str
    params: Mapping[str, Any] | None
    id: str | int | None
    body: Mapping[str, Any]
    """All of it, as it was given."""


def content_of(body: bytes) -> Any:
    """What the body holds.

    Raises:
        MCPError: it is no JSON in UTF-8.
    """
    try:
        return read_json(body)
    except ValueError:
        raise protocol_error(InvalidRequest("The body is no well-formed JSON in UTF-8."), PARSE_ERROR) from None


def message_in(given: Any) -> Message:
    """The one message that was given.

    Raises:
        MCPError: it is none.
    """
    if not isinstance(given, dict):
        raise no_message("message", "must be an object")
    if given.get("jsonrpc") != "2.0":
        raise no_message("jsonrpc", 'must be "2.0"')
    method, params = given.get("method"), given.get("params")
    if not isinstance(method, str) or not 0 < len(method) <= MAX_METHOD_CHARACTERS:
        raise no_message("method", f"must be a text of 1 to {MAX_METHOD_CHARACTERS} characters")
    if params is not None and not isinstance(params, dict):
        raise no_message("params", "must be an object")
    identity = id_in(given)
    if identity is None and ("id" in given or not method.startswith(NOTIFICATION)):
        known = f"a whole number up to 2^53 or a text of at most {MAX_ID_CHARACTERS} characters"
        raise no_message("id", f"must be {known}; only notifications have none")
    return Message(method, params, identity, given)


def id_in(given: Any) -> str | int | None:
    """The id of a request, where it has one that can be told again."""
    found = given.get("id") if isinstance(given, dict) else None
    if isinstance(found, str):
        return found if len(found) <= MAX_ID_CHARACTERS else None
    return found if type(found) is int and abs(found) <= MAX_ID else None
