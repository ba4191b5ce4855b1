"""The one error tree: a class carries its status and title, its docstring explains it."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar


class ModuloError(Exception):
    """Something failed inside the service; the request changed nothing and may be tried again."""

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"

    def __init__(self, detail: str | None = None, *, retry_after: int | None = None, **extra: Any) -> None:
        self.detail = detail or explanation(type(self))
        self.retry_after = retry_after
        self.extra: Mapping[str, Any] = extra
        super().__init__(self.detail)

    @classmethod
    def code(cls) -> str:
        """The stable, kebab-case name of this kind of problem."""
        return re.sub(r"(?<!^)(?=[A-Z])", "-", cls.__name__).lower()


def explanation(error: type[ModuloError]) -> str:
    """The first paragraph of the class's docstring, on one line."""
    return " ".join((error.__doc__ or "").split("\n\n")[0].split())


class Unauthenticated(ModuloError):
    """The request carries no valid credential: send 'Authorization: Bearer <API key or token>'."""

    status = 401
    title = "Not authenticated"


class Forbidden(ModuloError):
    """The credential is valid but may not do this."""

    status = 403
    title = "Not allowed"


class NotFound(ModuloError):
    """No such resource is visible to this credential."""

    status = 404
    title = "Not found"


class Conflict(ModuloError):
    """The request contradicts the present state of the resource."""

    status = 409
    title = "Conflict"


class TooLarge(ModuloError):
    """The content is larger than this endpoint takes."""

    status = 413
    title = "Content too large"


class UnsupportedMedia(ModuloError):
    """The content is of a type this endpoint does not take."""

    status = 415
    title = "Unsupported media type"


class InvalidRequest(ModuloError):
    """The request is well-formed but a field holds something that is not allowed."""

    status = 422
    title = "Invalid request"

    def __init__(self, detail: str | None = None, *, errors: Sequence[Mapping[str, str]] = (), **extra: Any) -> None:
        if errors:
            extra["errors"] = [dict(e) for e in errors]
        super().__init__(detail, **extra)

    @classmethod
    def field(cls, field: str, message: str) -> "InvalidRequest":
        """A problem with one named field."""
        return cls(f"{field}: {message}", errors=[{"field": field, "message": message}])


class QuotaExceeded(ModuloError):
    """A quota is used up."""

    status = 429
    title = "Quota exceeded"


class Throttled(ModuloError):
    """Too many requests are under way: wait, then try again."""

    status = 429
    title = "Too many requests"


class BadModelAnswer(ModuloError):
    """A model answered with something that cannot be used."""

    status = 502
    title = "Bad answer from a model"


class Unavailable(ModuloError):
    """A part that this request needs does not answer: try again shortly."""

    status = 503
    title = "Temporarily unavailable"


class FileRejected(ModuloError):
    """The file cannot be ingested; the same bytes will be rejected again."""

    status = 422
    title = "File rejected"


class EmptyFile(FileRejected):
    """The file holds no text: it is empty or only white space."""


class EncryptedFile(FileRejected):
    """The file is protected by a password: remove the password and upload it again."""


class CorruptFile(FileRejected):
    """The file is damaged or cut short: open it in its own program, save it and upload it again."""


class ScannedFile(FileRejected):
    """The file's pages are pictures without text: run text recognition on it and upload it again."""


class UnsupportedFile(FileRejected):
    """The file is of a type that cannot be read.

    Readable are PDF, DOCX, PPTX, XLSX, HTML, e-mail, Markdown, CSV, JSON, source code and plain text.
    """


class OversizedFile(FileRejected):
    """The file, or what it unpacks to, is larger than the limit."""


class AlteredFile(FileRejected):
    """The bytes that arrived are not the ones announced: the size or the checksum differs."""
