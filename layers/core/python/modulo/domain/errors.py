"""The error tree: a class carries its status, title and whether a retry can help; its docstring explains it.

`infra/problems.md` is made of it: a new kind of problem needs no more than its class.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from uuid import UUID


class ModuloError(Exception):
    """Something is wrong."""

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Error"
    retryable: ClassVar[bool] = False
    """Whether the same request may succeed shortly."""

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


class InternalError(ModuloError):
    """Something failed inside the service, which was recorded: try again."""

    title = "Internal error"
    retryable = True


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

    def __init__(self, detail: str | None = None, *, about: UUID | None = None, **extra: Any) -> None:
        super().__init__(detail, **extra)
        self.about = about
        """The id that nothing was found by; a door tells the field of the request that holds it."""

    def at(self, field: str) -> "NotFound":
        """The same of what a field names."""
        message = "names nothing that is visible to this credential"
        return type(self)(f"{field}: {message}", errors=[{"field": field, "message": message}])


class Conflict(ModuloError):
    """The request contradicts the present state of the resource."""

    status = 409
    title = "Conflict"


class NameTaken(Conflict):
    """Another file of the collection has this name: rename one of them, or delete the other."""

    @classmethod
    def code(cls) -> str:
        """To users, as any conflict."""
        return Conflict.code()


class TooLarge(ModuloError):
    """The content is larger than this endpoint takes."""

    status = 413
    title = "Content too large"


class UnsupportedMediaType(ModuloError):
    """The body is of a type that the endpoint does not take: its Content-Type has to name the one that it takes."""

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
        return cls.fields([{"field": field, "message": message}])

    @classmethod
    def fields(cls, errors: Sequence[Mapping[str, str]], *, unnamed: int = 0, **extra: Any) -> "InvalidRequest":
        """A problem with each of the fields, and with so many more."""
        told = [f"{one['field']}: {one['message']}" for one in errors]
        return cls("; ".join([*told, *([f"and {unnamed} more"] if unnamed else [])]), errors=errors, **extra)


class QuotaExceeded(ModuloError):
    """A quota is used up."""

    status = 429
    title = "Quota exceeded"


class Throttled(ModuloError):
    """Too many requests are in progress: wait, then try again."""

    status = 429
    title = "Too many requests"
    retryable = True


class BadModelAnswer(ModuloError):
    """A model answered with something that cannot be used."""

    status = 502
    title = "Bad answer from a model"
    retryable = True


class RefusedByModel(BadModelAnswer):
    """A model refuses what it was sent."""

    def __init__(self, detail: str | None = None, *, param: str | None = None) -> None:
        super().__init__(detail)
        self.param = param
        """The rejected field, where the model names one."""


class Unavailable(ModuloError):
    """A part that this request needs does not answer: try again shortly."""

    status = 503
    title = "Temporarily unavailable"
    retryable = True


class TimedOut(Unavailable):
    """A part did not answer in time, though it may be at work: ask it for less, or later."""

    @classmethod
    def code(cls) -> str:
        """To users, as any part that does not answer."""
        return Unavailable.code()


class NotConfigured(Unavailable):
    """A part that this request needs has no address: set the environment variable that the detail names."""

    title = "Not configured"

    def __init__(self, variable: str | None = None) -> None:
        super().__init__(f"{variable} is not set: this server cannot work without it." if variable else None)


class FileFailed(ModuloError):
    """The file was not ingested."""

    status = 422
    title = "File failed"


class NeverUploaded(FileFailed):
    """No upload arrived in time: start a new upload and send the file."""

    retryable = True  # what arrives late is ingested all the same


class RevokedUpload(FileFailed):
    """Its uploader was no longer an editor of the collection when the bytes arrived: have an editor upload it."""


class Superseded(FileFailed):
    """Another upload of the file was started before this one arrived."""


class DeadlineExceeded(FileFailed):
    """The file could not be processed in time: upload it again."""

    retryable = True


class FileRejected(FileFailed):
    """The file cannot be ingested; the same bytes will be rejected again."""

    title = "File rejected"


class RefusedUrl(FileRejected):
    """The URL may not be fetched: only public servers can be, by http or https, without a password."""


class DeniedUrl(FileRejected):
    """The URL leads to nothing that may be read: there is no such server or page, or it needs a login."""


class UnreachableUrl(FileFailed):
    """The URL's server does not answer: retry the file later."""

    retryable = True


class LostFile(FileRejected):
    """The bytes that were uploaded are no longer there: upload the file again."""


class EmptyFile(FileRejected):
    """The file holds no text: it is empty or only white space."""


class EncryptedFile(FileRejected):
    """The file is protected by a password: remove the password and upload it again."""


class CorruptFile(FileRejected):
    """The file is damaged or cut short: open it in its own program, save it and upload it again."""


class ScannedFile(FileRejected):
    """The file's pages are pictures without text: run text recognition on it and upload it again."""

    @classmethod
    def unrecognised(cls) -> "ScannedFile":
        """Where text recognition is on."""
        return cls("The file's pages are pictures in which no text was recognised: scan it again, upright and sharp.")


class UnsupportedFile(FileRejected):
    """The file is of a type that cannot be read.

    Readable are PDF, DOCX, PPTX, XLSX, HTML, e-mail, Markdown, CSV, JSON, source code, plain text and ZIP.
    """


class OversizedFile(FileRejected):
    """The file, or what it unpacks to, is larger than the limit."""


class ExpensiveFile(FileRejected):
    """Reading the file takes more time, memory or text than allowed: split it, or save it again, and upload that."""


class GarbledFile(FileRejected):
    """The file's text came out garbled, so no search would find it: print it to a new PDF, or export it again as UTF-8.

    Fonts do not say which characters they show, words fell apart into letters, or characters could not be decoded.
    """


class UnreadableFile(FileRejected):
    """The file crashes the parser: open it in its own program, save it again and upload that."""


class AlteredFile(FileRejected):
    """The bytes that arrived are not the ones announced: the size or the checksum differs."""


class RefusedPassage(FileRejected):
    """The embedding model refuses a passage of the file: reword it or leave it out, and upload the file again."""


class DeadMessage(ModuloError):
    """A message became a dead letter."""

    title = "Dead message"


class GivenUp(DeadMessage):
    """Every delivery of the message failed or was cut off by a limit of time or memory; the log says which."""

    title = "Given up"
    retryable = True
