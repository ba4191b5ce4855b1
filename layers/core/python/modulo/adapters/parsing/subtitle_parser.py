"""Reads subtitles and transcripts (SRT and WebVTT) as running text, with the time at which each paragraph begins."""

import re
from collections.abc import Iterator
from typing import BinaryIO

from modulo.adapters.parsing.opened_document import OpenedDocument
from modulo.adapters.parsing.text_decoding import clean, decode, one_line, read_whole
from modulo.domain.documents.document import Block, BlockKind, Page
from modulo.domain.files.file import DocumentInfo

MAX_BYTES = 16 * 1024**2
_PARAGRAPH_LENGTH = 600  # characters, about; paragraphs end with a cue
_BLANK = re.compile(r"\n[^\S\n]*\n")
_TIMES = re.compile(r"\s{0,8}(?P<from>(?:\d{1,3}:)?\d{1,2}:\d\d)[.,]\d{1,3}\s{1,8}-->")
_MARKUP = re.compile(r"</?[^<>\n]{1,100}>|\{\\[^{}\n]{1,100}\}")
_SPEAKER = re.compile(r"<v(?:\.[\w.-]{1,60})?\s([^<>\n]{1,100})>")


class SubtitleParser:
    """A parser of subtitles."""

    def parse(self, content: BinaryIO) -> OpenedDocument:
        """Open a file.

        Raises:
            FileRejected: the file cannot be read, for the reason that the subclass names.
        """
        text = clean(decode(read_whole(content, MAX_BYTES)))
        return OpenedDocument(DocumentInfo(), lambda: iter([Page(1, tuple(_blocks(text)))]))


def _blocks(text: str) -> Iterator[Block]:
    start, said, length = "", list[str](), 0
    for time, cue in _cues(text):
        if said and said[-1] == cue:  # rolling captions repeat the line before
            continue
        start = start or time
        said.append(cue)
        length += len(cue)
        if length >= _PARAGRAPH_LENGTH:
            yield Block(BlockKind.text, f"[{start}] {' '.join(said)}")
            start, said, length = "", [], 0
    if said:
        yield Block(BlockKind.text, f"[{start}] {' '.join(said)}")


def _cues(text: str) -> Iterator[tuple[str, str]]:
    """The time and the words of each cue; headers, notes and styles have no time."""
    for part in _BLANK.split(text):
        lines = part.strip("\n").split("\n")
        for at, line in enumerate(lines[:2]):  # a number or a name may come first
            if times := _TIMES.match(line):
                shown = " ".join(_SPEAKER.sub(r"\1: ", each) for each in lines[at + 1 :])
                if words := one_line(_MARKUP.sub("", shown)):
                    yield times["from"], words
                break
