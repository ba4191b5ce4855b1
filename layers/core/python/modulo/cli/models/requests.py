"""Request bodies of the model server, and OpenAI-style error responses."""

from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse

from modulo.domain.field_messages import messages_of

MAX_BODY_BYTES = 32 * 1024**2
MAX_INPUTS = 2_048
MAX_DOCUMENTS = 1_000


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _text(value: object) -> object:
    return value["text"] if isinstance(value, dict) and "text" in value else value


FilledText = Annotated[str, StringConstraints(min_length=1)]
Document = Annotated[str, BeforeValidator(_text)]


class Refused(Exception):
    """The request is rejected with an error in OpenAI's format."""

    def __init__(
        self, status: int, message: str, *, param: str | None = None, code: str, retry_after: int | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.param = param
        self.code = code
        self.retry_after = retry_after

    def response(self) -> JSONResponse:
        """The HTTP response for this error."""
        kind = {401: "authentication_error", 429: "rate_limit_error"}.get(
            self.status, "invalid_request_error" if self.status < 500 else "server_error"
        )
        headers = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        error = {"message": str(self), "type": kind, "param": self.param, "code": self.code}
        return JSONResponse({"error": error}, self.status, headers)


class _Body(BaseModel):
    # Clients send fields that have no effect here (`user`, `truncate` …); they are ignored.
    model_config = ConfigDict(strict=True, extra="ignore")

    model: str


class EmbeddingsBody(_Body):
    """POST /v1/embeddings."""

    input: Annotated[list[FilledText], BeforeValidator(_listed), Field(min_length=1, max_length=MAX_INPUTS)]
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: int | None = None


class RerankBody(_Body):
    """POST /v1/rerank and /v2/rerank."""

    query: FilledText
    documents: Annotated[list[Document], Field(min_length=1, max_length=MAX_DOCUMENTS)]
    top_n: Annotated[int, Field(ge=1)] | None = None
    return_documents: bool = False


Body = TypeVar("Body", bound=_Body)


async def read(request: Request, body: type[Body]) -> Body:
    """Read and validate the request body.

    Raises:
        Refused: the body is too large, is not JSON, or a field is invalid; the message names the field.
    """
    content = bytearray()
    async for part in request.stream():
        content += part
        if len(content) > MAX_BODY_BYTES:
            raise Refused(413, f"The body is larger than {MAX_BODY_BYTES} bytes.", code="body_too_large")
    try:
        return body.model_validate_json(bytes(content))
    except ValidationError as invalid:
        error = invalid.errors(include_url=False)[0]
        param = str(error["loc"][0]) if error["loc"] else None
        raise Refused(400, messages_of([error]), param=param, code="invalid_value") from None
