"""Counts the numbered paragraphs of a DOCX: 1., 1.1, (a), Article IV."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from lxml import etree

from modulo.adapters.parsing.office.docx_styles import value
from modulo.adapters.parsing.office.elements import attribute, child, is_on, local
from modulo.adapters.parsing.office.numerals import numeral

BULLET = "-"
_LEVELS = 9
_PLACE = re.compile(r"%([1-9])")
_MAX_NUMBER = 1_000_000


@dataclass(frozen=True, slots=True)
class _Level:
    """A level of a list: how its numbers are written, and after which levels it starts again."""

    start: int = 1
    style: str = "decimal"
    text: str = ""
    legal: bool = False  # all numbers in digits
    restart: int | None = None  # the level, counted from 1, that restarts this one; 0 for none, None for all above
    paragraph_style: str = ""


@dataclass(slots=True)
class _List:
    """A list: its levels, the counters that it shares with other lists, and the numbers that it starts with itself."""

    levels: dict[int, _Level]
    counters: list[int | None]
    starts: dict[int, int] = field(default_factory=dict)


class Numbering:
    """The lists of a document, counted in the order in which their paragraphs are read."""

    def __init__(self, root: etree._Element | None, numberings: Mapping[str, str]) -> None:
        """Read the definitions; `numberings` are the ids of the lists that styles of lists refer to."""
        self._lists: dict[str, _List] = {}
        if root is None:
            return
        abstract = {attribute(item, "abstractNumId"): item for item in root if local(item) == "abstractNum"}
        instances = {attribute(item, "numId"): item for item in root if local(item) == "num"}
        counters: dict[str, list[int | None]] = {}
        for number, item in instances.items():
            name = _defined(value(item, "abstractNumId"), abstract, instances, numberings)
            definition = abstract.get(name)
            levels = _levels(definition) if definition is not None else {}
            found = _List(levels, counters.setdefault(name, [None] * _LEVELS))
            for override in item:
                if local(override) == "lvlOverride":
                    _override(found, override)
            self._lists[number] = found

    def depth(self, number: str, style: str, depth: int | None) -> int:
        """The level of a paragraph in the list of this number; the one that names its style if it states none."""
        if depth is not None:
            return depth
        levels = self._lists[number].levels if number in self._lists else {}
        return next((level for level, found in levels.items() if style and found.paragraph_style == style), 0)

    def label(self, number: str, depth: int) -> str:
        """The number of the next paragraph of a list; `BULLET` if it has none, an empty text if it shows nothing."""
        found = self._lists.get(number)
        level = found.levels.get(depth) if found is not None else None
        if found is None or level is None:
            return BULLET
        counters = found.counters
        if depth in found.starts:
            counters[depth] = found.starts.pop(depth) - 1
        current = counters[depth]
        counters[depth] = min((level.start - 1 if current is None else current) + 1, _MAX_NUMBER)
        for below in range(depth + 1, _LEVELS):
            restart = found.levels.get(below, _NO_LEVEL).restart
            if restart is None or depth < restart:
                counters[below] = None
        if level.style == "bullet":
            return BULLET
        return "" if level.style == "none" and "%" not in level.text else self._written(found, level).strip()

    def _written(self, found: _List, level: _Level) -> str:
        def number(place: re.Match[str]) -> str:
            depth = int(place[1]) - 1
            other = found.levels.get(depth, _NO_LEVEL)
            count = found.counters[depth]
            style = "decimal" if level.legal and other.style != "decimalZero" else other.style
            return numeral(other.start if count is None else count, style) if style != "none" else ""

        return _PLACE.sub(number, level.text)


_NO_LEVEL = _Level()


def _defined(
    name: str,
    abstract: Mapping[str, etree._Element],
    instances: Mapping[str, etree._Element],
    numberings: Mapping[str, str],
) -> str:
    """The definition that a definition refers to through a style of lists; itself if it refers to none."""
    definition = abstract.get(name)
    style = value(definition, "numStyleLink") if definition is not None else ""
    instance = instances.get(numberings.get(style, "")) if style else None
    return value(instance, "abstractNumId") or name if instance is not None else name


def _levels(definition: etree._Element) -> dict[int, _Level]:
    return {_integer(attribute(item, "ilvl")): _level(item) for item in definition if local(item) == "lvl"}


def _level(element: etree._Element) -> _Level:
    legal, restart, style = child(element, "isLgl"), value(element, "lvlRestart"), value(element, "numFmt")
    return _Level(
        start=_integer(value(element, "start"), 1),
        style=style or "decimal",
        text=value(element, "lvlText"),
        legal=is_on(legal),
        restart=_integer(restart) if restart else None,
        paragraph_style=value(element, "pStyle"),
    )


def _override(found: _List, override: etree._Element) -> None:
    depth, start, level = (
        _integer(attribute(override, "ilvl")),
        value(override, "startOverride"),
        child(override, "lvl"),
    )
    if level is not None:
        found.levels = {**found.levels, depth: _level(level)}
        found.starts[depth] = found.levels[depth].start
    if start:
        found.starts[depth] = _integer(start, 1)


def _integer(text: str, default: int = 0) -> int:
    return min(int(text), _MAX_NUMBER) if text.isdecimal() and len(text) < 10 else default
