"""Renders bar charts as one SVG image that is readable on light and dark pages."""

from collections.abc import Iterator, Sequence
from html import escape
from itertools import accumulate

from benchmarks.report import Bars, format_cell

COLOURS = ("#4269d0", "#efb118", "#3ca951", "#ff725c", "#a463f2", "#6cc5b0", "#97bbf5", "#9c6b4e")
COLUMNS, PANEL_WIDTH, GAP, MARGIN = 2, 560, 28, 28
HEAD, PANEL_HEAD, LEGEND, BAR, STEP, VALUE, PAD = 72, 44, 22, 16, 25, 78, 16
LETTER_WIDTH = 6.6
"""Average width of a letter, in pixels."""
STYLE = """
  text { font: 12px system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif; fill: #1f2328 }
  .title { font-size: 22px; font-weight: 600 } .panel { font-size: 14px; font-weight: 600 }
  .soft { fill: #656d76 } .card { fill: #ffffff; stroke: #d8dee4 } .target { stroke: #cf222e; stroke-dasharray: 4 3 }
"""


def render_svg(charts: Sequence[Bars], *, subtitle: str, title: str = "Modulo, measured") -> str:
    """The charts in two columns under a title, each as high as needed."""
    columns: list[list[Bars]] = [[] for _ in range(COLUMNS)]
    heights = [0] * COLUMNS
    placed = []
    for chart in charts:
        column = heights.index(min(heights))
        columns[column].append(chart)
        placed.append((chart, MARGIN + column * (PANEL_WIDTH + GAP), HEAD + heights[column] + MARGIN))
        heights[column] += _height(chart) + GAP
    width = 2 * MARGIN + COLUMNS * PANEL_WIDTH + (COLUMNS - 1) * GAP
    height = HEAD + MARGIN + max(heights)
    body = "\n".join(line for chart, x, y in placed for line in _panel(chart, x, y))
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">
<style>{STYLE}</style>
<rect width="{width}" height="{height}" rx="10" fill="#f6f8fa"/>
<text class="title" x="{MARGIN}" y="46">{escape(title)}</text>
<text class="soft" x="{MARGIN}" y="70">{escape(subtitle)}</text>
{body}
</svg>
"""


def _height(chart: Bars) -> int:
    return PANEL_HEAD + LEGEND * len(_legend_rows(_parts(chart))) + STEP * len(chart.rows) + PAD


def _parts(chart: Bars) -> list[str]:
    return list(dict.fromkeys(part for _, parts in chart.rows for part in parts))


def _panel(chart: Bars, x: int, y: int) -> Iterator[str]:
    names = _parts(chart)
    colours = {name: COLOURS[number % len(COLOURS)] for number, name in enumerate(names)}
    yield f'<rect class="card" x="{x}" y="{y}" width="{PANEL_WIDTH}" height="{_height(chart)}" rx="8"/>'
    yield (
        f'<text class="panel" x="{x + PAD}" y="{y + 27}">{escape(chart.title)}'
        f'<tspan class="soft" font-weight="400" dx="8">{escape(chart.unit)}</tspan></text>'
    )
    top = y + PANEL_HEAD
    for row in _legend_rows(names):
        yield from _legend({name: colours[name] for name in row}, x + PAD, top)
        top += LEGEND
    label_width = PAD + 8 + LETTER_WIDTH * max(len(label) for label, _ in chart.rows)
    largest = max([sum(parts.values()) for _, parts in chart.rows] + [chart.target or 0]) or 1
    scale = (PANEL_WIDTH - label_width - VALUE) / largest
    left = x + label_width
    for number, (label, parts) in enumerate(chart.rows):
        at, total = top + number * STEP, sum(parts.values())
        yield from _row(label, [(colours[part], value * scale) for part, value in parts.items()], left, at)
        yield f'<text x="{left + total * scale + 6:.1f}" y="{at + 12}">{format_cell(total)}</text>'
    if chart.target is not None:
        line, bottom = left + chart.target * scale, top + STEP * len(chart.rows) - 4
        yield f'<line class="target" x1="{line:.1f}" x2="{line:.1f}" y1="{top - 5}" y2="{bottom}"/>'


def _row(label: str, parts: Sequence[tuple[str, float]], x: float, y: int) -> Iterator[str]:
    yield f'<text x="{x - 8:.1f}" y="{y + 12}" text-anchor="end">{escape(label)}</text>'
    starts = accumulate((width for _, width in parts), initial=0.0)
    for (colour, width), start in zip(parts, starts, strict=False):
        if width > 0:
            yield (
                f'<rect x="{x + start:.1f}" y="{y}" width="{max(width, 1):.1f}" height="{BAR}" rx="2" fill="{colour}"/>'
            )


def _legend_rows(names: Sequence[str]) -> list[list[str]]:
    """The parts' names, wrapped to the panel's width; empty if bars have no parts."""
    rows: list[list[str]] = []
    left = 0
    for name in names if names != [""] else ():
        if left < _legend_width(name):
            rows.append([])
            left = PANEL_WIDTH - 2 * PAD
        rows[-1].append(name)
        left -= _legend_width(name)
    return rows


def _legend_width(name: str) -> int:
    return 30 + round(LETTER_WIDTH * len(name))


def _legend(colours: dict[str, str], x: int, y: int) -> Iterator[str]:
    for name, colour in colours.items():
        yield f'<rect x="{x}" y="{y}" width="10" height="10" rx="2" fill="{colour}"/>'
        yield f'<text class="soft" x="{x + 15}" y="{y + 9}">{escape(name)}</text>'
        x += _legend_width(name)
