"""Reads the paragraphs of shapes on slides: as text, or as items with their bullets and automatic numbers."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from lxml import etree

from modulo.adapters.parsing.numerals import whole_number
from modulo.adapters.parsing.office.drawing_text import line_of
from modulo.adapters.parsing.office.elements import attribute, child, local
from modulo.adapters.parsing.office.numerals import numeral

_MAX_LEVEL = 8
_MAX_NUMBER = 1_000_000
_STYLES = {
    "arabic": "decimal", "alphaLc": "lowerLetter", "alphaUc": "upperLetter", "romanLc": "lowerRoman",
    "romanUc": "upperRoman", "circleNum": "decimalEnclosedCircle", "ea1": "chineseCounting",
}  # fmt: skip
_ENDS = {"ParenBoth": "({})", "ParenR": "{})", "Period": "{}.", "Minus": "{} -"}
_TYPE = re.compile(rf"({'|'.join(_STYLES)})")


@dataclass(frozen=True, slots=True)
class _Bullet:
    """How a paragraph is marked: by the numbers of a type from a start on, by a sign, or not at all if `none`."""

    numbers: str = ""
    start: int = 1
    none: bool = False


@dataclass(slots=True)
class _Counter:
    """Counts the numbered paragraphs of one body by level."""

    _levels: dict[int, tuple[_Bullet, int]] = field(default_factory=dict)

    def label(self, level: int, bullet: _Bullet) -> str:
        """The number of the next paragraph; an empty text if it has none."""
        known = self._levels.get(level)
        self._levels = {other: count for other, count in self._levels.items() if other < level}
        if not bullet.numbers:
            return ""
        number = known[1] + 1 if known and known[0] == bullet else bullet.start
        self._levels[level] = bullet, number
        return _written(number, bullet.numbers)


def text_of(body: etree._Element, *, bullets: bool) -> str:
    """The paragraphs of a body, a line each; if `bullets` and there are several, as items of a list."""
    counter, styles = _Counter(), child(body, "lstStyle")
    lines: list[tuple[int, str, bool, str]] = []
    for paragraph in _paragraphs(body):
        line = line_of(paragraph)
        if not line:
            continue
        properties = child(paragraph, "pPr")
        level = attribute(properties, "lvl") if properties is not None else ""
        depth = whole_number(level, most=_MAX_LEVEL)
        bullet = _bullet(properties) or _bullet(_style(styles, depth)) or _Bullet()
        lines.append((depth, counter.label(depth, bullet), bullet.none, line))
    listed = bullets and len(lines) > 1
    return "\n".join(
        "  " * depth * (listed or bool(label)) + (f"{label} " if label else "- " if listed and not none else "") + line
        for depth, label, none, line in lines
    )


def _paragraphs(body: etree._Element) -> Iterable[etree._Element]:
    return (part for part in body if local(part) == "p")


def _style(styles: etree._Element | None, depth: int) -> etree._Element | None:
    return child(styles, f"lvl{depth + 1}pPr") if styles is not None else None


def _bullet(properties: etree._Element | None) -> _Bullet | None:
    """The mark that properties state; None if they state none."""
    for part in properties if properties is not None else ():
        name = local(part)
        if name == "buAutoNum":
            start = attribute(part, "startAt")
            first = min(int(start), _MAX_NUMBER) if start.isdecimal() and len(start) < 9 else 1
            return _Bullet(attribute(part, "type") or "arabicPeriod", first)
        if name in {"buNone", "buChar", "buBlip"}:
            return _Bullet(none=name == "buNone")
    return None


def _written(number: int, kind: str) -> str:
    found = _TYPE.match(kind)
    shown = numeral(number, _STYLES[found[1]]) if found else str(number)
    return next((form.format(shown) for end, form in _ENDS.items() if kind.endswith(end)), shown)
