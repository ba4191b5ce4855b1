"""Neighbours: chunks beside a passage in its document, which join it so that whoever reads it knows what is around."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from modulo.domain.retrieval.near_duplicates import DistinctTexts
from modulo.domain.text.tokens import estimate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from modulo.domain.documents.chunk import Chunk
    from modulo.domain.files.file import FileRef
    from modulo.domain.retrieval.passage import Passage

MAX_DISTANCE: Final = 2
"""How many chunks before and behind a passage may join it."""
LABEL_TOKENS: Final = 50
"""What each neighbour counts besides its text: a prompt names each with its document, page and headings."""
MAX_WANTED: Final = 200
"""How many chunks are asked for, for all passages of a question together."""
SPARE: Final = 2
"""How many chunks are asked for in place of each that can join: others repeat what is told, or do not fit."""


def wanted(passages: Sequence[Passage], *, tokens: int) -> dict[FileRef, frozenset[int]]:
    """The numbers of the chunks that may join, by file and generation: no more than so many tokens may need."""
    most = min(MAX_WANTED, SPARE * (tokens // LABEL_TOKENS))
    held = {(one.hit.ref, one.hit.chunk.number) for one in passages}
    found: dict[tuple[FileRef, int], None] = {}
    for passage, number in _beside(passages):
        if (passage.hit.ref, number) not in held and len(found) < most:
            found[passage.hit.ref, number] = None
    numbers: defaultdict[FileRef, set[int]] = defaultdict(set)
    for ref, number in found:
        numbers[ref].add(number)
    return {ref: frozenset(of_file) for ref, of_file in numbers.items()}


def joined(passages: Sequence[Passage], chunks: Mapping[FileRef, Sequence[Chunk]], *, tokens: int) -> list[Passage]:
    """The passages with their neighbours, which have at most so many tokens together.

    The nearest join first, of the best passages before the others'. Each character of a page is told once: a neighbour
    is without what the passages or other neighbours hold of it, and a near-duplicate does not join.
    """
    known = {(ref, one.number): one for ref, of_file in chunks.items() for one in of_file}
    told, texts = list(passages), DistinctTexts()
    joining: defaultdict[int, list[Passage]] = defaultdict(list)
    for passage in passages:
        texts.add(passage.text)
    places = {id(passage): place for place, passage in enumerate(passages)}
    for passage, number in _beside(passages):
        chunk = known.pop((passage.hit.ref, number), None)
        rest = chunk and _rest(chunk, passage.hit.ref, told)
        cost = LABEL_TOKENS + (estimate(rest.text) if rest else 0)
        if rest is None or cost > tokens or not texts.add(rest.text):
            continue
        tokens -= cost
        told.append(replace(passage, hit=replace(passage.hit, chunk=rest, text_score=None), neighbors=()))
        joining[places[id(passage)]].append(told[-1])
    return [
        replace(passage, neighbors=tuple(sorted(joining[place], key=_number))) if place in joining else passage
        for place, passage in enumerate(passages)
    ]


def in_reading_order(passages: Sequence[Passage]) -> list[Passage]:
    """The passages and their neighbours, each once: those that follow each other in a document stand together.

    Such runs come in the order of their best passages. What two passages share, the better one tells.
    """
    if not any(passage.neighbors for passage in passages):
        return list(passages)
    told: list[Passage] = []
    for passage in passages:
        rest = _rest(passage.hit.chunk, passage.hit.ref, told)
        if rest:
            told.append(replace(passage, hit=replace(passage.hit, chunk=rest), neighbors=()))
    told += [neighbor for passage in passages for neighbor in passage.neighbors]
    ranks = {(one.hit.ref, _number(one)): rank for rank, one in enumerate(told)}
    runs: list[tuple[int, list[Passage]]] = []
    for one in sorted(told, key=lambda one: (str(one.hit.ref.file_id), _number(one))):
        rank, last = ranks[one.hit.ref, _number(one)], runs[-1][1][-1] if runs else None
        if last and last.hit.ref == one.hit.ref and _number(last) + 1 == _number(one):
            runs[-1] = min(runs[-1][0], rank), [*runs[-1][1], one]
        else:
            runs.append((rank, [one]))
    return [one for _, run in sorted(runs, key=lambda found: found[0]) for one in run]


def _beside(passages: Sequence[Passage]) -> Iterator[tuple[Passage, int]]:
    """The numbers beside each passage, the nearest of all passages first."""
    for distance in range(1, MAX_DISTANCE + 1):
        for passage in passages:
            for number in (_number(passage) - distance, _number(passage) + distance):
                if number >= 0:
                    yield passage, number


def _rest(chunk: Chunk, ref: FileRef, told: Iterable[Passage]) -> Chunk | None:
    """The chunk without what is told of it already; None where that is all of it."""
    start, end = chunk.start, chunk.end
    for other in (one.hit.chunk for one in told if one.hit.ref == ref and one.hit.chunk.page == chunk.page):
        if other.start <= start < other.end:
            start = other.end
        if other.start < end <= other.end:
            end = other.start
    return chunk.part(start, end)


def _number(passage: Passage) -> int:
    return passage.hit.chunk.number
