"""Logs as one JSON object a line, each with the id of the request it belongs to."""

import json
import logging
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TextIO

request_id: ContextVar[str] = ContextVar("request_id", default="-")
_configured: tuple[str, TextIO] | None = None


class JsonFormatter(logging.Formatter):
    """A record as JSON; a traceback becomes the field `exception`."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": request_id.get(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def configure_logging(level: str) -> None:
    """Send the logs of this process to standard error; doing it again changes nothing, and costs nothing."""
    global _configured  # noqa: PLW0603 - what logging itself keeps for the whole process
    if _configured == (level, sys.stderr):
        return
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("modulo").setLevel(level)
    _configured = (level, sys.stderr)
