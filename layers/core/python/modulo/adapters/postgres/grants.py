"""What the role of functions may do in the database: read and write rows, and change no table."""

import os
import unicodedata
from base64 import b64encode
from hashlib import pbkdf2_hmac, sha256
from hmac import digest

from sqlalchemy import Connection, text

ITERATIONS = 4_096
"""As many as Postgres itself takes."""
_VERSION = "alembic_version"


def grant_use(connection: Connection, role: str, password: str | None) -> None:
    """Let a role use every table, and make it where it is missing; to be repeated after each migration.

    With a password, it becomes the role's, in the form in which Postgres keeps it: no statement holds the password.
    A role without one has to be there, and logs in as it did.

    Raises:
        DBAPIError: the connection may not do this, or there is no such role.
    """
    quoted = connection.dialect.identifier_preparer.quote_identifier(role)
    if password is not None:
        known = connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role}).first()
        verb = "ALTER" if known else "CREATE"
        connection.exec_driver_sql(f"{verb} ROLE {quoted} LOGIN PASSWORD '{scram_verifier(password)}'")
    connection.exec_driver_sql(
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC;"
        f"GRANT USAGE ON SCHEMA public TO {quoted};"
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {quoted};"
        f"REVOKE INSERT, UPDATE, DELETE ON {_VERSION} FROM {quoted}"
    )


def scram_verifier(password: str) -> str:
    """What Postgres keeps of a password (RFC 5803); it holds no quotation mark."""
    salt = os.urandom(16)
    salted = pbkdf2_hmac("sha256", unicodedata.normalize("NFKC", password).encode(), salt, ITERATIONS)
    stored = sha256(digest(salted, b"Client Key", "sha256")).digest()
    server = digest(salted, b"Server Key", "sha256")
    parts = (b64encode(part).decode() for part in (salt, stored, server))
    return "SCRAM-SHA-256${}:{}${}:{}".format(ITERATIONS, *parts)
