"""Characters of a PDF's page joined into runs: until the line ends or a gap is wide."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from modulo.adapters.parsing.linear_notation import built_fractions, subscript, superscript
from modulo.adapters.parsing.pdf.characters import LINE_ENDS, SPACES, TEXTS, Characters
from modulo.adapters.parsing.pdf.geometry import Bounds, Gap, Glyph, Run
from modulo.adapters.parsing.text_decoding import clean

Measure = Callable[[int], tuple[float, float]]

_WORD_GAP = 0.10  # of the line's height
_RUN_GAP = 0.9
_OVERLAP = 0.7
_SMALL = 0.85
_RAISED, _LOWERED = 0.15, -0.06  # of the size
_NO_WIDTH = 0.01
_LONGEST_MARK = 7
_LONGEST_PIECE = 3_000  # characters between gaps: more would take the square of their number
_SET_APART = 1.6  # times the gap between the letters of a word that is set in spaced letters
_LETTERS_APART = re.compile(r"(?:\S ){3}\S")
_PRIVATE = re.compile("[\ue000-\uf8ff]+")
_ORDINARY, _HIGH, _LOW = 0, 1, -1
_SPACE = 0x20
_INFINITE = float("inf")


@dataclass(slots=True)
class Draft:
    """A run that is being read.

    `bottom` and `top` are those of its ordinary characters, `first` to `last`; `order` is where it is read, where that
    is not where it is written; `widths` are the white spaces at its `gaps`, infinite where there is a character for
    them.
    """

    first: int
    last: int
    left: float
    right: float
    bottom: float
    top: float
    text: str
    order: int = -1
    script: int = _ORDINARY
    small: str = ""
    measured: tuple[float, float] | None = None
    gaps: list[Gap] = field(default_factory=list)
    widths: list[float] = field(default_factory=list)

    @property
    def place(self) -> int:
        """Where it is read."""
        return self.order if self.order >= 0 else min(self.first, self.last)

    def end_script(self) -> None:
        """Write the superscript or subscript that is over."""
        if self.small:
            self.text += superscript(self.small) if self.script == _HIGH else subscript(self.small)
        self.script, self.small = _ORDINARY, ""

    def add_gap(self, left: float, width: float) -> None:
        """End a word."""
        self.text += " "
        self.gaps.append(Gap(self.right, left, len(self.text)))
        self.widths.append(width)

    def adjoins(self, box: Bounds, before: float) -> bool:
        """Whether a character of another height goes on in the line; `before` is where the last one starts."""
        left, bottom, _, top = box
        low, height = sorted((self.top - self.bottom, top - bottom))
        gap = left - self.right
        level = min(self.top, top) - max(self.bottom, bottom)
        enough = 0.3 if low < _SMALL * height and gap < 0.3 * height else 0.5
        # Both characters of a ligature have its box.
        return level > enough * low and gap < _RUN_GAP * height and (gap > -_OVERLAP * height or left > before - 0.1)

    def take(self, glyph: Glyph, space: float | None, measure: Measure) -> None:
        """Go on with a character of another height; `space` is where the space before it starts."""
        index, code, (left, bottom, right, top) = glyph
        ratio = (top - bottom) / (self.top - self.bottom)
        # The boxes of some fonts are as high as each glyph: only sizes and baselines tell.
        base, new = self.measured or measure(self.last), measure(index)
        script = _script(base, new)
        gap = left - self.right
        apart = gap > _WORD_GAP * max(top - bottom, self.top - self.bottom) or (
            space is not None and left > space + 0.5
        )
        if script != self.script:
            stacked = self.script == _HIGH and script == _LOW and gap < -0.5 * (right - left)
            self.end_script()
            self.text += "\u2044" if stacked else ""
            self.script = script
        if script == _ORDINARY and len(self.text) < _LONGEST_MARK and _script(new, base) == _HIGH:
            self.text = superscript(self.text)  # as the number of a note before its text
        if apart and not self.small:
            self.add_gap(left, _INFINITE if space is not None else gap)
        if script == _ORDINARY:
            self.text += TEXTS[code]
            self.last, self.measured = index, new
            if ratio > 1:
                self.bottom, self.top, self.first = bottom, top, index
        else:
            self.small += (" " if apart and self.small else "") + TEXTS[code]
        self.right = max(self.right, right)


def _script(ordinary: tuple[float, float], other: tuple[float, float]) -> int:
    """What a character is beside an ordinary one, both as sizes and heights of their baselines."""
    size, baseline = ordinary
    small, place = other
    if not 0 < small < _SMALL * size:
        return _ORDINARY
    shift = (place - baseline) / size
    return _HIGH if shift > _RAISED else _LOW if shift < _LOWERED else _ORDINARY


def drafts_of(  # noqa: C901  # one loop: a page has thousands of characters, and each call costs
    glyphs: Iterable[Glyph], measure: Measure, is_turned: Callable[[int], bool] | None = None
) -> Iterator[Draft]:
    """The runs in the order of their characters; one that `is_turned`, as asked where a run may start, is left out.

    `measure` tells the size of a character and the height of its baseline.
    """
    run: Draft | None = None
    before = right = bottom = top = 0.0
    space: float | None = None
    text, last, texts = "", 0, TEXTS
    gaps: list[Gap] = []
    widths: list[float] = []
    for index, code, box in glyphs:
        if code == _SPACE or code in SPACES:
            space = box[0] if box[2] - box[0] >= _NO_WIDTH else -1e9  # one that PDFium added is always right
            continue
        left, low, far, high = box
        if code in LINE_ENDS or high <= low:
            continue
        if run is not None:
            if low == bottom and high == top and not run.script:
                height, gap = top - bottom, left - right
                if gap < _RUN_GAP * height and (gap > -_OVERLAP * height or left > before - 0.1):
                    if space is not None:
                        if left - space > 0.5 or gap > _WORD_GAP * height:
                            text += " "
                            gaps.append(Gap(right, left, len(text)))
                            widths.append(_INFINITE if space > 0 else gap)
                        space = None
                    elif gap > _WORD_GAP * height:
                        text += " "
                        gaps.append(Gap(right, left, len(text)))
                        widths.append(gap)
                    text += texts[code]
                    right = far if far > right else right  # faster than max
                    last, before = index, left
                    continue
            run.text, run.right, run.last = text, right, last
            if (low != bottom or high != top or run.script) and run.adjoins(box, before):
                run.take((index, code, box), space, measure)
                text, right, last, bottom, top = run.text, run.right, run.last, run.bottom, run.top
                before, space = left, None
                continue
            yield run
            run = None
        space = None
        if is_turned is None or not is_turned(index):
            text = texts[code]
            run = Draft(index, index, left, far, low, high, text)
            gaps, widths = run.gaps, run.widths
            before, right, bottom, top, last = left, far, low, high, index
    if run is not None:
        run.text, run.right, run.last = text, right, last
        yield run


def finished(drafts: Iterable[Draft], characters: Characters, width: float, height: float) -> Iterator[Run]:
    """The runs that stand on the page and show something, with their fonts."""
    for draft in drafts:
        draft.end_script()
        up = (draft.bottom + draft.top) / 2
        if draft.right < 0 or draft.left > width or not 0 <= up <= height:
            continue
        if len(draft.gaps) > 2 and len(draft.gaps) * 4 > len(draft.text) and _LETTERS_APART.search(draft.text):
            _close_up(draft)
        text = draft.text
        if not (text.isascii() and text.isprintable()):
            text = _readable(text)
            if text != draft.text and draft.gaps:
                draft.gaps = _moved(draft.gaps, draft.text, text)
        if text.strip():
            yield _run(draft, text, characters)


def _run(draft: Draft, text: str, characters: Characters) -> Run:
    first, last = draft.first, draft.last
    font = look = characters.font(last)
    size = characters.size(first) or draft.top - draft.bottom
    bold = _is_bold(font) and (first == last or _is_bold(characters.font((first + last) // 2)))
    if bold:  # headings of different colors are different ones
        look = f"{font} {characters.color(last)}"
    return Run(text, draft.left, draft.bottom, draft.right, draft.top, size, bold, draft.place, look, draft.gaps)


def _close_up(draft: Draft) -> None:
    """Take back the gaps inside of words that are set in spaced letters."""
    words = draft.text.split(" ")
    letters = sum(len(word) == 1 for word in words)
    soft = sorted(width for width in draft.widths if width != _INFINITE)
    if letters * 2 <= len(words) or len(soft) * 2 < len(words) - 1 or len(words) != len(draft.gaps) + 1:
        return
    most = _SET_APART * soft[len(soft) // 2]
    text, gaps, widths = words[0], [], []
    for word, gap, width in zip(words[1:], draft.gaps, draft.widths, strict=True):
        if width > most:
            text += " "
            gaps.append(gap._replace(offset=len(text)))
            widths.append(width)
        text += word
    draft.text, draft.gaps, draft.widths = text, gaps, widths


def _readable(text: str) -> str:
    return _PRIVATE.sub(_without_private, clean(built_fractions(text)))


def _moved(gaps: Iterable[Gap], written: str, text: str) -> list[Gap]:
    """The gaps of what was written, at their places in the readable text; those inside of a fraction are left out."""
    moved: list[Gap] = []
    start = place = 0
    for gap in gaps:
        if gap.offset - start > _LONGEST_PIECE:
            break
        piece = _readable(written[start : gap.offset])
        if text.startswith(piece, place):
            start, place = gap.offset, place + len(piece)
            moved.append(gap._replace(offset=place))
    return moved


def _without_private(found: re.Match[str]) -> str:
    """Codes of a font's own: letters where it kept their ASCII numbers, or else nothing that is known."""
    text = found[0]
    if len(text) > 1 and all(0xF020 <= ord(sign) < 0xF07F for sign in text):
        return "".join(chr(ord(sign) - 0xF000) for sign in text)
    return ""


def _is_bold(font: str) -> bool:
    return "bold" in font or "black" in font or "heavy" in font
