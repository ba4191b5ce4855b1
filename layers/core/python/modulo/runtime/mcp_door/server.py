"""The server of the protocol's messages: tools, and documents as resources."""

from __future__ import annotations

import json
import logging
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from mcp.server.lowlevel import Server
from mcp_types import (
    CallToolRequestParams,
    CallToolResult,
    ListResourcesResult,
    ListResourceTemplatesResult,
    ListToolsResult,
    PaginatedRequestParams,
    ReadResourceRequestParams,
    ReadResourceResult,
    Resource,
    ResourceTemplate,
    TextContent,
    TextResourceContents,
    Tool,
    ToolAnnotations,
)
from pydantic import ValidationError

from modulo import __version__
from modulo.domain.errors import InvalidRequest, ModuloError
from modulo.domain.files.file import Stage
from modulo.runtime.field_names import as_written
from modulo.runtime.mcp_door.documents import TEMPLATE, file_named, text_of, uri_of
from modulo.runtime.mcp_door.errors import protocol_error
from modulo.runtime.mcp_door.tools import TOOLS
from modulo.runtime.problem_details import details
from modulo.runtime.problems import invalid
from modulo.runtime.telemetry import count_failure
from modulo.runtime.threads import run
from modulo.services import services
from modulo.usecases.list_files import list_files

if TYPE_CHECKING:
    from collections.abc import Callable

    from mcp.server.context import ServerRequestContext

    from modulo.runtime.mcp_door.visit import Visit

    Context = ServerRequestContext[Any, Any]

INSTRUCTIONS: Final = (
    "Modulo searches the user's own documents. Ask a whole question with rag_search to get an answer whose citations "
    "are checked; use search and fetch to read documents yourself. Cite the url of what an answer rests on."
)
PAGE: Final = 100
TEXT: Final = "text/plain"
IDS: Final = frozenset({"request_id", "trace_id"})
"""What finds a problem in the logs: for the program that calls a tool, not for the model that reads its result."""

logging.getLogger("mcp").setLevel(logging.WARNING)  # it tells of each request that its session began and ended


def server_for(visit_of: Callable[[Context], Visit]) -> Server[Any]:
    """A server whose messages are answered for the visit that a message belongs to."""

    async def call_tool(context: Context, params: CallToolRequestParams) -> CallToolResult:
        return await _call(visit_of(context), params.name, params.arguments or {})

    async def list_resources(context: Context, params: PaginatedRequestParams | None) -> ListResourcesResult:
        return await _resources(visit_of(context), params.cursor if params else None)

    async def read_resource(context: Context, params: ReadResourceRequestParams) -> ReadResourceResult:
        return await _read(visit_of(context), str(params.uri))

    return Server(
        "modulo",
        version=__version__,
        title="Modulo",
        instructions=INSTRUCTIONS,
        on_list_tools=_list_tools,
        on_call_tool=call_tool,
        on_list_resources=list_resources,
        on_list_resource_templates=_list_templates,
        on_read_resource=read_resource,
    )


async def _list_tools(_context: Context, _params: PaginatedRequestParams | None) -> ListToolsResult:
    return ListToolsResult(tools=list(_tools()))


@cache
def _tools() -> tuple[Tool, ...]:
    return tuple(
        Tool(
            name=name,
            title=tool.title,
            description=tool.description,
            input_schema=tool.arguments.model_json_schema(),
            annotations=ToolAnnotations(
                title=tool.title,
                read_only_hint=tool.reads,
                destructive_hint=False,
                idempotent_hint=True,
                open_world_hint=False,
            ),
        )
        for name, tool in TOOLS.items()
    )


async def _call(visit: Visit, name: str, arguments: dict[str, Any]) -> CallToolResult:
    """Bad arguments are the protocol's error; what a model can make good is a result that it reads."""
    tool = TOOLS.get(name)
    if tool is None:
        unknown = f"there is no tool {name[:100]!r}; there are {', '.join(TOOLS)}"
        raise protocol_error(InvalidRequest.field("name", unknown))
    try:
        found = await tool.call(visit, tool.arguments.model_validate(arguments))
    except ValidationError as error:
        raise protocol_error(invalid(error.errors())) from None
    except InvalidRequest as error:
        raise protocol_error(as_written(error, arguments)) from None
    except ModuloError as error:
        count_failure(error)
        ids = {name: told for name, told in details(error).items() if name in IDS}
        content = [TextContent(text=f"{error.title}: {error.detail}")]
        return CallToolResult(content=content, is_error=True, meta=ids)
    return CallToolResult(content=[TextContent(text=json.dumps(found, ensure_ascii=False))], structured_content=found)


async def _list_templates(_context: Context, _params: PaginatedRequestParams | None) -> ListResourceTemplatesResult:
    template = ResourceTemplate(
        name="document", title="A document", uri_template=TEMPLATE, description="The text of a document", mime_type=TEXT
    )
    return ListResourceTemplatesResult(resource_templates=[template])


async def _resources(visit: Visit, cursor: str | None) -> ListResourcesResult:
    """The documents of the collection that the address is of, or of the caller's only one; else none are listed."""
    try:
        collection = await visit.named(None)
        files = services().files
        page = await run(
            list_files, visit.caller, collection.id, after=cursor, limit=PAGE, stage=Stage.ready, files=files
        )
    except InvalidRequest as error:
        if cursor is None:
            return ListResourcesResult(resources=[])
        raise protocol_error(error) from None
    except ModuloError as error:
        raise protocol_error(error) from None
    listed = [
        Resource(name=file.name, title=file.document.title, uri=uri_of(file.collection_id, file.id), mime_type=TEXT)
        for file in page.items
    ]
    return ListResourcesResult(resources=listed, next_cursor=page.next)


async def _read(visit: Visit, uri: str) -> ReadResourceResult:
    try:
        text = await text_of(visit, await file_named(visit, uri, field="uri"))
    except ModuloError as error:
        raise protocol_error(error) from None
    return ReadResourceResult(contents=[TextResourceContents(uri=uri, mime_type=TEXT, text=text)])
