"""Errors of the protocol: a code of JSON-RPC, and in its data what `/api` tells of the same problem."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from mcp.shared.exceptions import MCPError
from mcp.shared.inbound import ERROR_CODE_HTTP_STATUS
from mcp_types import INTERNAL_ERROR, INVALID_PARAMS, INVALID_REQUEST

from modulo.domain.errors import InvalidRequest
from modulo.runtime.problem_details import details

if TYPE_CHECKING:
    from modulo.domain.errors import ModuloError

STATUSES: Final = {**ERROR_CODE_HTTP_STATUS, INTERNAL_ERROR: 500}
"""Of HTTP, by the code of what is refused before a handler sees it."""


def protocol_error(error: ModuloError, code: int = INVALID_PARAMS) -> MCPError:
    """A problem as an error of the protocol."""
    return MCPError(code, error.detail, details(error))


def no_message(field: str, wrong: str) -> MCPError:
    """What is no message of the protocol, by the member that is wrong."""
    return protocol_error(InvalidRequest.field(field, wrong), INVALID_REQUEST)


def told(error: MCPError, request_id: str | int | None) -> dict[str, Any]:
    """The answer to a request that failed; to one that cannot be told from others, where it has no id."""
    found = error.error.model_dump(mode="json", exclude_none=True)
    return {"jsonrpc": "2.0", "id": request_id, "error": found}
