"""XML out of files that anybody may have written: no entities, no other documents, no network."""

from collections.abc import Iterator, Sequence
from typing import IO, Any, Final, Literal

from lxml import etree

_ENCODINGS: Final = ("ascii", "utf-16-le", "utf-32-le")
"""Those of little-endian machines are found in big-endian texts, too: one byte or three later."""
_OPENINGS: Final = tuple("<!".encode(code) for code in _ENCODINGS)
_DECLARATIONS: Final = tuple(mark.encode(code) for mark in ("<!DOCTYPE", "<!ENTITY") for code in _ENCODINGS)
OVERLAP_BYTES: Final = max(map(len, _DECLARATIONS)) - 1
"""What to look at again with the next bytes, where a text is looked through in pieces."""


def declares_entities(content: bytes) -> bool:
    """Whether a text may declare entities, which could grow to any size or name other files."""
    opened = any(opening in content for opening in _OPENINGS)
    return opened and any(mark in content for mark in _DECLARATIONS)


def xml_parser(*, recover: bool = False) -> etree.XMLParser:
    """A parser; with `recover`, it reads what it can of a text that is not well-formed."""
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, recover=recover)


def xml_events(
    stream: IO[bytes], events: Sequence[Literal["start", "end"]], tags: Sequence[str]
) -> Iterator[tuple[Any, etree._Element]]:
    """The beginnings and ends of elements, while the text is read.

    Raises:
        etree.XMLSyntaxError: it is not XML.
    """
    return iter(
        etree.iterparse(stream, events=events, tag=tags, resolve_entities=False, no_network=True, load_dtd=False)
    )
