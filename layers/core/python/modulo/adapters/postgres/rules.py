"""Rules that several roles apply: roles of members, comparison of names, and the problems that say no."""

import unicodedata
from collections.abc import Mapping

from modulo.domain.errors import Conflict, Forbidden, NotFound
from modulo.domain.files.file import DocumentInfo, FileProblem, Stage
from modulo.domain.tenancy.identity import Role


def name_key(name: str) -> str:
    """What two names that a reader takes for the same have in common."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKD", name).casefold())


def printable(text: str) -> str:
    """The text without what Postgres cannot store: NUL and unpaired surrogates."""
    return text.replace("\0", "").encode(errors="replace").decode()


def stored_document(info: DocumentInfo) -> dict[str, object]:
    """What a file says of itself, as it is stored."""
    return {k: printable(v) if isinstance(v, str) else v for k, v in info.model_dump(exclude_none=True).items()}


def stored_problem(found: FileProblem) -> dict[str, object]:
    """Why a file failed, as it is stored."""
    return {"code": found.code, "detail": printable(found.detail), "retryable": found.retryable}


def require(role: str | None, needed: Role) -> Role:
    """The caller's role.

    Raises:
        NotFound: the caller has none.
        Forbidden: it does not include the needed one.
    """
    if role is None:
        raise NotFound
    if not Role(role).allows(needed):
        raise Forbidden(f"This needs the role '{needed}' on the collection; yours is '{role}'.")
    return Role(role)


def assignable(user_is_owner: bool, role: Role) -> None:
    """Whether a member may be given the role.

    Raises:
        Conflict: a collection has exactly one owner, who stays.
    """
    if user_is_owner:
        raise Conflict("The owner stays: their role cannot be changed or ended.")
    if role is Role.owner:
        raise Conflict("A collection has exactly one owner: choose 'editor' or 'viewer'.")


def id_taken() -> Conflict:
    """The problem of a key, from which an id is made, that was used before for something else."""
    message = "was used before for something else: send a new one"
    return Conflict(f"The Idempotency-Key {message}.", errors=[{"field": "Idempotency-Key", "message": message}])


def name_taken() -> Conflict:
    """The problem of a collection's name that another one of its owner has."""
    return Conflict("You own another collection of that name: choose another name.")


def under_way() -> Conflict:
    """The problem of a file whose newest generation is being ingested."""
    return Conflict("A file of this name is being ingested: wait until it is ready or failed, or delete it.")


def stages(counts: Mapping[str, int]) -> dict[Stage, int]:
    """The number of files in each stage that has any."""
    return {stage: counts[stage] for stage in Stage if counts.get(stage)}
