"""Shows a number as a spreadsheet does under its number format: currency, units, percent, dates, durations."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from fractions import Fraction
from functools import lru_cache
from itertools import takewhile

from modulo.adapters.parsing.office.date_format import DateFormat, is_date

_MAX_CODE_LENGTH = 500
_MAX_DIGITS = 30
_MAX_PLAIN = 1e18
_DAYS_1904 = 1462  # from 1899-12-30 to 1904-01-01
_EPOCH = datetime(1899, 12, 30)
_PIECE = re.compile(r'"[^"]{0,99}"|\\.|_.|\*.|\[[^\[\]]{0,50}\]|General|[0#?]|E[+-]|.', re.IGNORECASE | re.DOTALL)
_CONDITION = re.compile(r"\[(<=|>=|<>|<|>|=)(-?\d+(?:\.\d+)?)\]")
_FRACTION = re.compile(r"([#0?]{0,20})[^#0?/]{0,9}([#0?]{1,20}) {0,3}/ {0,3}([#0?]{1,20}|\d{1,9})")
_BUILT_IN = {
    1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00",
    5: "$#,##0;($#,##0)", 6: "$#,##0;($#,##0)", 7: "$#,##0.00;($#,##0.00)", 8: "$#,##0.00;($#,##0.00)",
    9: "0%", 10: "0.00%", 11: "0.00E+00", 12: "# ?/?", 13: "# ??/??",
    14: "yyyy-mm-dd", 15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy",
    18: "h:mm AM/PM", 19: "h:mm:ss AM/PM", 20: "h:mm", 21: "h:mm:ss", 22: "yyyy-mm-dd h:mm",
    37: "#,##0;(#,##0)", 38: "#,##0;(#,##0)", 39: "#,##0.00;(#,##0.00)", 40: "#,##0.00;(#,##0.00)",
    41: '#,##0;(#,##0);"-"', 42: '$#,##0;($#,##0);$"-"', 43: '#,##0.00;(#,##0.00);"-"',
    44: '$#,##0.00;($#,##0.00);$"-"', 45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss.0", 48: "##0.0E+0", 49: "@",
    **dict.fromkeys((*range(27, 37), *range(50, 59)), "yyyy-mm-dd"),
}  # fmt: skip


def built_in(number: int) -> str:
    """The code of a number format that files name by its number only."""
    return _BUILT_IN.get(number, "")


def shown_number(value: float, code: str = "", *, from_1904: bool = False) -> str:
    """A number under a format code; dates in ISO form, months and times as the code says.

    If `from_1904`, the days of dates count from 1904.
    """
    section, value = _compiled(code[:_MAX_CODE_LENGTH]).section_for(value)
    if section.date is not None:
        return _date(value, section.date, from_1904=from_1904)
    return section.number(value)


def shown_text(text: str, code: str) -> str:
    """A text under a format code, which may add words to it."""
    if "@" not in code or code in {"@", "General"}:
        return text
    section = _compiled(code[:_MAX_CODE_LENGTH]).text
    return text if section is None else "".join(text if piece == "@" else _literal(piece) for piece in section).strip()


def general(value: float) -> str:
    """A number rounded to ten digits; whole numbers in full."""
    shown = f"{value:.10g}"
    return str(int(value)) if "e" in shown and abs(value) < 1e18 and float(value).is_integer() else shown.upper()


def _date(value: float, date: DateFormat, *, from_1904: bool) -> str:
    if date.elapsed:
        return date.duration(value)
    days = value + _DAYS_1904 if from_1904 else value + 1 if 0 < value < 60 and date.has_day else value
    try:
        moment = _EPOCH + timedelta(seconds=round(days * 86_400, 3))
    except (OverflowError, ValueError):
        return general(value)
    return general(value) if value < 0 else date.shown(moment)


@dataclass(frozen=True, slots=True)
class _Section:
    """One part of a format code, for the numbers that meet its condition."""

    pieces: tuple[str, ...]
    condition: tuple[str, float] | None
    date: DateFormat | None

    def holds(self, value: float) -> bool:
        """Whether the condition holds."""
        sign, limit = self.condition or ("", 0.0)
        return (
            (value < limit and sign in {"<", "<=", "<>"})
            or (value > limit and sign in {">", ">=", "<>"})
            or (value == limit and sign in {"=", "<=", ">="})
        )

    def number(self, value: float) -> str:
        """A number under this section."""
        if abs(value) >= _MAX_PLAIN:
            return general(value)
        if any(piece.lower() == "general" for piece in self.pieces):
            return "".join(
                general(value) if piece.lower() == "general" else _literal(piece) for piece in self.pieces
            ).strip()
        if "/" in self.pieces and (found := _FRACTION.search("".join(self.pieces))):
            return self._fraction(value, found)
        if any(piece.upper() in {"E+", "E-"} for piece in self.pieces):
            return self._scientific(value)
        return self._plain(value)

    def _plain(self, value: float) -> str:
        pieces = self.pieces
        places = [number for number, piece in enumerate(pieces) if piece in _PLACES]
        if not places:
            literal = "".join(map(_literal, pieces)).strip()
            return f"-{literal}" if value < 0 and literal else literal
        point = pieces.index(".") if "." in pieces else len(pieces)
        whole = [number for number in places if number < point]
        decimals = min(len(places) - len(whole), _MAX_DIGITS)
        last = whole[-1] if whole else point
        after = [pieces[last + 1 : point], pieces[places[-1] + 1 :]][: 2 if places[-1] > last else 1]
        scale = sum(len(list(takewhile(",".__eq__, rest))) for rest in after)
        grouped = any(pieces[number] == "," for number in range(whole[0], last)) if whole else False
        power = 2 * pieces.count("%") - 3 * scale
        digits, part = _rounded(value, power, decimals)
        negative = value < 0 and (digits.strip("0") or part.strip("0"))
        return ("-" if negative else "") + self._filled(digits, part, whole, point, grouped=grouped)

    def _filled(self, digits: str, part: str, whole: list[int], point: int, *, grouped: bool) -> str:
        """The digits in their places, with the words around them."""
        shown: list[str] = []
        digits = digits.lstrip("0")
        left = len(digits)
        for number in reversed(range(min(point, len(self.pieces)))):
            piece = self.pieces[number]
            if piece not in _PLACES:
                shown.append(_literal(piece))
                continue
            taken = left if number == whole[0] else min(left, 1)
            text = digits[left - taken : left] or ("0" if piece == "0" else "")
            left -= taken
            shown.append(text)
        head = "".join(reversed(shown))
        if grouped:
            head = _GROUPABLE.sub(lambda found: f"{int(found[0]):,}".rjust(len(found[0]), "0"), head, count=1)
        tail: list[str] = []
        decimals = [number for number in range(point, len(self.pieces)) if self.pieces[number] in _PLACES]
        needed = max((n + 1 for n, at in enumerate(decimals) if self.pieces[at] == "0"), default=0)
        kept = part[: max(needed, len(part.rstrip("0")))]
        for number in range(point + 1, len(self.pieces)):
            if self.pieces[number] in _PLACES:
                at = decimals.index(number)
                tail.append(kept[at : at + 1])
            else:
                tail.append(_literal(self.pieces[number]))
        return (head + ("." if kept else "") + "".join(tail)).strip()

    def _scientific(self, value: float) -> str:
        places, _, after = "".join(self.pieces).upper().partition("E")
        decimals = sum(places.partition(".")[2].count(place) for place in _PLACES)
        mantissa, _, exponent = f"{value:.{min(decimals, _MAX_DIGITS)}E}".partition("E")
        digits = exponent[1:].lstrip("0").zfill(min(sum(map(after.count, _PLACES)), 3))
        sign = exponent[0] if exponent[0] == "-" or after.startswith("+") else ""
        return self._within_words(f"{mantissa}E{sign}{digits}")

    def _within_words(self, shown: str) -> str:
        """A shown number with the words before and after its places."""
        places = [number for number, piece in enumerate(self.pieces) if piece in _PLACES or piece.isdigit()]
        if not places:
            return shown
        before, after = self.pieces[: places[0]], self.pieces[places[-1] + 1 :]
        return f"{''.join(map(_literal, before))}{shown}{''.join(map(_literal, after))}".strip()

    def _fraction(self, value: float, found: re.Match[str]) -> str:
        below = found[3]
        exact = Fraction(abs(value))
        if below.isdecimal() and int(below):
            part = Fraction(round(exact * int(below)), int(below))
            bottom = int(below)
        else:
            part = exact.limit_denominator(10 ** min(len(below), 6) - 1)
            bottom = part.denominator
        top = int(part * bottom)
        whole = 0
        if found[1]:
            whole, top = divmod(top, bottom)
        shown = " ".join(filter(None, (str(whole) if whole or not top else "", f"{top}/{bottom}" if top else "")))
        return self._within_words(("-" if value < 0 else "") + shown)


_PLACES = frozenset("0#?")
_GROUPABLE = re.compile(r"\d{4,}")


@dataclass(frozen=True, slots=True)
class _Format:
    """A format code: its sections for numbers, and the pieces of the one for texts."""

    sections: tuple[_Section, ...]
    text: tuple[str, ...] | None

    def section_for(self, value: float) -> tuple[_Section, float]:
        """The section for a number, and the number to show under it, without the sign where the section implies it."""
        first, *others = self.sections
        if any(section.condition for section in self.sections):
            chosen = next((section for section in self.sections if section.condition and section.holds(value)), None)
            if chosen is None:
                chosen = next((section for section in self.sections if not section.condition), self.sections[-1])
            return chosen, abs(value) if value < 0 and chosen is not first else value
        if value < 0 and others:
            return others[0], -value
        if value == 0 and len(others) > 1:
            return others[1], value
        return first, value


@lru_cache(maxsize=1024)
def _compiled(code: str) -> _Format:
    sections, text = [], None
    for number, pieces in enumerate(_sections(code)):
        if "@" in pieces or number == 3:
            text = pieces
            if number:
                continue
        shown = tuple("General" if piece == "@" else piece for piece in pieces)
        found = next(filter(None, map(_CONDITION.fullmatch, pieces)), None)
        condition = (found[1], float(found[2])) if found else None
        sections.append(_Section(shown, condition, DateFormat.of(shown) if is_date(shown) else None))
    return _Format(tuple(sections), text)


def _sections(code: str) -> list[tuple[str, ...]]:
    """The pieces of each of a code's sections, of which there are up to four."""
    sections: list[list[str]] = [[]]
    for piece in _PIECE.findall(code or "General"):
        if piece == ";":
            sections.append([])
        else:
            sections[-1].append(piece)
    return [tuple(pieces) for pieces in sections[:4]]


def _literal(piece: str) -> str:
    """What a piece that is no digit shows."""
    if piece.startswith('"'):
        return piece.strip('"')
    if piece.startswith("\\"):
        return piece[1:]
    if piece.startswith("[$"):
        return piece[2:-1].partition("-")[0]
    if piece.startswith(("[", "*", ",")):
        return ""
    return " " if piece.startswith("_") else piece


def _rounded(value: float, power: int, decimals: int) -> tuple[str, str]:
    """The digits before and after the point of a number times a power of ten, rounded to so many decimals."""
    try:
        number = abs(Decimal(repr(float(value)))).scaleb(power)
        number = number.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
    except InvalidOperation:  # more digits than a number of a sheet can have
        return f"{abs(value) * 10.0**power:.0f}", ""
    head, _, tail = f"{number:f}".partition(".")
    return head, tail
