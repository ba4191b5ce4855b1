"""Reads e-mail: headers, text, letters inside, invitations, and attachments that are text."""

import binascii
from base64 import b64decode
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import Message
from io import BytesIO
from typing import BinaryIO

from modulo.adapters.parsing.html_blocks import blocks_in
from modulo.adapters.parsing.html_parser import declared_encoding, html_tree
from modulo.adapters.parsing.ics_parser import calendar_blocks
from modulo.adapters.parsing.mail_headers import MAX_LENGTH, decoded, header
from modulo.adapters.parsing.mail_message import inside, message_of
from modulo.adapters.parsing.mail_text import is_stub, payload_of, unflowed
from modulo.adapters.parsing.opened_document import OpenedDocument
from modulo.adapters.parsing.parser_registry import parser_for
from modulo.adapters.parsing.text_decoding import clean, decode, one_line, read_whole
from modulo.adapters.parsing.text_parser import paragraphs
from modulo.domain.documents.document import Block, BlockKind, Page
from modulo.domain.errors import CorruptFile, FileRejected, OversizedFile
from modulo.domain.files import media
from modulo.domain.files.file import DocumentInfo

MAX_BYTES = 48 * 1024**2  # twice what most mail servers accept
MAX_PARTS = 1_000
_MAX_DEPTH = 5  # of messages forwarded inside messages
_MAX_ATTACHMENTS = 200
_SHOWN_HEADERS = ("From", "To", "Cc", "Date")
_TYPICAL_HEADERS = ("From", "To", "Subject", "Date", "Received", "Message-ID", "MIME-Version", "Content-Type")
_LETTER = "message/rfc822"
_CALENDARS = frozenset({"text/calendar", "application/ics"})
_NOT_SHOWN = frozenset({"text/x-amp-html", "text/rtf", "text/richtext", "text/enriched", "text/vcard", "text/css"})
_NOT_READ = frozenset({media.PDF, media.DOCX, media.PPTX, media.XLSX, media.ZIP})
"""Attachments that are listed by name only: they are files to be uploaded by themselves."""


class EmlParser:
    """A parser of e-mail as programs save it (EML, RFC 5322)."""

    def parse(self, content: BinaryIO) -> OpenedDocument:
        """Open a file; nothing that it links to is fetched.

        Raises:
            FileRejected: the file cannot be read, for the reason that the subclass names.
        """
        message = _parse(read_whole(content, MAX_BYTES))
        info = DocumentInfo(
            title=header(message, "Subject") or None,
            author=header(message, "From") or None,
            keywords=header(message, "Keywords") or None,
            creator=header(message, "X-Mailer") or header(message, "User-Agent") or None,
            creation_date=header(message, "Date") or None,
        )
        return OpenedDocument(info, lambda: iter([Page(1, tuple(_Reader().message(message, 1)))]))


def _parse(found: bytes) -> Message:
    message = message_of(found)
    if not _has_headers(message):
        raise CorruptFile("The file does not begin like an e-mail: it is damaged or of another type.")
    return message


def _has_headers(message: Message) -> bool:
    return any(name in message for name in _TYPICAL_HEADERS)


@dataclass(slots=True)
class _Reader:
    """Reads one message and the messages inside it."""

    parts: int = 0
    attachments: list[str] = field(default_factory=list)
    texts: list[Block] = field(default_factory=list)
    """What attachments of the current message hold."""
    events: set[str] = field(default_factory=set)

    def message(self, message: Message, level: int) -> Iterator[Block]:
        """The blocks of a message: subject, headers, text, attachments; `level` is that of its subject as heading."""
        if subject := header(message, "Subject"):
            yield Block(BlockKind.heading, subject, level)
        shown = [f"{name}: {value}" for name in _SHOWN_HEADERS if (value := header(message, name))]
        if shown:
            yield Block(BlockKind.text, "\n".join(shown))
        outer, self.attachments, self.texts = (self.attachments, self.texts), [], []
        yield from self._part(message, level)
        if self.attachments:
            yield Block(BlockKind.text, f"Attachments: {', '.join(self.attachments)}")
        yield from self.texts
        self.attachments, self.texts = outer

    def _part(self, part: Message, level: int) -> Iterator[Block]:
        self.parts += 1
        if self.parts > MAX_PARTS:
            raise OversizedFile(f"An e-mail may have at most {MAX_PARTS} parts.")
        kind = part.get_content_type()
        name = _file_name(part)
        if kind == _LETTER or (name.lower().endswith(".eml") and not part.is_multipart()):
            yield from self._letter(part, level)
        elif kind in _CALENDARS:
            yield from self._calendar(part)
        elif kind == "multipart/alternative":
            yield from self._alternative(inside(part), level)
        elif part.is_multipart():
            for item in inside(part):
                yield from self._part(item, level)
        elif name:
            self._attach(part, name, level)
        elif kind.startswith("text/") and kind not in _NOT_SHOWN:
            yield from _text(part, level)

    def _letter(self, part: Message, level: int) -> Iterator[Block]:
        """A letter inside, also where its content is encoded, which the standard forbids."""
        if level >= _MAX_DEPTH:
            return
        letters = inside(part)
        if letters and _has_headers(letters[0]):
            yield from self.message(letters[0], level + 1)
            return
        with suppress(FileRejected, binascii.Error):
            content = b64decode(_raw(letters[0]) + b"==") if letters else payload_of(part)
            yield from self.message(_parse(content), level + 1)

    def _alternative(self, alternatives: list[Message], level: int) -> Iterator[Block]:
        """The plain text, unless it is empty or a stub, else the page; and the event of an invitation."""
        plain: list[Block] = []
        rich: list[Block] = []
        events: list[Block] = []
        attachments, texts = list(self.attachments), list(self.texts)
        for item in alternatives:
            blocks = list(self._part(item, level))
            kind = item.get_content_type()
            if kind in _CALENDARS:
                events += blocks
            elif kind == "text/plain" and not plain:
                plain = blocks
            elif blocks:
                rich = blocks  # the last one is the richest
        if plain and not (rich and is_stub(_words(plain), _words(rich))):
            rich = plain
            self.attachments, self.texts = attachments, texts  # pictures of the page are no attachments
        yield from rich
        yield from events

    def _calendar(self, part: Message) -> Iterator[Block]:
        """The events of an invitation, which often comes twice: as an alternative and as an attachment."""
        with suppress(FileRejected):
            for block in calendar_blocks(decode(payload_of(part), _charset(part))):
                if block.text not in self.events:
                    self.events.add(block.text)
                    yield block

    def _attach(self, part: Message, name: str, level: int) -> None:
        """Take down the name of an attachment, and what it holds if it is text."""
        if len(self.attachments) >= _MAX_ATTACHMENTS:
            return
        self.attachments.append(name)
        content = payload_of(part)
        with suppress(FileRejected):
            media_type = media.media_type_of(name, content[: media.HEAD_BYTES])
            if media_type in _NOT_READ or not content:
                return
            pages = parser_for(media_type).parse(BytesIO(content)).pages()
            blocks = [_lower(block, level + 1) for page in pages for block in page.blocks]
            self.texts += [Block(BlockKind.heading, name, level + 1), *blocks]


def _raw(message: Message) -> bytes:
    payload = message.get_payload()
    return payload.encode("ascii", "ignore") if isinstance(payload, str) else b""


def _words(blocks: list[Block]) -> str:
    return " ".join(block.text for block in blocks)


def _lower(block: Block, level: int) -> Block:
    """The block, a heading some levels further down."""
    return Block(block.kind, block.text, block.level + level if block.level else 0)


def _text(part: Message, level: int) -> Iterator[Block]:
    with suppress(FileRejected):  # a part that is not text must not fail the others
        found = payload_of(part)
        is_page = part.get_content_type() == "text/html"
        text = decode(found, _charset(part) or (declared_encoding(found) if is_page else None))
        if not is_page:
            if _parameter(part, "format") == "flowed":
                text = unflowed(text, delete_spaces=_parameter(part, "delsp") == "yes")
            yield from paragraphs(clean(text))
            return
        for block in blocks_in(html_tree(text)):
            yield _lower(block, level)


def _charset(part: Message) -> str | None:
    with suppress(Exception):  # the library raises many kinds of errors on malformed parameters
        return part.get_content_charset()
    return None


def _parameter(part: Message, name: str) -> str:
    with suppress(Exception):  # see above
        return str(part.get_param(name, "")).lower()
    return ""


def _file_name(part: Message) -> str:
    """The name of an attachment; an empty text for a part that is shown."""
    with suppress(Exception):  # see above
        name = one_line(decoded(str(part.get_filename() or ""))[:MAX_LENGTH])[:200]
        return name or ("unnamed" if part.get_content_disposition() == "attachment" else "")
    return "unnamed"
