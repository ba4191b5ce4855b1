"""Styles of a DOCX: which paragraphs are headings, titles and items of lists, and how runs are shown."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from lxml import etree

from modulo.adapters.parsing.numerals import whole_number
from modulo.adapters.parsing.office.elements import attribute, child, is_on, local
from modulo.adapters.parsing.office.symbols import is_symbol_font

_HEADING = re.compile(r"heading (\d)", re.IGNORECASE)
_LIST = re.compile(r"list (?:bullet|number)", re.IGNORECASE)
_MAX_LEVEL = 9
_SCRIPTS = frozenset({"superscript", "subscript"})


@dataclass(frozen=True, slots=True)
class ParagraphStyle:
    """What a style makes of a paragraph.

    `level` is a heading's level (1 for the document's title) or 0. If `listed`, it is an item of a list.
    `numbering` is the id of its list, whose level is `depth`, or the one that names the style if `depth` is None.
    """

    level: int = 0
    title: bool = False
    listed: bool = False
    numbering: str = ""
    depth: int | None = None


@dataclass(frozen=True, slots=True)
class RunStyle:
    """How a run is shown: as a `superscript` or `subscript`, in a symbol font, or not at all."""

    shift: str = ""
    font: str = ""
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Styles:
    """The styles of a document by their ids."""

    paragraphs: Mapping[str, ParagraphStyle] = field(default_factory=dict)
    runs: Mapping[str, RunStyle] = field(default_factory=dict)
    numberings: Mapping[str, str] = field(default_factory=dict)
    """The ids of the lists that styles of lists refer to."""

    def paragraph(self, properties: etree._Element | None) -> tuple[ParagraphStyle, str]:
        """The style of a paragraph with these properties, and its id."""
        if properties is None:
            return self.paragraphs.get("", _PLAIN), ""
        name = value(properties, "pStyle")
        return style_of(properties, self.paragraphs.get(name, _PLAIN)), name

    def run(self, properties: etree._Element) -> RunStyle:
        """The style of a run with these properties."""
        style = _SHOWN
        for item in properties:
            name = local(item)
            if name == "rStyle":
                style = self.runs.get(attribute(item, "val"), _SHOWN)
            elif name == "vertAlign":
                shift = attribute(item, "val")
                style = replace(style, shift=shift if shift in _SCRIPTS else "")
            elif name == "vanish":
                style = replace(style, hidden=is_on(item))
            elif name == "rFonts" and (font := _symbol_font(item)):
                style = replace(style, font=font)
        return style


_PLAIN, _SHOWN = ParagraphStyle(), RunStyle()


def docx_styles(root: etree._Element) -> Styles:
    """The styles with what they inherit from the styles they are based on."""
    by_id = {attribute(style, "styleId"): style for style in root if local(style) == "style"}
    paragraphs: dict[str, ParagraphStyle] = {"": _PLAIN}
    for style_id in by_id:
        chain, name = [], style_id
        while name not in paragraphs and name in by_id and name not in chain:
            chain.append(name)
            name = value(by_id[name], "basedOn")
        style = paragraphs.get(name, _PLAIN)
        for link in reversed(chain):
            style = paragraphs[link] = _named(by_id[link], style)
    for style_id, element in by_id.items():
        if attribute(element, "type") == "paragraph" and attribute(element, "default") in {"1", "true"}:
            paragraphs[""] = paragraphs[style_id]
    plain = Styles()
    properties = {name: child(style, "rPr") for name, style in by_id.items() if attribute(style, "type") == "character"}
    runs = {name: plain.run(found) for name, found in properties.items() if found is not None}
    numberings = {name: style.numbering for name, style in paragraphs.items() if style.numbering}
    return Styles(paragraphs, runs, numberings)


def _named(element: etree._Element, above: ParagraphStyle) -> ParagraphStyle:
    """A style by its name, which is English in every language of Word, else by its properties."""
    name = value(element, "name").lower()
    properties = child(element, "pPr")
    if found := _HEADING.match(name):
        return replace(style_of(properties, above), level=int(found[1]) or 1, title=False)
    if name == "title":
        return replace(style_of(properties, above), level=1, title=True)
    if _LIST.match(name):
        above = replace(above, listed=True)
    return style_of(properties, above)


def style_of(properties: etree._Element | None, style: ParagraphStyle) -> ParagraphStyle:
    """The style with the changes that a paragraph's own properties make."""
    for item in properties if properties is not None else ():
        name = local(item)
        if name == "outlineLvl":
            outline = whole_number(attribute(item, "val"), -1, _MAX_LEVEL)
            if outline >= 0:
                style = replace(style, level=outline + 1 if outline < _MAX_LEVEL else 0)
        elif name == "numPr":
            depth, numbering = value(item, "ilvl"), value(item, "numId")
            if depth.isdecimal():
                style = replace(style, depth=whole_number(depth, most=_MAX_LEVEL - 1))
            if numbering:
                kept = numbering if numbering != "0" else ""
                style = replace(style, listed=bool(kept), numbering=kept)
    return style


def value(element: etree._Element, name: str) -> str:
    """The value of a child, such as a property; an empty text if there is none."""
    found = child(element, name)
    return attribute(found, "val") if found is not None else ""


def _symbol_font(fonts: etree._Element) -> str:
    for key, name in fonts.attrib.items():
        if str(key).rpartition("}")[2] in {"ascii", "hAnsi"} and is_symbol_font(str(name)):
            return str(name)
    return ""
