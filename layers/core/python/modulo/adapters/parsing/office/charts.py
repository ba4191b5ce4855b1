"""Reads charts: the title, then the figures that the chart was drawn from as a table."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

from modulo.adapters.parsing.office.drawing_text import line_of
from modulo.adapters.parsing.office.elements import attribute, child, local
from modulo.adapters.parsing.office.number_format import shown_number
from modulo.adapters.parsing.table_blocks import table_blocks
from modulo.adapters.parsing.text_decoding import one_line
from modulo.domain.documents.document import Block, BlockKind

_MAX_POINTS = 100_000
_CATEGORIES = ("cat", "xVal")
_VALUES = ("val", "yVal")


@dataclass(slots=True)
class _Series:
    """A row of figures: what it is called, the names of its points, and their values."""

    name: str
    categories: dict[int, str] = field(default_factory=dict)
    values: dict[int, str] = field(default_factory=dict)
    sizes: dict[int, str] = field(default_factory=dict)  # of bubbles


def chart_blocks(root: etree._Element) -> list[Block]:
    """A chart as a line with its title and a table: a row for each category, a column for each series."""
    space = _extended(root) if child(root, "chartData") is not None else _plain(root)
    title, axes, series = space
    table = table_blocks(_rows(series))
    if not title and len(series) == 1:
        title = series[0].name
    caption = " \u2013 ".join(filter(None, (title, *axes)))
    return [*([Block(BlockKind.text, f"Chart: {caption}")] if caption else []), *table]


def _plain(root: etree._Element) -> tuple[str, list[str], list[_Series]]:
    chart = child(root, "chart")
    area = child(chart, "plotArea") if chart is not None else None
    title = _title(chart)
    axes = [_title(axis) for axis in (area if area is not None else ()) if local(axis).endswith("Ax")]
    series = [_series(item, number) for number, item in enumerate(root.iter("{*}ser"), 1)]
    return title, axes, series


def _title(element: etree._Element | None) -> str:
    title = child(element, "title") if element is not None else None
    return _name(title) if title is not None else ""


def _name(element: etree._Element) -> str:
    """The text of a title or the name of a series, written in it or taken from cells."""
    lines = [line_of(paragraph) for paragraph in element.iter("{*}p")]
    points = [point.text or "" for point in element.iter("{*}v")]
    return one_line(" ".join(lines or points))


def _series(element: etree._Element, number: int) -> _Series:
    series = _Series(f"Series {number}")
    for part in element:
        name = local(part)
        if name == "tx":
            series.name = _name(part) or series.name
        elif name in _CATEGORIES:
            series.categories = _points(part)
        elif name in _VALUES:
            series.values = _points(part)
        elif name == "bubbleSize":
            series.sizes = _points(part)
    return series


def _points(element: etree._Element) -> dict[int, str]:
    """The points by number; the levels of categories stand before each other, the outermost first."""
    levels = list(element.iter("{*}lvl")) or [element]
    found: dict[int, str] = {}
    for level in levels:
        code = next((part.text or "" for part in level.iter("{*}formatCode")), "")
        names = dict(_level(level, code))
        if level is levels[0]:
            found = names
            continue
        outer = ""
        for number in found:
            outer = names.get(number, outer)
            found[number] = f"{outer} {found[number]}".strip()
    return found


def _level(level: etree._Element, code: str) -> Iterator[tuple[int, str]]:
    for count, point in enumerate(level.iter("{*}pt")):
        number, value = attribute(point, "idx"), child(point, "v")
        if count >= _MAX_POINTS or not number.isdecimal() or len(number) > 8:
            continue
        text = (value.text if value is not None else point.text) or ""
        yield int(number), _shown(text, attribute(point, "formatCode") or code)


def _shown(text: str, code: str) -> str:
    """A figure under its number format; names of categories have none."""
    if not code:
        return text
    try:
        return shown_number(float(text), code) or text
    except (ValueError, OverflowError):
        return text


def _extended(root: etree._Element) -> tuple[str, list[str], list[_Series]]:
    """A chart of the newer kinds, such as waterfalls and tree maps, whose figures stand apart from its drawing."""
    chart, data = child(root, "chart"), child(root, "chartData")
    names = [_name(name) for item in root.iter("{*}series") if (name := child(item, "tx")) is not None]
    series = []
    for number, item in enumerate(data if data is not None else ()):
        if local(item) != "data":
            continue
        found = _Series(names[number] if number < len(names) else f"Series {number + 1}")
        for part in item:
            if local(part) == "strDim":
                found.categories = _points(part)
            elif local(part) == "numDim":
                found.values = _points(part)
        series.append(found)
    return _title(chart), [], series


def _rows(series: list[_Series]) -> Iterator[list[str]]:
    """The table: series that share their categories stand side by side, others below each other."""
    groups: list[list[_Series]] = []
    for one in series:
        if groups and (groups[-1][0].categories == one.categories or not one.categories) and not one.sizes:
            groups[-1].append(one)
        else:
            groups.append([one])
    for group in groups:
        columns = [(one.name, one.values) for one in group]
        columns += [(f"{one.name} (size)", one.sizes) for one in group if one.sizes]
        yield ["", *(name for name, _ in columns)]
        categories = group[0].categories
        for number in sorted({*categories, *(point for _, values in columns for point in values)}):
            cells = [values.get(number, "") for _, values in columns]
            yield [categories.get(number, str(number + 1)), *cells]
