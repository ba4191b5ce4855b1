"""What the paragraph styles of a DOCX mean."""

import re
from dataclasses import dataclass, replace

from lxml import etree

from modulo.adapters.ooxml import attribute, child, local

_HEADING = re.compile(r"heading (\d)", re.IGNORECASE)
_DEEPEST = 9


@dataclass(frozen=True, slots=True)
class ParagraphStyle:
    """A heading's level, or 0, the document's title being 1; whether it makes items of a list, and how deep."""

    level: int = 0
    title: bool = False
    listed: bool = False
    depth: int = 0


def docx_styles(styles: etree._Element) -> dict[str, ParagraphStyle]:
    """The styles by id, with what they take over from those they are based on."""
    by_id = {attribute(style, "styleId"): style for style in styles if local(style) == "style"}
    known: dict[str, ParagraphStyle] = {"": ParagraphStyle()}
    for style_id in by_id:
        chain, name = [], style_id
        while name not in known and name in by_id and name not in chain:
            chain.append(name)
            name = _value(by_id[name], "basedOn")
        style = known.get(name, ParagraphStyle())
        for link in reversed(chain):
            style = known[link] = _named(by_id[link], style)
    return known


def _named(element: etree._Element, above: ParagraphStyle) -> ParagraphStyle:
    """A style by its name, which is English in every language, else by its properties."""
    name = _value(element, "name").lower()
    if found := _HEADING.match(name):
        return ParagraphStyle(int(found[1]) or 1)
    if name == "title":
        return ParagraphStyle(1, title=True)
    if name.startswith("list "):
        above = replace(above, listed=True)
    return style_of(child(element, "pPr"), above)


def style_of(properties: etree._Element | None, style: ParagraphStyle) -> ParagraphStyle:
    """The style with what a paragraph's own properties change."""
    if properties is None:
        return style
    outline = _value(properties, "outlineLvl")
    if outline.isdecimal():
        style = replace(style, level=int(outline) + 1 if int(outline) < _DEEPEST else 0)
    numbering = child(properties, "numPr")
    if numbering is not None and not style.level:
        depth = _value(numbering, "ilvl")
        listed = _value(numbering, "numId") != "0"
        style = replace(style, listed=listed, depth=min(int(depth), _DEEPEST) if depth.isdecimal() else style.depth)
    return style


def _value(element: etree._Element, name: str) -> str:
    found = child(element, name)
    return attribute(found, "val") if found is not None else ""
