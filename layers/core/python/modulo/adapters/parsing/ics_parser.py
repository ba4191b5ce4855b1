"""Reads calendars (iCalendar, RFC 5545): what, when, where and who of each event and task."""

import re
from collections.abc import Iterator
from typing import BinaryIO

from modulo.adapters.parsing.opened_document import OpenedDocument
from modulo.adapters.parsing.text_decoding import clean, decode, one_line, read_whole
from modulo.domain.documents.document import Block, BlockKind, Page
from modulo.domain.files.file import DocumentInfo

MAX_BYTES = 16 * 1024**2
_MAX_ATTENDEES = 100
_FOLD = re.compile(r"\r?\n[ \t]")
_ESCAPED = re.compile(r"\\([nN,;\\])")
_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)\d\d(Z?))?")
_PARAMETER = re.compile(r';([A-Za-z-]{1,40})=("[^"]{0,200}"|[^;:"]{0,200})')
_ENTRIES = frozenset({"VEVENT", "VTODO", "VJOURNAL"})
_LABELS = {
    "SUMMARY": "What",
    "DTSTART": "When",
    "DTEND": "Until",
    "DUE": "Due",
    "RRULE": "Repeats",
    "LOCATION": "Where",
    "ORGANIZER": "Organizer",
    "ATTENDEE": "Attendees",
    "STATUS": "Status",
    "URL": "Link",
    "DESCRIPTION": "Description",
}


class IcsParser:
    """A parser of calendars."""

    def parse(self, content: BinaryIO) -> OpenedDocument:
        """Open a file.

        Raises:
            FileRejected: the file cannot be read, for the reason that the subclass names.
        """
        text = decode(read_whole(content, MAX_BYTES))
        return OpenedDocument(DocumentInfo(), lambda: iter([Page(1, tuple(calendar_blocks(text)))]))


def calendar_blocks(text: str) -> Iterator[Block]:
    """A block for each event and task of a calendar; for an invitation, it begins with what is asked."""
    method = ""
    values: dict[str, list[str]] | None = None
    below = 0  # alarms inside an event have a description of their own
    for line in _FOLD.sub("", text).splitlines():
        name, value = _property(line)
        if name == "METHOD":
            method = one_line(value).upper()
        elif name == "BEGIN" and value.upper() in _ENTRIES:
            values, below = {}, 0
        elif values is None:
            continue
        elif name == "BEGIN":
            below += 1
        elif name == "END" and value.upper() in _ENTRIES:
            yield from _entry(values, method)
            values = None
        elif name == "END":
            below -= 1
        elif name in _LABELS and not below:
            values.setdefault(name, []).append(_shown(name, line, value))


def _entry(values: dict[str, list[str]], method: str) -> Iterator[Block]:
    lines = [f"{method.capitalize()} of a meeting"] if method in {"REQUEST", "CANCEL", "REPLY"} else []
    for name, label in _LABELS.items():
        shown = ", ".join(filter(None, dict.fromkeys(values.get(name, ())[:_MAX_ATTENDEES])))
        if shown:
            lines.append(f"{label}: {shown}")
    if lines:
        yield Block(BlockKind.text, "\n".join(lines))


def _property(line: str) -> tuple[str, str]:
    """The name and the value of a line, whose parameters may hold colons in quotation marks."""
    quoted = False
    for at, sign in enumerate(line[:1_000]):
        quoted ^= sign == '"'
        if sign == ":" and not quoted:
            return line[:at].partition(";")[0].strip().upper(), line[at + 1 :]
    return "", ""


def _shown(name: str, line: str, value: str) -> str:
    if name in {"DTSTART", "DTEND", "DUE"}:
        return _moment(value, _parameter(line, "TZID"))
    if name in {"ORGANIZER", "ATTENDEE"}:
        address = value.removeprefix("mailto:").removeprefix("MAILTO:").strip()
        person = _parameter(line, "CN")
        return one_line(f"{person} <{address}>" if person and person != address else address)
    text = clean(_ESCAPED.sub(lambda sign: "\n" if sign[1] in "nN" else sign[1], value)).strip()
    return text if name == "DESCRIPTION" else one_line(text)


def _moment(value: str, zone: str) -> str:
    found = _TIME.match(value.strip())
    if not found:
        return one_line(value)
    year, month, day, hour, minute, is_utc = found.groups()
    at = f" {hour}:{minute}" if hour else ""
    where = " UTC" if is_utc else f" ({zone})" if zone and at else ""
    return f"{year}-{month}-{day}{at}{where}"


def _parameter(line: str, name: str) -> str:
    return next(
        (one_line(value.strip('"')) for key, value in _PARAMETER.findall(line[:1_000]) if key.upper() == name), ""
    )
