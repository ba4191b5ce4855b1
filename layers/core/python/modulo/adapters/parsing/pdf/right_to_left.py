"""Arabic and Hebrew on a PDF's page, which holds signs where they are seen: brought into the order they are read in."""

import unicodedata
from collections.abc import Iterator
from itertools import pairwise

from modulo.adapters.parsing.pdf.characters import LINE_ENDS
from modulo.adapters.parsing.pdf.geometry import Bounds, Glyph

FIRST_CODE = 0x590
_SPANS = ((0x590, 0x8FF), (0xFB1D, 0xFDFF), (0xFE70, 0xFEFE), (0x10800, 0x10FFF), (0x1E800, 0x1EFFF))
_MAX_COMPARISONS = 200_000  # a line of writing has some thousands
_CELL_GAP = 0.9  # of the height: another cell or column
_PAIRS = (("(", ")"), ("[", "]"), ("{", "}"), ("<", ">"), ("«", "»"))
_MIRRORED = {ord(one): ord(other) for pair in _PAIRS for one, other in (pair, (pair[1], pair[0]))}
_OPENING = frozenset(map(ord, "([{<«"))
_INSIDE_NUMBERS = frozenset(map(ord, ".,:/-+\u066b\u066c"))
_BESIDE_NUMBERS = frozenset(map(ord, "%\u066a$€£#"))


def is_right_to_left(code: int) -> bool:
    """Whether a character belongs to a script that is written from right to left."""
    return code >= FIRST_CODE and any(first <= code <= last for first, last in _SPANS)


def logical(glyphs: list[Glyph], width: float) -> tuple[list[Glyph], bool]:
    """The characters in the order they are read in, and whether the page goes from right to left.

    The places are changed so that what is read first stands on the left: where most of the page goes from right to
    left, all of it is mirrored, and the words that go the other way are turned around in their place.
    """
    strong = sum(is_right_to_left(code) for _, code, _ in glyphs)
    others = sum(code < 0x110000 and chr(code).isalpha() and not is_right_to_left(code) for _, code, _ in glyphs)
    mirrored = strong * 2 > others  # words of both are counted by letters, and vowels are mostly left out in these
    if mirrored:
        glyphs = [(index, code, (width - box[2], box[1], width - box[0], box[3])) for index, code, box in glyphs]
    ordered: list[Glyph] = []
    for line in _lines(glyphs):
        if not mirrored and not _has_strong(line):
            ordered += line
            continue
        for piece in _pieces(_with_marks(line)):
            ordered += _turned_around(piece, mirrored=mirrored)
    return _composed(ordered), mirrored


def _lines(glyphs: list[Glyph]) -> Iterator[list[Glyph]]:
    """Characters that follow each other in one line."""
    line: list[Glyph] = []
    bottom = top = 0.0
    for glyph in glyphs:
        _, code, box = glyph
        if code in LINE_ENDS or box[3] <= box[1]:
            line += [glyph] if line else []
            continue
        shared = min(top, box[3]) - max(bottom, box[1])
        if line and shared <= 0.5 * min(top - bottom, box[3] - box[1]):
            yield line
            line = []
        if not line:
            bottom, top = box[1], box[3]
        line.append(glyph)
    if line:
        yield line


def _has_strong(line: list[Glyph]) -> bool:
    return any(is_right_to_left(code) for _, code, _ in line)


def _with_marks(line: list[Glyph]) -> list[list[Glyph]]:
    """The characters from left to right, each with the marks that stand over or under it.

    Those of one glyph, or of a picture of a word, have one place: they stay together.
    """
    clusters: list[list[Glyph]] = []
    for glyph in line:
        index, code, box = glyph
        if box[3] <= box[1]:
            continue
        last = clusters[-1][-1] if clusters else None
        if last and last[0] == index - 1 and last[2] == box and (is_right_to_left(code) or is_right_to_left(last[1])):
            clusters[-1].append(glyph)
        else:
            clusters.append([glyph])
    for cluster in clusters:
        cluster.reverse()  # PDFium turns around what belongs together
    bases = [cluster for cluster in clusters if not _is_mark(cluster[0][1]) or len(cluster) > 1]
    bases.sort(key=lambda cluster: (round(cluster[0][2][0], 1), cluster[0][0]))
    marks = [cluster for cluster in clusters if len(cluster) == 1 and _is_mark(cluster[0][1])]
    if bases and len(bases) * len(marks) < _MAX_COMPARISONS:
        for cluster in marks:
            center = (cluster[0][2][0] + cluster[0][2][2]) / 2
            min(bases, key=lambda base: _distance(base[0][2], center)).append(cluster[0])
    return bases


def _is_mark(code: int) -> bool:
    return code >= FIRST_CODE and code < 0x110000 and unicodedata.category(chr(code)) == "Mn"


def _distance(box: Bounds, place: float) -> float:
    return max(box[0] - place, 0.0, place - box[2]) + abs((box[0] + box[2]) / 2 - place) / 1000


def _pieces(clusters: list[list[Glyph]]) -> Iterator[list[Glyph]]:
    """Stretches of the line without a wide gap, each in the order of its places."""
    piece = clusters[:1]
    for one, other in pairwise(clusters):
        box = other[0][2]
        if box[0] - one[0][2][2] > _CELL_GAP * (box[3] - box[1]):
            yield [glyph for cluster in piece for glyph in cluster]
            piece = []
        piece.append(other)
    yield [glyph for cluster in piece for glyph in cluster]


def _turned_around(piece: list[Glyph], *, mirrored: bool) -> list[Glyph]:
    """The piece with the stretches that go against the page's direction turned around in their place."""
    kinds = _kinds(piece, mirrored=mirrored)
    against = "L" if mirrored else "R"
    result: list[Glyph] = []
    start = 0
    while start < len(piece):
        end = start + 1
        while end < len(piece) and kinds[end] == kinds[start]:
            end += 1
        stretch = piece[start:end]
        if kinds[start] == against:
            stretch = _reversed(stretch)
            if against == "R":  # numbers in it go from left to right all the same
                stretch = [glyph for inner in _numbers_apart(stretch) for glyph in inner]
        result += stretch
        start = end
    return _with_brackets(result)


def _reversed(stretch: list[Glyph]) -> list[Glyph]:
    """The characters the other way around, in the same place."""
    left, right = min(glyph[2][0] for glyph in stretch), max(glyph[2][2] for glyph in stretch)
    result: list[Glyph] = []
    marks: list[Glyph] = []
    for index, code, box in reversed(stretch):
        place = (left + right - box[2], box[1], left + right - box[0], box[3])
        if _is_mark(code):
            marks.append((index, code, place))
        else:
            result += [(index, code, place), *reversed(marks)]
            marks = []
    return result + marks


def _numbers_apart(stretch: list[Glyph]) -> Iterator[list[Glyph]]:
    start = 0
    for number in range(len(stretch) + 1):
        inside = number < len(stretch) and (
            _is_digit(stretch[number][1])
            or (
                stretch[number][1] in _INSIDE_NUMBERS
                and 0 < number < len(stretch) - 1
                and _is_digit(stretch[number - 1][1])
                and _is_digit(stretch[number + 1][1])
            )
        )
        if not inside:
            if number > start:
                yield _reversed(stretch[start:number])
            if number < len(stretch):
                yield [stretch[number]]
            start = number + 1


def _is_digit(code: int) -> bool:
    return code < 0x110000 and chr(code).isdigit()


def _kinds(piece: list[Glyph], *, mirrored: bool) -> list[str]:
    """Each character's direction, R or L; what has none of its own goes with both neighbors or with the page."""
    kinds = [_kind(code) for _, code, _ in piece]
    for place, kind in enumerate(kinds):
        before = kinds[place - 1] if place else ""
        after = kinds[place + 1] if place + 1 < len(kinds) else ""
        if (kind == "inside" and before == after == "N") or (kind == "beside" and "N" in (before, after)):
            kinds[place] = "N"
    weak = frozenset(("R", "L", "N") if mirrored else ("R", "L"))
    place = 0
    while place < len(kinds):
        end = place
        while end < len(kinds) and kinds[end] not in weak:
            end += 1
        if end > place:
            before = kinds[place - 1] if place else ""
            after = kinds[end] if end < len(kinds) else ""
            if mirrored:  # a number beside a Latin word makes one stretch with it
                joined = {before, after} <= {"L", "N"} and "L" in (before, after)
                kinds[place:end] = ["L" if joined else "R"] * (end - place)
            else:
                kinds[place:end] = ["R" if before == after == "R" else "L"] * (end - place)
        place = max(end, place + 1)
    return ["L" if kind in "NL" else "R" for kind in kinds]


def _kind(code: int) -> str:
    if _is_digit(code):
        return "N"
    if is_right_to_left(code):
        return "R"
    if code < 0x110000 and chr(code).isalpha():
        return "L"
    return "inside" if code in _INSIDE_NUMBERS else "beside" if code in _BESIDE_NUMBERS else ""


def _with_brackets(piece: list[Glyph]) -> list[Glyph]:
    """Brackets as they are meant: files hold them as they look or as they are read."""
    brackets = [code for _, code, _ in piece if code in _MIRRORED]
    if not brackets or brackets[0] in _OPENING:
        return piece
    return [(index, _MIRRORED.get(code, code), box) for index, code, box in piece]


def _composed(glyphs: list[Glyph]) -> list[Glyph]:
    """Without the strokes that only widen a word, and with plain letters for the forms that depend on their place."""
    plain: list[Glyph] = []
    for index, code, box in glyphs:
        if code == 0x640:
            continue
        if 0xFB1D <= code <= 0xFDFF or 0xFE70 <= code <= 0xFEFE:
            plain += [(index, ord(sign), box) for sign in unicodedata.normalize("NFKC", chr(code)) if sign != " "]
        else:
            plain.append((index, code, box))
    return plain
