"""Routes that refuse what they would otherwise ignore or misread.

That is an unknown or repeated query parameter, a repeated header, a body of another type, and broken Unicode. Answers
leave out what is null.
"""

from collections import Counter
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator, Sequence
from typing import Any

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.params import Form
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from modulo.domain.errors import InvalidRequest, UnsupportedMediaType
from modulo.runtime.fixed_paths import fixed_methods
from modulo.runtime.json_body import RefusedJson, read_json
from modulo.runtime.named_ids import GIVEN
from modulo.runtime.whole_form import end_of_form, whole_form

Handle = Callable[[Request], Coroutine[Any, Any, Response]]


WITH_NULLS = "v1_"
"""How operations begin whose answers state their nulls, as OpenAI's do."""
JSON, FORM = "application/json", "multipart/form-data"


class StrictRoute(APIRoute):
    """A route that takes the query parameters and headers it declares, each once, and JSON of well-formed text."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        nulls = str(options.get("operation_id")).startswith(WITH_NULLS)
        super().__init__(path, endpoint, **{**options, "response_model_exclude_none": not nulls})

    def get_route_handler(self) -> Handle:
        """FastAPI's handler behind the checks."""
        handle: Handle = super().get_route_handler()
        known, headers = set(query_parameters(self.dependant)), sorted(set(header_parameters(self.dependant)))
        taken = body_type(self)

        ends_in_parameter = self.path.endswith("}")

        async def strict(request: Request) -> Response:
            if ends_in_parameter and (fixed := fixed_methods(request.url.path)) and request.method not in fixed:
                raise HTTPException(405)
            _check_query(request, known)
            _check_headers(request, headers)
            read = _StrictRequest(request.scope, request.receive)
            if taken is not None:
                await _check_type(read, taken)
            return await handle(read)

        return strict


def query_parameters(dependant: Dependant) -> Iterator[str]:
    """The names of those that a route or one of its dependencies declares."""
    yield from (field.alias for field in dependant.query_params)
    for inner in dependant.dependencies:
        yield from query_parameters(inner)


def header_parameters(dependant: Dependant) -> Iterator[str]:
    """The names of the headers that a route or one of its dependencies declares."""
    yield from (field.alias for field in dependant.header_params)
    for inner in dependant.dependencies:
        yield from header_parameters(inner)


def body_type(route: APIRoute) -> str | None:
    """The media type of the body that a route takes; None where it takes none."""
    if route.body_field is None:  # the form may be read by a dependency, and then stands in the description only
        described = (route.openapi_extra or {}).get("requestBody", {}).get("content", {})
        return FORM if FORM in described else None
    return FORM if isinstance(route.body_field.field_info, Form) else JSON


async def _check_type(request: Request, taken: str) -> None:
    """Refuse a body of another type; one that is missing has none, and is refused as missing."""
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given == taken or (taken == JSON and given.startswith("application/") and given.endswith("+json")):
        return
    if await _has_body(request):
        raise UnsupportedMediaType(f"The body has to be {taken}, and its Content-Type says {given or 'nothing'!r}.")


async def _has_body(request: Request) -> bool:
    length = request.headers.get("content-length", "")
    return (length.isdigit() and int(length) > 0) or bool(await request.body())


def _check_query(request: Request, known: set[str]) -> None:
    times = Counter(name for name, _ in request.query_params.multi_items())
    for name, number in times.items():
        if name not in known:
            raise InvalidRequest.field(name[:100], "is not a query parameter of this endpoint")
        if number > 1:
            raise InvalidRequest.field(name, "must be given once")


def _check_headers(request: Request, known: Sequence[str]) -> None:
    """Refuse a header that is given twice: FastAPI takes the last one, and Mangum makes one of both."""
    sent = (request.scope.get("aws.event") or {}).get("multiValueHeaders") or {}
    joined = Counter(name.lower() for name, values in sent.items() for _ in values)
    for name in known:
        if max(joined[name.lower()], len(request.headers.getlist(name))) > 1:
            raise InvalidRequest.field(name, "must be given once")


class _StrictRequest(Request):
    def stream(self) -> AsyncGenerator[bytes, None]:
        """The body; a form that is cut off is refused."""
        end = end_of_form(self.headers.get("content-type"))
        return super().stream() if end is None else whole_form(super().stream(), end)

    async def json(self) -> Any:
        """The body, which FastAPI reads by this.

        Raises:
            JSONDecodeError: it is no JSON.
            HTTPException: it is no JSON in UTF-8 that makes sense.
        """
        try:
            given = self.scope[GIVEN] = read_json(await self.body())
        except RefusedJson as refused:
            raise HTTPException(400, str(refused)) from None
        except UnicodeDecodeError:
            raise HTTPException(400, "The body is not UTF-8") from None
        return given
