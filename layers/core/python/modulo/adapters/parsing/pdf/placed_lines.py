"""Where the runs of a PDF's page stand in the text that was made of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from modulo.adapters.parsing.pdf.geometry import HYPHEN
from modulo.domain.documents.placement import SIDE, PlacedLine

if TYPE_CHECKING:
    from modulo.adapters.parsing.pdf.geometry import DrawnPage, Gap, Run

_NEAR = 8  # characters that may stand in the text before a word and in no run, as the ellipsis for dot leaders does
_HYPHENS = ("-", HYPHEN)


def placed_lines(text: str, runs: Iterable[Run], page: DrawnPage, moved: int = 0) -> list[PlacedLine]:
    """The lines of a text that was made of these runs in their order; their offsets are `moved` by so many characters.

    A run is found where the last one ended. Of one that was changed on its way into the text, the words are found that
    were not.
    """
    lines: list[PlacedLine] = []
    if page.turn is None:
        return lines
    at = missed = 0
    for run in runs:
        said = run.text
        start = text.find(said, at, at + len(said) + 1)
        if start >= 0:
            at, missed = start + len(said), 0
            lines.append(_line(page, run, moved + start, (0, len(said)), run.gaps))
            continue
        said = said.strip()
        if (found := _found(text, said, at, missed)) is not None:
            start, at = found
            missed, first = 0, run.text.find(said)
            lines.append(_line(page, run, moved + start, (first, first + at - start), run.gaps))
            continue
        for first, end, gaps in _words(run) if page.by_word else ():
            word = run.text[first:end].strip()
            if (found := _found(text, word, at, missed)) is None:
                missed += end - first
                continue
            start, at = found
            missed = 0
            lines.append(_line(page, run, moved + start, (first, first + at - start), gaps))
    return lines


def _found(text: str, said: str, at: int, missed: int) -> tuple[int, int] | None:
    """From where to where something is said in a text, near an offset; without its last hyphen where that was cut."""
    if not said:
        return None
    start = text.find(said, at, at + len(said) + 1 + (missed + _NEAR if missed else 0))
    if start >= 0:
        return start, start + len(said)
    if said.endswith(_HYPHENS) and (found := _found(text, said[:-1], at, missed)):
        return found[0], found[1] + text.startswith("-", found[1])
    return None


def _words(run: Run) -> Iterator[tuple[int, int, Sequence[Gap]]]:
    """The run's words, each with the space behind it, and the white space on both sides."""
    start = 0
    for number, gap in enumerate(run.gaps):
        yield start, gap.offset, run.gaps[max(number - 1, 0) : number + 1]
        start = gap.offset
    yield start, len(run.text), run.gaps[-1:]


def _line(page: DrawnPage, run: Run, start: int, span: tuple[int, int], gaps: Sequence[Gap]) -> PlacedLine:
    """A span of the run's characters, which are those of the text from `start` on.

    Words meet in the middle of the white space between them; outer sides are rounded outwards.
    """
    first, end = span
    across, up = SIDE / page.width, SIDE / page.height
    outer, right = (page.width - run.right, page.width - run.left) if page.mirrored else (run.left, run.right)
    left = at = _limited(int(outer * across))
    last = _limited(-int(-right * across // 1))
    done, steps = first, list[int]()
    if page.by_word:
        for gap_left, gap_right, offset in gaps:
            place = int((gap_left + gap_right) * across / 2 + 0.5)
            if offset <= first:
                left = at = _limited(place)
            elif offset >= end:
                last = _limited(place)
                break
            else:
                steps += (offset - done, max(place - at, 0))
                done, at = offset, max(place, at)
    steps += (end - done, max(last - at, 0))
    top, bottom = _limited(int((page.height - run.top) * up)), _limited(-int((run.bottom - page.height) * up // 1))
    return PlacedLine(start, page.turn or 0, top, max(bottom, top), left, tuple(steps))


def _limited(place: int) -> int:
    return 0 if place < 0 else min(place, SIDE)
