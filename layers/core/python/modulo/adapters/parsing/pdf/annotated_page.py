"""Annotations placed among a page's runs: a value behind its label, a ticked box before or behind its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from modulo.adapters.parsing.pdf.geometry import Bounds, Run

if TYPE_CHECKING:
    from modulo.adapters.parsing.pdf.annotations import Annotation

_NEAR = 3.0  # times the height of a box: how far from it its label may stand on the right
_USUAL_HEIGHT = 14.0
_ABOVE = 2.5  # times the height of a line: how far over a field its label may stand


def with_annotations(runs: list[Run], annotations: Iterable[tuple[Annotation, Bounds]]) -> list[Run]:
    """The runs with each annotation where it is read; the bounds are on the page as it is shown."""
    placed = list(runs)
    notes: list[Run] = []
    for annotation, bounds in sorted(annotations, key=lambda each: (-round(each[1][3]), each[1][0])):
        run = _run(annotation.text, bounds)
        if annotation.note:
            if not any(annotation.text in other.text for other in runs):
                run.order = max((other.order for other in placed), default=0) + 1
                notes.append(run)
        elif not _is_drawn(run, runs):
            _place(run, placed, ticks=annotation.ticks)
    return placed + notes


def _run(text: str, bounds: Bounds) -> Run:
    left, bottom, right, top = bounds
    if top - bottom > 2 * _USUAL_HEIGHT:
        bottom = top - _USUAL_HEIGHT
    return Run(text, left, bottom, max(right, left + 1), max(top, bottom + 1), 0.0, bold=False, order=0)


def _is_drawn(run: Run, runs: Sequence[Run]) -> bool:
    """Whether the page says the same there already."""
    return any(
        run.text in other.text and other.left < run.right and other.right > run.left and other.beside(run)
        for other in runs
    )


def _place(run: Run, placed: list[Run], *, ticks: bool) -> None:
    """Insert the run beside its label and on its line, or else behind what stands over it."""
    beside = [
        (number, other)
        for number, other in enumerate(placed)
        if other.bottom - 2 < run.middle < other.top + 2 or run.bottom < other.middle < run.top
    ]
    before = max(
        (each for each in beside if each[1].right <= run.left + 4), key=lambda each: each[1].right, default=None
    )
    after = min((each for each in beside if each[1].left >= run.right - 4), key=lambda each: each[1].left, default=None)
    room = after[1].left - run.right if after else float("inf")
    if ticks and after and room < _NEAR * run.height and (before is None or run.left - before[1].right > room):
        number, label = after
        _align(run, label)
        run.right = min(run.right, label.left)
        placed.insert(number, run)
        return
    if before:
        number, label = before
        _align(run, label)
        placed.insert(number + 1, run)
        return
    over = [
        (number, other)
        for number, other in enumerate(placed)
        if other.middle > run.middle and other.left < run.right and other.right > run.left
    ]
    label_over = min(over, key=lambda each: each[1].bottom, default=None)
    if label_over and label_over[1].bottom - run.top < _ABOVE * label_over[1].height:
        number = label_over[0]
    else:
        number = max((number for number, other in enumerate(placed) if other.middle > run.middle), default=-1)
    neighbor = placed[number] if number >= 0 else None
    run.size = neighbor.size if neighbor else run.height
    run.order = neighbor.order if neighbor else min((other.order for other in placed), default=0)
    placed.insert(number + 1, run)


def _align(run: Run, label: Run) -> None:
    run.bottom, run.top, run.size, run.order, run.look = label.bottom, label.top, label.size, label.order, label.look
