"""The evaluation as an SVG image: each measure with its interval, and the risk-coverage curves."""

from collections.abc import Iterator, Sequence
from html import escape

from modulo.cli.evaluation.bootstrap import Estimate
from modulo.cli.evaluation.evaluation import Evaluation
from modulo.cli.evaluation.measures import MEASURES
from modulo.cli.evaluation.risk_coverage import OperatingPoint, risk_coverage

COLOURS = ("#4269d0", "#efb118")
WIDTH, MARGIN, HEAD, LABEL, VALUE = 760, 28, 92, 190, 110
BAR, GAP = 14, 10
CURVE_HEIGHT, CURVE_GAP = 240, 70
STYLE = """
  text { font: 12px system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif; fill: #1f2328 }
  .title { font-size: 20px; font-weight: 600 } .panel { font-size: 14px; font-weight: 600 }
  .soft { fill: #656d76 } .axis { stroke: #8c959f } .grid { stroke: #d8dee4 } .interval { stroke: #1f2328 }
"""


def render(evaluation: Evaluation, *, title: str) -> str:
    """The chart; readable on light and dark pages."""
    curves = [risk_coverage(evaluation.questions, run.found) for run in evaluation.runs]
    bars, bottom = _bars(evaluation)
    height = bottom + MARGIN
    if any(curves):
        bars += _curves(curves, bottom + CURVE_GAP)
        height = bottom + CURVE_GAP + CURVE_HEIGHT + 56
    names = [run.setup.name for run in evaluation.runs]
    legend = "".join(
        f'<rect x="{MARGIN + 200 * number}" y="62" width="10" height="10" rx="2" fill="{COLOURS[number]}"/>'
        f'<text x="{MARGIN + 200 * number + 16}" y="71">{escape(name)}</text>'
        for number, name in enumerate(names)
    )
    lines = "\n".join(bars)
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}">
<style>{STYLE}</style>
<rect width="{WIDTH}" height="{height}" rx="10" fill="#f6f8fa"/>
<text class="title" x="{MARGIN}" y="42">{escape(title)}</text>
{legend}
{lines}
</svg>
"""


def _bars(evaluation: Evaluation) -> tuple[list[str], int]:
    """A bar for each measure and run, and where they end."""
    lines: list[str] = []
    estimates = [evaluation.estimates(run) for run in evaluation.runs]
    top = HEAD
    for name in MEASURES:
        if not any(name in of_run for of_run in estimates):
            continue
        middle = top + BAR * len(estimates) / 2 + 4
        lines.append(f'<text x="{MARGIN + LABEL - 8}" y="{middle:.1f}" text-anchor="end">{escape(name)}</text>')
        for number, of_run in enumerate(estimates):
            if name in of_run:
                lines += _bar(of_run[name], COLOURS[number], top + BAR * number)
        top += BAR * len(estimates) + GAP
    return lines, top


def _bar(estimate: Estimate, colour: str, y: int) -> Iterator[str]:
    left, scale = MARGIN + LABEL, WIDTH - 2 * MARGIN - LABEL - VALUE
    middle = y + BAR / 2
    yield f'<rect x="{left}" y="{y}" width="{estimate.value * scale:.1f}" height="{BAR - 2}" rx="2" fill="{colour}"/>'
    yield (
        f'<line class="interval" x1="{left + estimate.low * scale:.1f}" x2="{left + estimate.high * scale:.1f}" '
        f'y1="{middle - 1:.1f}" y2="{middle - 1:.1f}"/>'
    )
    yield f'<text class="soft" x="{left + scale + 12}" y="{middle + 3:.1f}">{estimate.value:.3f}</text>'


def _curves(curves: Sequence[Sequence[OperatingPoint]], top: int) -> list[str]:
    """Risk over coverage, both from 0 to 1."""
    left, width = MARGIN + 40, WIDTH - 2 * MARGIN - 60
    bottom = top + CURVE_HEIGHT
    lines = [
        f'<text class="panel" x="{MARGIN}" y="{top - 18}">Share of wrong answers, over the share of questions that are '
        "answered</text>"
    ]
    for tick in range(5):
        share = tick / 4
        x, y = left + share * width, bottom - share * CURVE_HEIGHT
        lines.append(f'<line class="grid" x1="{left}" x2="{left + width}" y1="{y:.1f}" y2="{y:.1f}"/>')
        lines.append(f'<text class="soft" x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{share:g}</text>')
        lines.append(f'<text class="soft" x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{share:g}</text>')
    lines.append(f'<line class="axis" x1="{left}" x2="{left + width}" y1="{bottom}" y2="{bottom}"/>')
    for curve, colour in zip(curves, COLOURS, strict=False):
        points = " ".join(
            f"{left + point.coverage * width:.1f},{bottom - point.risk * CURVE_HEIGHT:.1f}" for point in curve
        )
        if curve:
            lines.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
    return lines
