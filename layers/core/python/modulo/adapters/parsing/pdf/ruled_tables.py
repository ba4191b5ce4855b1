"""Finds tables on a PDF's page by their ruling lines or shaded rows."""

from bisect import bisect
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from modulo.adapters.parsing.pdf.geometry import Box, Rule, Rules, Run

_TOLERANCE = 2.5  # points between lines that count as touching
_MAX_RULES = 800


@dataclass(slots=True)
class RuledTable:
    """A table with ruling lines.

    `columns` are the x coordinates between its columns from left to right, `rows` the y coordinates between its rows
    from top to bottom.
    """

    box: Box
    columns: list[float]
    rows: list[float]
    runs: list[Run] = field(default_factory=list)

    def holds(self, run: Run) -> bool:
        """Whether the middle of the run is inside the table."""
        return self.box.left <= run.center <= self.box.right and self.box.bottom <= run.middle <= self.box.top


def find_ruled_tables(rules: Rules, runs: Sequence[Run]) -> list[RuledTable]:
    """The tables with ruling lines between their columns, each with its runs; of nested tables the larger."""
    horizontal, vertical = _merged(rules.horizontal), _merged(rules.vertical)
    if not vertical or len(horizontal) + len(vertical) > _MAX_RULES:
        return []
    tables = []
    for across, down in _connected(horizontal, vertical):
        box = _frame(across, down, runs)
        tall = [rule.at for rule in down if _covered(rule.at, down) * 2 > box.top - box.bottom]
        table = RuledTable(box, _inner(tall, box.left, box.right), [])
        table.runs = [run for run in runs if table.holds(run)]
        if not table.columns or not table.runs:
            continue
        borders = [rule.at for rule in across if _covered(rule.at, across) * 5 > 2 * (box.right - box.left)]
        for rule in rules.vertical:  # some programs draw the lines of each cell separately
            if any(abs(rule.at - x) <= _TOLERANCE for x in tall):
                borders += [y for y in (rule.start, rule.end) if box.bottom <= y <= box.top]
        table.rows = [y for y in _inner(borders, box.bottom, box.top) if not _crosses_text(y, table.runs)][::-1]
        table.columns = [x for x in table.columns if _separates(x, table.runs)]
        if table.columns and (table.rows or len(across) > 1):
            tables.append(table)
    return _outermost(tables)


def _merged(rules: Iterable[Rule]) -> list[Rule]:
    """The lines with the pieces of one line merged."""
    merged: list[Rule] = []
    for beside in _clusters(rules):
        last: Rule | None = None
        for rule in sorted(beside, key=lambda rule: rule.start):
            if last and rule.start <= last.end + _TOLERANCE:
                last = merged[-1] = Rule(last.at, last.start, max(last.end, rule.end))
            else:
                merged.append(rule)
                last = rule
    return merged


def _clusters(rules: Iterable[Rule]) -> Iterator[list[Rule]]:
    """Groups of lines at the same coordinate, within the tolerance."""
    cluster: list[Rule] = []
    for rule in sorted(rules):
        if cluster and rule.at - cluster[0].at > _TOLERANCE:
            yield cluster
            cluster = []
        cluster.append(rule)
    if cluster:
        yield cluster


def _connected(horizontal: list[Rule], vertical: list[Rule]) -> list[tuple[list[Rule], list[Rule]]]:
    """Groups of lines that touch each other or stand side by side; groups without vertical lines are left out."""
    groups = _DisjointSets(len(horizontal) + len(vertical))
    for h, across in enumerate(horizontal):
        for v, down in enumerate(vertical, len(horizontal)):
            if (
                across.start - _TOLERANCE <= down.at <= across.end + _TOLERANCE
                and down.start - _TOLERANCE <= across.at <= down.end + _TOLERANCE
            ):
                groups.union(h, v)
    for v, (one, other) in enumerate(pairwise(vertical), len(horizontal)):
        if abs(one.start - other.start) + abs(one.end - other.end) <= 2 * _TOLERANCE:
            groups.union(v, v + 1)
    found: dict[int, tuple[list[Rule], list[Rule]]] = {}
    for v, down in enumerate(vertical, len(horizontal)):
        found.setdefault(groups.find(v), ([], []))[1].append(down)
    for h, across in enumerate(horizontal):
        if groups.find(h) in found:
            found[groups.find(h)][0].append(across)
    return list(found.values())


class _DisjointSets:
    """A union-find structure over the items 0 to `count` - 1."""

    def __init__(self, count: int) -> None:
        self._parent = list(range(count))

    def find(self, item: int) -> int:
        """The representative of the item's set."""
        while self._parent[item] != item:
            self._parent[item] = self._parent[self._parent[item]]
            item = self._parent[item]
        return item

    def union(self, one: int, other: int) -> None:
        """Merge the sets of two items."""
        self._parent[self.find(one)] = self.find(other)


def _frame(across: list[Rule], down: list[Rule], runs: Sequence[Run]) -> Box:
    """The table's outline; without horizontal lines it is as wide as the text beside the vertical ones."""
    bottom = min([rule.start for rule in down] + [rule.at for rule in across])
    top = max([rule.end for rule in down] + [rule.at for rule in across])
    left = min([rule.at for rule in down] + [rule.start for rule in across])
    right = max([rule.at for rule in down] + [rule.end for rule in across])
    if not across:
        beside = [run for run in runs if bottom <= run.middle <= top]
        left = min([left] + [run.left for run in beside])
        right = max([right] + [run.right for run in beside])
    return Box(left - 1, bottom - 1, right + 1, top + 1)


def _covered(place: float, rules: Iterable[Rule]) -> float:
    """The total length of the lines at a coordinate; the edges of a chart's bars are shorter than a table's lines."""
    return sum(rule.end - rule.start for rule in rules if abs(rule.at - place) <= _TOLERANCE)


def _inner(places: Iterable[float], low: float, high: float) -> list[float]:
    """The distinct coordinates well within the bounds, ascending."""
    inner: list[float] = []
    for place in sorted(places):
        if low + 2 * _TOLERANCE < place < high - 2 * _TOLERANCE and (not inner or place - inner[-1] > 2 * _TOLERANCE):
            inner.append(place)
    return inner


def _crosses_text(y: float, runs: Iterable[Run]) -> bool:
    """Whether a horizontal line goes through text, as one that strikes it out or underlines it does."""
    return any(run.bottom + 0.3 * run.height < y < run.top - 0.3 * run.height for run in runs)


def _separates(x: float, runs: Sequence[Run]) -> bool:
    """Whether a vertical line has text on both sides, and little text crosses it."""
    crossing = sum(run.left + 2 < x < run.right - 2 and len(run.split([x])) == 1 for run in runs)
    return crossing * 4 <= len(runs) and any(run.center < x for run in runs) and any(run.center > x for run in runs)


def _outermost(tables: list[RuledTable]) -> list[RuledTable]:
    """The tables that are not inside a larger one."""
    kept: list[RuledTable] = []
    for table in sorted(tables, key=lambda table: len(table.runs), reverse=True):
        if not any(other.holds(table.runs[0]) for other in kept):
            kept.append(table)
    return kept


def cells_of(table: RuledTable) -> list[list[list[Run]]]:
    """The runs of each cell, by row from the top and then by column."""
    borders = [-y for y in table.rows]
    rows: list[list[list[Run]]] = [[[] for _ in range(len(table.columns) + 1)] for _ in range(len(borders) + 1)]
    for run in table.runs:
        for part in run.split(table.columns):
            spans = bisect(table.columns, part.left + 2) != bisect(table.columns, part.right - 2)
            column = bisect(table.columns, part.left + 2 if spans else part.center)
            rows[bisect(borders, -part.middle)][column].append(part)
    return rows
