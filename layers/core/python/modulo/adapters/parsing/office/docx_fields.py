"""Reads what the fields and form fields of a DOCX show where it is no text of the document itself."""

import re

from lxml import etree

from modulo.adapters.parsing.linear_notation import fraction, subscript, superscript
from modulo.adapters.parsing.numerals import whole_number
from modulo.adapters.parsing.office.docx_styles import value
from modulo.adapters.parsing.office.elements import attribute, child, is_on, local
from modulo.adapters.parsing.office.symbols import in_symbol_font

_PAGE = re.compile(r"\s*(?:PAGE|NUMPAGES|SECTIONPAGES|PAGEREF)\b", re.IGNORECASE)
_SYMBOL = re.compile(r"\s*SYMBOL\s+(\d{1,5}|0x[0-9a-f]{1,5})\b", re.IGNORECASE)
_FONT = re.compile(r"\\f\s+\"?([A-Za-z]+(?: \d)?)", re.IGNORECASE)
_FRACTION = re.compile(r"\\f\s?\(([^(),;]{1,99})[,;]([^(),;]{1,99})\)", re.IGNORECASE)
_ROOT = re.compile(r"\\r\s?\((?:[^(),;]{0,9}[,;])?([^(),;]{1,99})\)", re.IGNORECASE)
_SCRIPT = re.compile(r"\\s\s?\\(up|do)\s?\d{0,3}\s?\(([^(),;]{1,99})\)", re.IGNORECASE)
_CHECKED, _UNCHECKED = "☒", "☐"
_MAX_CODE_LENGTH = 1_000


def is_page_field(code: str) -> bool:
    """Whether a field shows the number of a page, or how many there are."""
    return bool(_PAGE.match(code))


def code_text(code: str) -> str:
    """What a field without a stored result shows: a symbol or an equation."""
    if found := _SYMBOL.match(code[:_MAX_CODE_LENGTH]):
        number = int(found[1], 16 if "x" in found[1].lower() else 10)
        font = _FONT.search(code[:_MAX_CODE_LENGTH])
        return in_symbol_font(font[1] if font else "", chr(number)) if 31 < number < 0xD800 else ""
    name, _, text = code[:_MAX_CODE_LENGTH].strip().partition(" ")
    if name.upper() != "EQ":
        return ""
    text = _SCRIPT.sub(lambda item: (superscript if item[1].lower() == "up" else subscript)(item[2]), text)
    text = _FRACTION.sub(lambda item: fraction(item[1], item[2]), text)
    return _ROOT.sub(lambda item: f"√({item[1].strip()})", text).strip()


def form_field(data: etree._Element) -> str | None:
    """What a check box or a drop-down list of a form shows; None for a text, which is the field's result."""
    for part in data:
        name = local(part)
        if name == "checkBox":
            state = child(part, "checked")
            return box(checked=is_on(state if state is not None else child(part, "default")))
        if name == "ddList":
            entries = [attribute(entry, "val") for entry in part if local(entry) == "listEntry"]
            chosen = value(part, "result") or value(part, "default") or "0"
            number = whole_number(chosen, len(entries), len(entries))
            return entries[number] if number < len(entries) else ""
    return None


def content_control(properties: etree._Element | None) -> str:
    """What an empty content control shows: a check box, or the chosen entry of a list."""
    for part in properties if properties is not None else ():
        name = local(part)
        if name == "checkbox":
            return box(checked=is_on(child(part, "checked")))
        if name in {"dropDownList", "comboBox"} and (chosen := attribute(part, "lastValue")):
            shown = (attribute(entry, "displayText") for entry in part if attribute(entry, "value") == chosen)
            return next(filter(None, shown), chosen)
    return ""


def box(*, checked: bool) -> str:
    """A check box."""
    return _CHECKED if checked else _UNCHECKED
