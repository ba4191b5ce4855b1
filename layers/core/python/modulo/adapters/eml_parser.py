"""Reads e-mail: who wrote what to whom, its text, and the names of what is attached."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from typing import BinaryIO

from modulo.adapters.decoding import clean, decode, one_line, read_whole
from modulo.adapters.html_blocks import blocks_in
from modulo.adapters.html_parser import html_tree
from modulo.adapters.opened import OpenedDocument
from modulo.adapters.text_parser import paragraphs
from modulo.domain.document import Block, BlockKind, Page
from modulo.domain.errors import CorruptFile, EmptyFile, FileRejected, OversizedFile
from modulo.domain.file import DocumentInfo

MAX_BYTES = 48 * 1024**2  # mail servers take half of it
MAX_MULTIPARTS = 100
MAX_PARTS = 1_000
_DEEPEST = 5  # letters in letters
_MOST_ATTACHMENTS = 200
_LONGEST_HEADER = 2_000
_SHOWN = ("From", "To", "Cc", "Date")
_TELLING = ("From", "To", "Subject", "Date", "Received", "Message-ID", "MIME-Version", "Content-Type")


class EmlParser:
    """A reader of e-mail as programs save it."""

    def parse(self, content: BinaryIO) -> OpenedDocument:
        """Read it; nothing that it refers to is fetched.

        Raises:
            FileRejected: it cannot be read, as the subclass says.
        """
        letter = _letter(read_whole(content, MAX_BYTES))
        info = DocumentInfo(
            title=_header(letter, "Subject") or None,
            author=_header(letter, "From") or None,
            keywords=_header(letter, "Keywords") or None,
            creator=_header(letter, "X-Mailer") or _header(letter, "User-Agent") or None,
            creation_date=_header(letter, "Date") or None,
        )
        return OpenedDocument(info, lambda: iter([Page(1, tuple(_Reader().letter(letter, 1)))]))


def _letter(found: bytes) -> Message:
    if not found.strip():
        raise EmptyFile
    if found.lower().count(b"boundary=") > MAX_MULTIPARTS:  # each line is held against every open boundary
        raise OversizedFile(f"A letter may have at most {MAX_MULTIPARTS} nested parts.")
    try:
        letter = message_from_bytes(found.lstrip())
    except RecursionError:
        raise CorruptFile("The parts of the letter are nested too deeply.") from None
    if not any(name in letter for name in _TELLING):
        raise CorruptFile("The file does not begin like a letter: it is damaged or of another type.")
    return letter


@dataclass(slots=True)
class _Reader:
    """Reads one letter and those in it."""

    parts: int = 0
    attached: list[str] = field(default_factory=list)

    def letter(self, letter: Message, level: int) -> Iterator[Block]:
        """The blocks of a letter: subject, sender and so on, text, attachments."""
        if subject := _header(letter, "Subject"):
            yield Block(BlockKind.heading, subject, level)
        shown = [f"{name}: {value}" for name in _SHOWN if (value := _header(letter, name))]
        if shown:
            yield Block(BlockKind.text, "\n".join(shown))
        attached, self.attached = self.attached, []
        yield from self._part(letter, level)
        if self.attached:
            yield Block(BlockKind.text, f"Attachments: {', '.join(self.attached)}")
        self.attached = attached

    def _part(self, part: Message, level: int) -> Iterator[Block]:
        self.parts += 1
        if self.parts > MAX_PARTS:
            raise OversizedFile(f"A letter may have at most {MAX_PARTS} parts.")
        kind = part.get_content_type()
        inside = [item for item in part.get_payload() if isinstance(item, Message)] if part.is_multipart() else []
        if name := _file_name(part):
            if len(self.attached) < _MOST_ATTACHMENTS:
                self.attached.append(name)
        elif kind == "message/rfc822":
            for item in inside[:1] if level < _DEEPEST else []:
                yield from self.letter(item, level + 1)
        elif kind == "multipart/alternative":
            yield from self._best(inside, level)
        elif inside:
            for item in inside:
                yield from self._part(item, level)
        elif kind in {"text/plain", "text/html"}:
            yield from _text(part, level)

    def _best(self, alternatives: list[Message], level: int) -> Iterator[Block]:
        """The plain text where there is some, else the first that has any."""
        for item in sorted(alternatives, key=lambda item: item.get_content_type() != "text/plain"):
            if blocks := list(self._part(item, level)):
                yield from blocks
                return


def _text(part: Message, level: int) -> Iterator[Block]:
    payload = part.get_payload(decode=True)
    with suppress(FileRejected):  # a part that is no text takes none of the others along
        text = decode(payload if isinstance(payload, bytes) else b"", part.get_content_charset())
        if part.get_content_type() == "text/plain":
            yield from paragraphs(clean(text))
            return
        for block in blocks_in(html_tree(text)):
            yield Block(block.kind, block.text, block.level + level if block.level else 0)


def _file_name(part: Message) -> str:
    """The name of what is attached rather than shown, or nothing."""
    with suppress(Exception):  # the library's own failures on malformed parameters are many
        name = one_line(_decoded(str(part.get_filename() or ""))[:_LONGEST_HEADER])[:200]
        return name or ("unnamed" if part.get_content_disposition() == "attachment" else "")
    return "unnamed"


def _header(letter: Message, name: str) -> str:
    return one_line(_decoded(str(letter.get(name, ""))[:_LONGEST_HEADER]))


def _decoded(value: str) -> str:
    """A header's text; as it stands where it is encoded wrongly."""
    try:
        parts = decode_header(value)
    except (HeaderParseError, ValueError):
        return value
    return "".join(part if isinstance(part, str) else _in(part, charset) for part, charset in parts)


def _in(part: bytes, charset: str | None) -> str:
    for encoding in (charset or "utf-8", "utf-8"):
        with suppress(LookupError, ValueError):
            return part.decode(encoding)
    return part.decode("latin-1")
