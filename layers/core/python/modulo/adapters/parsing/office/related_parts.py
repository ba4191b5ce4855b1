"""Reads the parts that a document, a slide or a sheet refers to: charts, diagrams, drawings and comments."""

from collections.abc import Iterable, Iterator

from lxml import etree

from modulo.adapters.parsing.office.charts import chart_blocks
from modulo.adapters.parsing.office.drawing_text import line_of
from modulo.adapters.parsing.office.elements import attribute, child, link, local
from modulo.adapters.parsing.office.ooxml import Package, Relation
from modulo.adapters.parsing.text_decoding import one_line
from modulo.domain.documents.document import Block, BlockKind

_MAX_PARTS = 2_000  # charts and diagrams of one part


class RelatedParts:
    """The parts that one part of a package refers to."""

    def __init__(self, package: Package, name: str) -> None:
        """Find the relationships of the part with this name."""
        self._package = package
        self._relations = package.relations(name)
        self._read = 0

    def relation(self, reference: str) -> Relation | None:
        """The relationship with an id; None if there is none, or its part is missing."""
        relation = self._relations.get(reference)
        return relation if relation is not None and relation.target in self._package else None

    def names(self, kind: str) -> list[str]:
        """The names of the parts of one kind."""
        found = [one.target for one in self._relations.values() if one.kind == kind and one.target in self._package]
        return list(dict.fromkeys(found))

    def trees(self, kind: str) -> Iterator[etree._Element]:
        """The root elements of the parts of one kind; damaged ones are left out."""
        for name in self.names(kind):
            root = self._package.tree_or_none(name)
            if root is not None:
                yield root

    def graphics(self, element: etree._Element) -> Iterator[Block]:
        """The charts and diagrams that stand in a drawing."""
        for part in element.iter("{*}chart", "{*}relIds"):
            root = self._tree(link(part) if local(part) == "chart" else link(part, "dm"))
            if root is not None:
                yield from chart_blocks(root) if local(part) == "chart" else _diagram(root)

    def _tree(self, reference: str) -> etree._Element | None:
        relation = self.relation(reference)
        self._read += 1
        return self._package.tree_or_none(relation.target) if relation and self._read <= _MAX_PARTS else None

    def drawings(self) -> Iterator[Block]:
        """The text boxes, charts and diagrams of the drawings over a sheet."""
        for name in self.names("drawing"):
            root = self._package.tree_or_none(name)
            if root is None:
                continue
            parts = RelatedParts(self._package, name)
            for anchor in root:
                yield from _shapes(anchor)
                yield from parts.graphics(anchor)

    def comments(self) -> Iterator[Block]:
        """The comments of a sheet or a slide, each with its cell, if it has one, and its author."""
        persons = self._persons() if self.names("threadedComment") else {}
        threads = [comment for root in self.trees("threadedComment") for comment in _threaded(root, persons)]
        cells = {cell for cell, _ in threads}
        for root in self.trees("comments"):
            authors = _authors(root) or self._authors()
            for cell, text in _comments(root, authors):
                if not cell or cell not in cells:
                    yield Block(BlockKind.text, text)
        yield from (Block(BlockKind.text, text) for _, text in threads)

    def _persons(self) -> dict[str, str]:
        names = [name for name in self._package.names() if name.startswith("xl/persons/")]
        roots = (self._package.tree_or_none(name) for name in names)
        return {attribute(person, "id"): attribute(person, "displayName") for root in roots for person in _all(root)}

    def _authors(self) -> dict[str, str]:
        """The authors of a presentation's comments, who are listed once for all slides."""
        names = ("ppt/commentAuthors.xml", "ppt/authors.xml")
        roots = (self._package.tree_or_none(name) for name in names)
        return {attribute(author, "id"): attribute(author, "name") for root in roots for author in _all(root)}


def comment_line(author: str, place: str, text: str) -> str:
    """A comment with who made it and where."""
    by = f" by {one_line(author)}" if one_line(author) else ""
    on = f" on {place}" if place else ""
    return f"Comment{on}{by}: {text}"


def _all(root: etree._Element | None) -> Iterable[etree._Element]:
    return root if root is not None else ()


def _authors(root: etree._Element) -> dict[str, str]:
    listed = child(root, "authors")
    return {str(number): author.text or "" for number, author in enumerate(_all(listed))}


def _comments(root: etree._Element, authors: dict[str, str]) -> Iterator[tuple[str, str]]:
    """The comments of a part with their cells; those of slides have none."""
    for comment in root.iter("{*}comment", "{*}cm", "{*}reply"):
        author = authors.get(attribute(comment, "authorId"), "")
        paragraphs = child(comment, "txBody")
        if paragraphs is not None:
            text = one_line(" ".join(line_of(paragraph) for paragraph in paragraphs.iter("{*}p")))
        else:
            text = one_line("".join(_written(child(comment, "text"))))
        text = text.removeprefix(f"{author}:").strip()
        cell = attribute(comment, "ref")
        if text:
            yield cell, comment_line(author, cell, text)


def _written(text: etree._Element | None) -> Iterator[str]:
    if text is None:
        return
    yield text.text or ""
    for part in text.iter("{*}t"):
        yield part.text or ""


def _threaded(root: etree._Element, persons: dict[str, str]) -> Iterator[tuple[str, str]]:
    for comment in root.iter("{*}threadedComment"):
        cell, text = attribute(comment, "ref"), one_line("".join(_written(child(comment, "text"))))
        if text:
            yield cell, comment_line(persons.get(attribute(comment, "personId"), ""), cell, text)


def _diagram(root: etree._Element) -> Iterator[Block]:
    """The texts of a diagram (SmartArt) as a list."""
    points = child(root, "ptLst")
    lines = []
    for point in _all(points):
        text = child(point, "t")
        if text is not None and attribute(point, "type") not in {"pres", "parTrans", "sibTrans"}:
            lines.append(one_line(" ".join(line_of(paragraph) for paragraph in text.iter("{*}p"))))
    shown = [f"- {line}" for line in lines if line]
    if shown:
        yield Block(BlockKind.text, "\n".join(shown))


def _shapes(anchor: etree._Element) -> Iterator[Block]:
    for body in anchor.iter("{*}txBody"):
        if any(local(above) == "Fallback" for above in body.iterancestors()):
            continue
        lines = [line for paragraph in body.iter("{*}p") if (line := line_of(paragraph))]
        if lines:
            yield Block(BlockKind.text, "\n".join(lines))
