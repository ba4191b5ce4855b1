"""Turns the elements of an HTML page into blocks, without hidden elements and boilerplate."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

from modulo.adapters.parsing.block_builder import BlockBuilder
from modulo.adapters.parsing.html_fields import FIELDS, field_text
from modulo.adapters.parsing.html_links import shown_target
from modulo.adapters.parsing.html_visibility import Visibility
from modulo.adapters.parsing.linear_notation import built_fractions, subscript, superscript
from modulo.adapters.parsing.mathml import math_text
from modulo.adapters.parsing.numerals import whole_number
from modulo.adapters.parsing.table_blocks import table_blocks
from modulo.adapters.parsing.text_decoding import clean, one_line
from modulo.domain.documents.document import Block, BlockKind

_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_BLOCK_TAGS = frozenset(
    [
        *_HEADINGS,
        *("address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details", "div", "dl", "dt"),
        *(
            "fieldset",
            "figcaption",
            "figure",
            "footer",
            "form",
            "header",
            "hgroup",
            "hr",
            "html",
            "legend",
            "li",
            "main",
            "ol",
            "p",
            "pre",
        ),
        *("section", "summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul"),
    ]
)
_LEAVES = FIELDS | {"math"}
_INLINE = frozenset({"a", "sup", "sub"})
_BLOCK_STYLE = re.compile(r"display\s{0,8}:\s{0,8}(?:block|flex|grid|table|list-item|flow-root)", re.IGNORECASE)
_LIST_STYLE = re.compile(r"list-style(?:-type)?\s{0,8}:\s{0,8}([a-z-]{1,30})", re.IGNORECASE)
_LIST_STYLES = {
    "lower-alpha": "a",
    "lower-latin": "a",
    "upper-alpha": "A",
    "upper-latin": "A",
    "lower-roman": "i",
    "upper-roman": "I",
}
_INTEGER = re.compile(r"\s{0,8}(-?\d{1,9})", re.ASCII)
_MAX_SPAN = 100
_SPACE = re.compile(r"\s+")


def text_in(root: etree._Element, visibility: Visibility | None = None) -> str:
    """The visible text of an element, on one line."""
    writer = _BlockWriter(has_lists=False)
    _write(root, writer, visibility or Visibility(root), tables=False)
    return one_line(" ".join(block.text for block in writer.builder.blocks))


def blocks_in(root: etree._Element, *, is_main: bool = False, keep_boilerplate: bool = False) -> list[Block]:
    """The blocks of an element in order; boilerplate is recognised by class and id.

    If the element `is_main` content, asides and footers in it are content too.
    """
    writer = _BlockWriter()
    _write(root, writer, Visibility(root, is_main, keep_boilerplate), tables=True)
    return writer.builder.blocks


def _write(root: etree._Element, writer: "_BlockWriter", visibility: Visibility, *, tables: bool) -> None:
    for event, element in _events(root, visibility, tables=tables):
        if event == "start":
            writer.enter(element, visibility.label_of(element))
        elif event == "table":
            writer.end()
            writer.builder.add(*_table(element, visibility))
        elif event == "leaf":
            writer.write_leaf(element)
        else:
            if event == "end":
                writer.leave(element)
            if element is not root:
                writer.write(element.tail)
    writer.end()
    writer.builder.flush()


def _events(root: etree._Element, visibility: Visibility, *, tables: bool) -> Iterator[tuple[str, etree._Element]]:
    """The "start" and "end" of each visible element.

    A skipped element has one "tail" event, for the text behind it. If `tables`, a table of data has a "table" and a
    "tail" event, and none for its content; fields, pictures and formulas have a "leaf" and a "tail" event.
    """
    walk = etree.iterwalk(root, events=("start", "end"))
    skipped: etree._Element | None = None
    for event, element in walk:
        if event == "end":
            yield ("tail" if element is skipped else "end"), element
        elif element is not root and visibility.is_skipped(element):
            skipped = element
            walk.skip_subtree()
        elif element.tag in _LEAVES:
            yield "leaf", element
            skipped = element
            walk.skip_subtree()
        elif tables and element.tag == "table" and _is_data_table(element):
            yield "table", element
            skipped = element
            walk.skip_subtree()
        else:
            yield "start", element


@dataclass(slots=True)
class _BlockWriter:
    """Collects the text of a block until the block ends."""

    builder: BlockBuilder = field(default_factory=BlockBuilder)
    has_lists: bool = True
    words: list[str] = field(default_factory=list)
    level: int = 0
    preformatted: int = 0
    _inline: list[int] = field(default_factory=list)
    """Where in `words` each open link, superscript and subscript starts."""

    def enter(self, element: etree._Element, label: str = "") -> None:
        """Take the start of an element and the text behind its tag; a label is a block before it."""
        tag = str(element.tag)
        if _is_block(element):
            self.end()
        if label:
            self.builder.add_text(label)
        self.level = _HEADINGS.get(tag, self.level)
        if tag in {"ul", "ol"}:
            self._open_list(element)
        elif tag == "li" and self.has_lists:
            self.builder.start_item(_integer(element.get("value")))
        elif tag == "br":
            self.words.append("\n")
        elif tag in _INLINE:
            self._inline.append(len(self.words))
        self.preformatted += tag == "pre"
        self.write(element.text)

    def leave(self, element: etree._Element) -> None:
        """Take the end of an element."""
        tag = str(element.tag)
        if tag in _INLINE:
            self._leave_inline(element)
        if _is_block(element):
            self.end()
        if tag in _HEADINGS:
            self.level = 0
        elif tag in {"ul", "ol"} and self.has_lists:
            self.builder.close_list()
        self.preformatted -= tag == "pre"

    def write(self, text: str | None) -> None:
        """Add text to the block."""
        if text:
            self.words.append(text if self.preformatted else _SPACE.sub(" ", text))

    def write_leaf(self, element: etree._Element) -> None:
        """Add the text of a field, a picture or a formula."""
        text = math_text(element) if element.tag == "math" else field_text(element)
        if text:
            self.write(f" {text} ")

    def end(self) -> None:
        """End the block."""
        text = built_fractions(clean("".join(self.words)))
        self.words = []
        self._inline = [0] * len(self._inline)
        if self.level:
            self.builder.add_heading(one_line(text), self.level)
        elif self.preformatted:
            self.builder.add_text(text.strip("\n").rstrip())
        else:
            self.builder.add_text("\n".join(map(one_line, text.split("\n"))).strip())

    def _open_list(self, element: etree._Element) -> None:
        if not self.has_lists:
            return
        if element.tag == "ul":
            self.builder.open_list(None)
            return
        style = element.get("type") or _style_of_numbers(element.get("style") or "")
        step = -1 if element.get("reversed") is not None else 1
        first = _integer(element.get("start"))
        if first is None:
            first = 1 if step > 0 else sum(1 for _ in element.iterchildren("li"))
        self.builder.open_list(first, style, step)

    def _leave_inline(self, element: etree._Element) -> None:
        """Write a superscript or subscript in signs of its own, and where a link leads."""
        start = self._inline.pop()
        text = "".join(self.words[start:])
        if element.tag == "a":
            if target := shown_target(element.get("href"), text) if text.strip() and not self.level else "":
                self.words.append(f" ({target})")
        elif element.tag == "sup":
            self.words[start:] = [_footnote_mark(text) if _is_reference(element) else superscript(text)]
        else:
            self.words[start:] = [subscript(text)]


def _is_block(element: etree._Element) -> bool:
    return element.tag in _BLOCK_TAGS or bool(_BLOCK_STYLE.search(element.get("style") or ""))


def _is_reference(raised: etree._Element) -> bool:
    """Whether a superscript leads to a footnote of the same page."""
    link = raised.find(".//a")
    link = raised.getparent() if link is None else link
    return link is not None and link.tag == "a" and (link.get("href") or "").startswith("#")


def _footnote_mark(text: str) -> str:
    mark = text.strip()
    return f"[{mark}]" if mark.isalnum() else text


def _integer(value: str | None) -> int | None:
    found = _INTEGER.match(value or "")
    return int(found[1]) if found else None


def _style_of_numbers(style: str) -> str:
    found = _LIST_STYLE.search(style)
    return _LIST_STYLES.get(found[1].lower(), "1") if found else "1"


def _is_data_table(table: etree._Element) -> bool:
    """Whether a table holds data rather than the layout of a page."""
    if table.get("role") in {"presentation", "none"} or table.find(".//table") is not None:
        return False
    return any(len(row) > 1 for row in table.iter("tr"))


def _table(table: etree._Element, visibility: Visibility) -> list[Block]:
    caption = table.find("caption")
    title = text_in(caption, visibility) if caption is not None else ""
    return [*([Block(BlockKind.text, title)] if title else []), *table_blocks(_rows(table, visibility))]


def _rows(table: etree._Element, visibility: Visibility) -> Iterator[list[str]]:
    """The rows; a cell that spans several rows is repeated in each."""
    spanning: dict[int, tuple[str, int]] = {}
    for row in table.iter("tr"):
        cells: list[str] = []
        for cell in row.iterchildren("td", "th"):
            _add_spanning_cells(cells, spanning)
            text = text_in(cell, visibility)
            rows, columns = _span(cell, "rowspan"), _span(cell, "colspan")
            if rows > 1:
                spanning[len(cells)] = (text, rows - 1)
            cells += [text, *[""] * (columns - 1)]
        _add_spanning_cells(cells, spanning)
        yield cells


def _add_spanning_cells(cells: list[str], spanning: dict[int, tuple[str, int]]) -> None:
    """Add the cells of rows above that span this row."""
    while len(cells) in spanning:
        text, rows = spanning.pop(len(cells))
        if rows > 1:
            spanning[len(cells)] = (text, rows - 1)
        cells.append(text)


def _span(cell: etree._Element, name: str) -> int:
    return max(1, whole_number(cell.get(name) or "", most=_MAX_SPAN))
