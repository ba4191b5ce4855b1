"""The blocks of a part of an HTML page."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

from modulo.adapters.decoding import clean, one_line
from modulo.adapters.flow import Flow
from modulo.adapters.tabulating import table_blocks
from modulo.domain.document import Block, BlockKind

_UNSEEN = frozenset(
    [
        *("script", "style", "noscript", "template", "svg", "math", "canvas", "iframe", "object", "audio", "video"),
        *("map", "nav", "aside", "footer", "form", "button", "select", "textarea", "dialog", "head", "datalist"),
    ]
)
_UNSEEN_ROLES = frozenset({"navigation", "banner", "contentinfo", "search", "complementary", "menu"})
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
# Names that pages give to what stands around their text and that name nothing else.
_FRAME = re.compile(
    r"(?:^|[\s_-])(?:cookies?[_-]?(?:banner|bar|box|consent|law|message|modal|notice|overlay|popup|warning)"
    r"|consent[_-]?(?:banner|bar|box|manager|modal|popup|sdk)|gdpr|onetrust|cookiebot|breadcrumbs?|skip[_-]?(?:link|nav)"
    r"|share[_-]?(?:bar|buttons?|links?)|social[_-]?(?:buttons?|icons?|links?|share)"
    r"|newsletter[_-]?(?:box|form|popup|signup))(?:$|[\s_-])",
    re.IGNORECASE,
)
_FRAMING = frozenset({"div", "section", "ul", "ol", "p", "a", "span"})
_LONGEST_NAME = 500
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_BREAKING = frozenset(
    [
        *_HEADINGS,
        *("address", "article", "blockquote", "body", "caption", "center", "dd", "details", "div", "dl", "dt"),
        *("fieldset", "figcaption", "figure", "header", "hr", "html", "legend", "li", "main", "ol", "p", "pre"),
        *("section", "summary", "table", "tbody", "td", "th", "thead", "tr", "ul"),
    ]
)
_WIDEST_SPAN = 100
_SPACE = re.compile(r"\s+")


def text_in(root: etree._Element) -> str:
    """All that is seen of an element, on one line."""
    words: list[str] = []
    for event, element in _events(root, tables=False):
        words.append((element.text if event == "start" else element.tail) or "")
        if element.tag in _BREAKING or element.tag == "br":
            words.append(" ")
    return one_line("".join(words))


def blocks_in(root: etree._Element, *, framed: bool = False) -> list[Block]:
    """The blocks of an element in its order; if `framed`, with what only a name calls no part of the text."""
    writer = _Writer()
    for event, element in _events(root, tables=True, framed=framed):
        if event == "start":
            writer.enter(element)
        elif event == "table":
            writer.end()
            writer.flow.add(*_table(element))
        else:
            if event == "end":
                writer.leave(element)
            writer.write(element.tail)
    writer.end()
    writer.flow.add()
    return writer.flow.blocks


def _events(root: etree._Element, *, tables: bool, framed: bool = False) -> Iterator[tuple[str, etree._Element]]:
    """Starts and ends of what is inside, without what is not shown.

    What is left out has a "tail" only, as have tables, which come whole if `tables` are wanted.
    """
    walk = etree.iterwalk(root, events=("start", "end"))
    skipped: etree._Element | None = None
    for event, element in walk:
        if event == "end":
            if element is not root:
                yield ("tail" if element is skipped else "end"), element
        elif element is not root and (_is_unseen(element) or not (framed or _is_text(element))):
            skipped = element
            walk.skip_subtree()
        elif tables and element.tag == "table" and _is_data(element):
            yield "table", element
            skipped = element
            walk.skip_subtree()
        else:
            yield "start", element


def _is_unseen(element: etree._Element) -> bool:
    if element.tag in _UNSEEN or not isinstance(element.tag, str):
        return True
    if element.get("hidden") is not None or element.get("aria-hidden") == "true":
        return True
    return element.get("role") in _UNSEEN_ROLES or bool(_HIDDEN.search(element.get("style") or ""))


def _is_text(element: etree._Element) -> bool:
    """Whether no name of the element says that it frames the page's text."""
    if element.tag not in _FRAMING:
        return True
    return not any(_FRAME.search((element.get(name) or "")[:_LONGEST_NAME]) for name in ("class", "id"))


@dataclass(slots=True)
class _Writer:
    """Collects words until their block ends."""

    flow: Flow = field(default_factory=Flow)
    words: list[str] = field(default_factory=list)
    level: int = 0
    preformatted: int = 0

    def enter(self, element: etree._Element) -> None:
        """An element starts."""
        tag = str(element.tag)
        if tag in _BREAKING:
            self.end()
        self.level = _HEADINGS.get(tag, self.level)
        if tag in {"ul", "ol"}:
            self.flow.open_list(1 if tag == "ol" else None)
        elif tag == "li":
            self.flow.item()
        elif tag == "br":
            self.words.append("\n")
        self.preformatted += tag == "pre"
        self.write(element.text)

    def leave(self, element: etree._Element) -> None:
        """An element that was entered ends."""
        tag = str(element.tag)
        if tag in _BREAKING:
            self.end()
        if tag in _HEADINGS:
            self.level = 0
        elif tag in {"ul", "ol"}:
            self.flow.close_list()
        self.preformatted -= tag == "pre"

    def write(self, text: str | None) -> None:
        """Further words."""
        if text:
            self.words.append(text if self.preformatted else _SPACE.sub(" ", text))

    def end(self) -> None:
        """A block's words end."""
        text = clean("".join(self.words))
        self.words = []
        if self.level:
            self.flow.heading(one_line(text), self.level)
        elif self.preformatted:
            self.flow.text(text.strip("\n").rstrip())
        else:
            self.flow.text("\n".join(map(one_line, text.split("\n"))).strip())


def _is_data(table: etree._Element) -> bool:
    """Whether a table holds data rather than a page's layout."""
    if table.get("role") in {"presentation", "none"} or table.find(".//table") is not None:
        return False
    return any(len(row) > 1 for row in table.iter("tr"))


def _table(table: etree._Element) -> list[Block]:
    caption = table.find("caption")
    named = text_in(caption) if caption is not None else ""
    return [*([Block(BlockKind.text, named)] if named else []), *table_blocks(_rows(table))]


def _rows(table: etree._Element) -> Iterator[list[str]]:
    """The rows; a cell that goes over several of them is repeated in each."""
    lasting: dict[int, tuple[str, int]] = {}
    for row in table.iter("tr"):
        cells: list[str] = []
        for cell in row.iterchildren("td", "th"):
            _take_lasting(cells, lasting)
            text = text_in(cell)
            rows, columns = _span(cell, "rowspan"), _span(cell, "colspan")
            if rows > 1:
                lasting[len(cells)] = (text, rows - 1)
            cells += [text, *[""] * (columns - 1)]
        _take_lasting(cells, lasting)
        yield cells


def _take_lasting(cells: list[str], lasting: dict[int, tuple[str, int]]) -> None:
    """Add the cells of rows above that go on here."""
    while len(cells) in lasting:
        text, rows = lasting.pop(len(cells))
        if rows > 1:
            lasting[len(cells)] = (text, rows - 1)
        cells.append(text)


def _span(cell: etree._Element, name: str) -> int:
    value = cell.get(name) or ""
    return max(1, min(int(value), _WIDEST_SPAN)) if value.isdecimal() else 1
