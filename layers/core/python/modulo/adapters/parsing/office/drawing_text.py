"""Reads the text of shapes, charts and diagrams, which all Office formats write alike (DrawingML)."""

from dataclasses import dataclass, field

from lxml import etree

from modulo.adapters.parsing.linear_notation import built_fractions, subscript, superscript
from modulo.adapters.parsing.office.elements import attribute, child, local
from modulo.adapters.parsing.office.omml import formula
from modulo.adapters.parsing.office.symbols import in_symbol_font, is_symbol_font
from modulo.adapters.parsing.text_decoding import clean

_SKIPPED = frozenset({"Fallback", "pPr", "rPr", "endParaRPr"})
_SPACES = {"br": " ", "tab": " "}


@dataclass(slots=True)
class Words:
    """The words of a paragraph; neighbours that are raised or lowered alike are written as one script."""

    _shown: list[str] = field(default_factory=list)
    _shifted: list[str] = field(default_factory=list)
    _shift: str = ""
    _formula: bool = False

    def write(self, text: str, shift: str = "") -> None:
        """Add text, which may be a `superscript` or `subscript`."""
        if not text:
            return
        if shift != self._shift:
            self._end_script()
            self._shift = shift
        (self._shifted if shift else self._shown).append(text)
        self._formula = False

    def write_formula(self, text: str) -> None:
        """Add a formula, apart from one right before it."""
        if text:
            self.write(f" {text}" if self._formula else text)
            self._formula = True

    @property
    def text(self) -> str:
        """The text so far."""
        self._end_script()
        return built_fractions(clean("".join(self._shown))).strip()

    @property
    def length(self) -> int:
        """How many pieces of text have been written so far."""
        return len(self._shown) + len(self._shifted)

    @property
    def is_blank(self) -> bool:
        """Whether nothing but white space has been written so far."""
        return not any(word.strip() for word in (*self._shown, *self._shifted))

    def _end_script(self) -> None:
        if self._shifted:
            text = "".join(self._shifted)
            self._shown.append(superscript(text) if self._shift == "superscript" else subscript(text))
            self._shifted, self._shift = [], ""


def line_of(paragraph: etree._Element) -> str:
    """The text of a paragraph of a shape, on one line."""
    words = Words()
    _walk(paragraph, words)
    return words.text


def _walk(element: etree._Element, words: Words) -> None:
    for part in element:
        name = local(part)
        if name == "r":
            text = child(part, "t")
            properties = child(part, "rPr")
            written = (text.text or "") if text is not None else ""
            if properties is None:
                words.write(written)
            else:
                words.write(_in_font(properties, written), _shift(properties))
        elif name == "t":
            words.write(part.text or "")
        elif name in _SPACES:
            words.write(_SPACES[name])
        elif name == "oMath":
            words.write_formula(formula(part))
        elif name not in _SKIPPED:
            _walk(part, words)


def _shift(properties: etree._Element) -> str:
    baseline = (properties.get("baseline") or "").rstrip("%")
    if not baseline or baseline.strip("-+0.") == "":
        return ""
    return "subscript" if baseline.startswith("-") else "superscript"


def _in_font(properties: etree._Element, text: str) -> str:
    for name in ("sym", "latin"):
        font = child(properties, name)
        if font is not None and is_symbol_font(attribute(font, "typeface")):
            return in_symbol_font(attribute(font, "typeface"), text, letters=name == "latin")
    return text
