"""Traces: which request something is done for, across processes (W3C Trace Context)."""

import re
import secrets
from dataclasses import dataclass

MAX_CHARACTERS = 256
"""Of a header; a longer one is no trace."""
_HEADER = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_XRAY = re.compile(r"(?:^|;)\s*Root=1-([0-9a-f]{8})-([0-9a-f]{24})(?:;|$)")
_INVALID, _CURRENT = "ff", "00"


@dataclass(frozen=True, slots=True)
class Trace:
    """A step of a trace: the id that all of them share, and its own."""

    trace_id: str
    span_id: str
    flags: str = "01"
    parent_id: str | None = None
    """The id of the step that led to this one; None where nobody has told of any."""

    @property
    def header(self) -> str:
        """As `traceparent` tells it."""
        return f"{_CURRENT}-{self.trace_id}-{self.span_id}-{self.flags}"

    @property
    def begun_here(self) -> bool:
        """Whether nobody has told of it."""
        return self.parent_id is None

    @classmethod
    def of_header(cls, header: str | None) -> "Trace | None":
        """The next step of what a `traceparent` tells of; None where it is malformed, as the standard has it."""
        found = _HEADER.fullmatch(header) if header and len(header) <= MAX_CHARACTERS else None
        if found is None:
            return None
        version, trace_id, span_id, flags, more = found.groups()
        if version == _INVALID or not int(trace_id, 16) or not int(span_id, 16) or (version == _CURRENT and more):
            return None
        return cls(trace_id, secrets.token_hex(8), "01" if int(flags, 16) & 1 else "00", span_id)

    @classmethod
    def of_xray(cls, header: str | None) -> "Trace | None":
        """The trace that AWS X-Ray has begun, whose id is written in another way."""
        found = _XRAY.search(header) if header and len(header) <= MAX_CHARACTERS else None
        return cls(found[1] + found[2], secrets.token_hex(8)) if found else None

    @classmethod
    def begin(cls) -> "Trace":
        """A new one."""
        return cls(secrets.token_hex(16), secrets.token_hex(8))
