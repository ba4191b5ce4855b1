"""Packing sentences into chunks: balanced, overlapping by whole sentences, within sections."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby, pairwise
from typing import NamedTuple

from modulo.domain.documents.outline import Title

Path = tuple[str, ...]
WIDE_GAP = 200
"""A run of so many white space characters separates chunks."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A sentence, or a part of one that is too long: what chunks are packed from.

    Offsets are into the page's text, weights in tenths of a token. `path` is the headings above, the
    same object for all units below them, since others may say the same words; `room` what a chunk under
    them may weigh; `titles` the headings right before the unit, whose weight is `lead`. A unit that is
    `apart` never shares a chunk with the one before it. A `title` is a heading that is read as text and
    rather stands with what follows.
    """

    start: int
    end: int
    weight: int
    path: Path
    room: int
    block: int
    titles: tuple[Title, ...] = ()
    lead: int = 0
    closes: bool = True
    apart: bool = False
    title: bool = False


class ChunkSpan(NamedTuple):
    """The span of a chunk in the page's text, and its headings."""

    path: Path
    start: int
    end: int


def pack(units: Sequence[Unit], *, overlap: int) -> Iterator[ChunkSpan]:
    """Chunks of the units in order; `overlap` is the weight that neighbours may share."""
    for group in _groups(units):
        path, start = _label(group)
        for window in _windows(group, overlap):
            end = group[window.stop - 1].end
            if window.start == 0:
                yield ChunkSpan(path, start, end)
            else:
                yield ChunkSpan(group[window.start].path, group[window.start].start, end)


def _groups(units: Sequence[Unit]) -> Iterator[list[Unit]]:
    """Sections, small ones joined with their neighbours; one that is longer than a chunk stands alone."""
    group: list[Unit] = []
    weight = 0
    for _, section in groupby(units, key=lambda unit: unit.path):
        added = list(section)
        extra = sum(unit.weight + unit.lead for unit in added)
        if group and not _belong(group, weight, added[0], extra):
            yield group
            group, weight = [], 0
        group += added
        weight += extra
    if group:
        yield group


def _belong(group: list[Unit], weight: int, following: Unit, extra: int) -> bool:
    """Whether a section joins the group before it: both fit and one is small, or the group is the section's title."""
    first = group[0]
    held = min(unit.room for unit in group)  # what each chunk of the group may weigh
    room = min(held, following.room)
    small = room // 4 if first.path[:1] == following.path[:1] else room // 8
    fits = weight + extra <= room and min(weight, extra) <= small
    heads = all(unit.title for unit in group) and following.room <= held and 2 * weight <= following.room
    return not following.apart and (fits or heads)


def _label(group: list[Unit]) -> tuple[Path, int]:
    """The headings shared by the whole group, and its start: at the first heading that is not shared."""
    first = group[0]
    if first.title:
        under = next((unit for unit in group if unit.titles and unit.path is first.path), first)
        read = sum(title.start > first.start for title in under.titles)
        return first.path[: len(first.path) - read], first.start
    shared = len(first.path)
    for unit in group:
        shared = min(shared, sum(1 for _ in _common(first.path, unit.path)))
    own = first.path[shared:]
    titles = first.titles[len(first.titles) - len(own) :]
    if own and tuple(title.text for title in titles) == own and _gap(titles, first.start) <= WIDE_GAP:
        return first.path[:shared], titles[0].start
    return first.path, first.start


def _gap(titles: Sequence[Title], start: int) -> int:
    """The white space between the first of the titles and the text under them."""
    return start - titles[0].start - sum(len(title.text) for title in titles)


def _common(one: Path, other: Path) -> Iterator[str]:
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            return
        yield mine


def _windows(units: list[Unit], overlap: int) -> Iterator[range]:
    """The ranges of units, one for each chunk."""
    marks = [0, *(i for i, unit in enumerate(units) if unit.apart and i), len(units)]
    # `before[i]` is the weight before unit i; the titles before the first are no part of the text.
    before = [0, *accumulate((unit.weight + unit.lead for unit in units[1:]), initial=units[0].weight)]
    room = min(unit.room for unit in units)
    for start, stop in pairwise(marks):
        yield from _stretch(units, before, range(start, stop), room, overlap)


def _stretch(units: list[Unit], before: list[int], span: range, room: int, overlap: int) -> Iterator[range]:
    """Windows over units that may stand together."""
    start = end = span.start
    while (rest := before[span.stop] - before[start]) > room:
        count = -(-(rest - overlap) // (room - overlap))
        target = (rest + (count - 1) * overlap) // count
        end = _cut(units, before, start, range(end + 1, span.stop), room=room, target=target)
        yield range(start, end)
        previous, start = start, end
        while (
            start > previous + 1
            and before[end] - before[start - 1] <= overlap
            and before[end + 1] - before[start - 1] <= room
        ):
            start -= 1
    yield range(start, span.stop)


def _cut(units: list[Unit], before: list[int], start: int, ends: range, *, room: int, target: int) -> int:
    """The best end of a window: near the target weight, preferably at the end of a paragraph."""
    best, least = ends.start, room * 2
    for end in ends:
        weight = before[end] - before[start]
        if weight > room:
            break
        cost = abs(weight - target)
        if units[end].block != units[end - 1].block:
            cost -= target // 5
        elif not units[end - 1].closes:
            cost += target // 3
        if cost < least:
            best, least = end, cost
    return best
