"""Tables on a PDF's page that lines or shaded rows frame."""

from bisect import bisect
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from modulo.adapters.pdf_geometry import Box, Rule, Rules, Run

_NEAR = 2.5  # points that still count as touching
_MOST_RULES = 800


@dataclass(slots=True)
class Grid:
    """A framed table: what separates its columns from left to right and its rows from the top down."""

    box: Box
    columns: list[float]
    rows: list[float]
    runs: list[Run] = field(default_factory=list)

    def holds(self, run: Run) -> bool:
        """Whether the middle of the run is inside."""
        return self.box.left <= run.center <= self.box.right and self.box.bottom <= run.middle <= self.box.top


def find_grids(rules: Rules, runs: Sequence[Run]) -> list[Grid]:
    """The tables that have lines between their columns, each with its runs."""
    horizontal, vertical = _merged(rules.horizontal), _merged(rules.vertical)
    if not vertical or len(horizontal) + len(vertical) > _MOST_RULES:
        return []
    grids = []
    for across, down in _connected(horizontal, vertical):
        box = _frame(across, down, runs)
        tall = [rule.at for rule in down if _covered(rule.at, down) * 2 > box.top - box.bottom]
        grid = Grid(box, _inner(tall, box.left, box.right), [])
        grid.runs = [run for run in runs if grid.holds(run)]
        if not grid.columns or not grid.runs:
            continue
        borders = [rule.at for rule in across if _covered(rule.at, across) * 5 > 2 * (box.right - box.left)]
        for rule in rules.vertical:  # some programs draw the lines of each cell by themselves
            if any(abs(rule.at - x) <= _NEAR for x in tall):
                borders += [y for y in (rule.start, rule.end) if box.bottom <= y <= box.top]
        grid.rows = [y for y in _inner(borders, box.bottom, box.top) if not _cuts(y, grid.runs)][::-1]
        grid.columns = [x for x in grid.columns if _separates(x, grid.runs)]
        if grid.columns and (grid.rows or len(across) > 1):
            grids.append(grid)
    return _outermost(grids)


def _merged(rules: Iterable[Rule]) -> list[Rule]:
    """Pieces of one line put together."""
    merged: list[Rule] = []
    for beside in _clusters(rules):
        last: Rule | None = None
        for rule in sorted(beside, key=lambda rule: rule.start):
            if last and rule.start <= last.end + _NEAR:
                last = merged[-1] = Rule(last.at, last.start, max(last.end, rule.end))
            else:
                merged.append(rule)
                last = rule
    return merged


def _clusters(rules: Iterable[Rule]) -> Iterator[list[Rule]]:
    """Lines at almost the same place."""
    cluster: list[Rule] = []
    for rule in sorted(rules):
        if cluster and rule.at - cluster[0].at > _NEAR:
            yield cluster
            cluster = []
        cluster.append(rule)
    if cluster:
        yield cluster


def _connected(horizontal: list[Rule], vertical: list[Rule]) -> list[tuple[list[Rule], list[Rule]]]:
    """Lines in groups that touch each other or stand side by side; only groups with vertical ones."""
    groups = _Groups(len(horizontal) + len(vertical))
    for h, across in enumerate(horizontal):
        for v, down in enumerate(vertical, len(horizontal)):
            if (
                across.start - _NEAR <= down.at <= across.end + _NEAR
                and down.start - _NEAR <= across.at <= down.end + _NEAR
            ):
                groups.join(h, v)
    for v, (one, other) in enumerate(pairwise(vertical), len(horizontal)):
        if abs(one.start - other.start) + abs(one.end - other.end) <= 2 * _NEAR:
            groups.join(v, v + 1)
    found: dict[int, tuple[list[Rule], list[Rule]]] = {}
    for v, down in enumerate(vertical, len(horizontal)):
        found.setdefault(groups.root(v), ([], []))[1].append(down)
    for h, across in enumerate(horizontal):
        if groups.root(h) in found:
            found[groups.root(h)][0].append(across)
    return list(found.values())


class _Groups:
    """Which items belong together."""

    def __init__(self, count: int) -> None:
        self._parent = list(range(count))

    def root(self, item: int) -> int:
        """The item that stands for the group."""
        while self._parent[item] != item:
            self._parent[item] = self._parent[self._parent[item]]
            item = self._parent[item]
        return item

    def join(self, one: int, other: int) -> None:
        """Make one group of two."""
        self._parent[self.root(one)] = self.root(other)


def _frame(across: list[Rule], down: list[Rule], runs: Sequence[Run]) -> Box:
    """The table's outline; without lines across, its text goes to the page's edges."""
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
    """How long the lines at a place are: the edges of a chart's bars or of a sign are shorter than a table's."""
    return sum(rule.end - rule.start for rule in rules if abs(rule.at - place) <= _NEAR)


def _inner(places: Iterable[float], low: float, high: float) -> list[float]:
    """The distinct places well within the bounds, ascending."""
    inner: list[float] = []
    for place in sorted(places):
        if low + 2 * _NEAR < place < high - 2 * _NEAR and (not inner or place - inner[-1] > 2 * _NEAR):
            inner.append(place)
    return inner


def _cuts(y: float, runs: Iterable[Run]) -> bool:
    """Whether a border goes through text, as a line through or under words does."""
    return any(run.bottom + 0.3 * run.height < y < run.top - 0.3 * run.height for run in runs)


def _separates(x: float, runs: Sequence[Run]) -> bool:
    """Whether there is text on both sides and not much across."""
    crossing = sum(run.left + 2 < x < run.right - 2 and len(run.split([x])) == 1 for run in runs)
    return crossing * 4 <= len(runs) and any(run.center < x for run in runs) and any(run.center > x for run in runs)


def _outermost(grids: list[Grid]) -> list[Grid]:
    """Without those inside others."""
    kept: list[Grid] = []
    for grid in sorted(grids, key=lambda grid: len(grid.runs), reverse=True):
        if not any(other.holds(grid.runs[0]) for other in kept):
            kept.append(grid)
    return kept


def cells(grid: Grid) -> list[list[list[Run]]]:
    """The runs of each cell, row by row from the top."""
    borders = [-y for y in grid.rows]
    rows: list[list[list[Run]]] = [[[] for _ in range(len(grid.columns) + 1)] for _ in range(len(borders) + 1)]
    for run in grid.runs:
        for part in run.split(grid.columns):
            spans = bisect(grid.columns, part.left + 2) != bisect(grid.columns, part.right - 2)
            column = bisect(grid.columns, part.left + 2 if spans else part.center)
            rows[bisect(borders, -part.middle)][column].append(part)
    return rows
