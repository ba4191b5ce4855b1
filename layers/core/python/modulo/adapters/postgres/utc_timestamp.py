"""How Postgres keeps points in time."""

from datetime import UTC, datetime

from sqlalchemy import Dialect, TypeDecorator
from sqlalchemy.dialects.postgresql import TIMESTAMP


class Moment(TypeDecorator[datetime]):
    """A point in time: aware, and in UTC when read."""

    impl = TIMESTAMP(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's
        """Refuse moments whose time zone is unknown."""
        if value is not None and value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        return value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's
        """The server's session may have any time zone; ours is UTC."""
        return None if value is None else value.astimezone(UTC)
