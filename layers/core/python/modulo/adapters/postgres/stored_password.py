"""Logging in to Postgres with a password that is kept elsewhere and may be rotated at any time."""

from typing import TYPE_CHECKING, Any, Final

from pg8000.exceptions import DatabaseError
from sqlalchemy import Engine, event

from modulo.adapters.postgres.pipelined_connection import WireConnection

if TYPE_CHECKING:
    from modulo.ports.secrets import Secret

REFUSED: Final = frozenset({"28P01", "28000"})
"""Postgres' and poolers' codes for a wrong password."""


def use_stored_password(pool: Engine, secret: "Secret") -> None:
    """Log in with the secret; where it is refused, with what it has become since it was read."""

    @event.listens_for(pool, "do_connect")
    def _log_in(_dialect: object, _record: object, arguments: list[Any], parameters: dict[str, Any]) -> WireConnection:
        password = parameters["password"] = secret.value()
        try:
            return WireConnection(*arguments, **parameters)
        except DatabaseError as error:
            other = secret.renewed(password) if _is_refusal(error) else None
            if other is None:
                raise
            parameters["password"] = other
            return WireConnection(*arguments, **parameters)


def _is_refusal(error: DatabaseError) -> bool:
    fields = error.args[0] if error.args else None
    return isinstance(fields, dict) and fields.get("C") in REFUSED
