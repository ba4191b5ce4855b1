"""Shows a moment or a duration under a spreadsheet's number format."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Self

_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_UNITS = re.compile(r"(\[h+\]|\[m+\]|\[s+\]|y+|m+|d+|h+|s+)(?:\.(0+))?|AM/PM|A/P|e+|g+|a{3,4}|b+", re.IGNORECASE)
_ELAPSED = re.compile(r"\[(?:h+|m+|s+)\]", re.IGNORECASE)
_SECONDS = {"h": 3600, "m": 60, "s": 1}


def is_date(pieces: tuple[str, ...]) -> bool:
    """Whether the pieces of a format code show a date, a time or a duration."""
    plain = "".join(piece for piece in pieces if piece[0] not in '"\\_*[')
    return "general" not in plain.lower() and (
        any(letter in "ymdhsYMDHS" for letter in plain)
        or any(_ELAPSED.fullmatch(piece) for piece in pieces)
        or bool(re.search(r"gge|ge|aaa", plain, re.IGNORECASE))
    )


@dataclass(frozen=True, slots=True)
class _Unit:
    """A unit of time, such as `yy`, `M` (a month), `mm` (minutes), `[h]` or AM/PM; or words if `literal`."""

    text: str
    literal: bool = False
    decimals: int = 0


@dataclass(frozen=True, slots=True)
class DateFormat:
    """The units that a format shows."""

    units: tuple[_Unit, ...]

    @classmethod
    def of(cls, pieces: tuple[str, ...]) -> Self:
        """The format of a code's pieces."""
        text = "".join(_quoted(piece) for piece in pieces)
        units: list[_Unit] = []
        at = 0
        for found in _UNITS.finditer(text):
            if text.count("\0", 0, found.start()) % 2:
                continue  # inside of quoted words
            units += [_Unit(text[at : found.start()], literal=True)] if at < found.start() else []
            units.append(_Unit((found[1] or found[0]).lower(), decimals=len(found[2] or "")))
            at = found.end()
        units += [_Unit(text[at:], literal=True)] if at < len(text) else []
        return cls(_with_months(units))

    @property
    def elapsed(self) -> bool:
        """Whether the format shows a duration."""
        return any(unit.text.startswith("[") and not unit.literal for unit in self.units)

    @property
    def has_day(self) -> bool:
        """Whether the format shows a day of a month, or the date in an era."""
        return self._has("d", "dd", "e", "g", "b")

    def _has(self, *names: str) -> bool:
        return any(not unit.literal and (unit.text in names or unit.text[:1] in "egb") for unit in self.units)

    def shown(self, moment: datetime) -> str:
        """A moment: a date with its day in ISO form, else what the format shows."""
        names = {unit.text[0] for unit in self.units if not unit.literal}
        if names & set("deg") and names & set("Myeg") and self.has_day:
            time = " " + moment.strftime("%H:%M:%S" if "s" in names else "%H:%M") if names & set("hs") else ""
            return moment.date().isoformat() + time
        half = any(not unit.literal and unit.text in {"am/pm", "a/p"} for unit in self.units)
        return "".join(_part(unit, moment, half=half) for unit in self.units).strip()

    def duration(self, days: float) -> str:
        """A number of days as a duration."""
        decimals = max((unit.decimals for unit in self.units), default=0)
        total = round(abs(days) * 86_400, min(decimals, 6))
        whole = max(
            (_SECONDS[unit.text[1]] for unit in self.units if unit.text[:1] == "[" and not unit.literal), default=1
        )
        shown = []
        for unit in self.units:
            name = unit.text.strip("[]")
            size = _SECONDS.get(name[:1].lower())
            if unit.literal or size is None:
                shown.append(unit.text.replace("\0", "") if unit.literal else "")
                continue
            count = int(total // size) if size >= whole else int(total // size) % 60
            text = f"{count:0{len(name)}d}"
            shown.append(f"{text}.{total % 1:.{unit.decimals}f}".replace(".0.", ".") if unit.decimals else text)
        return ("-" if days < 0 else "") + "".join(shown).strip()


def _quoted(piece: str) -> str:
    """A piece's text; quoted words stand between zero characters."""
    if piece.startswith('"'):
        return f"\0{piece.strip(chr(34))}\0"
    if piece.startswith("\\"):
        return f"\0{piece[1:]}\0"
    if piece.startswith("["):
        return piece if _ELAPSED.fullmatch(piece) else ""
    return " " if piece.startswith("_") else "" if piece.startswith("*") else piece


def _with_months(units: list[_Unit]) -> tuple[_Unit, ...]:
    """The units; an `m` that stands neither after hours nor before seconds is a month, written `M`."""
    names = [number for number, unit in enumerate(units) if not unit.literal and unit.text not in {"am/pm", "a/p"}]
    for order, number in enumerate(names):
        before = units[names[order - 1]].text.strip("[]")[:1] if order else ""
        after = units[names[order + 1]].text.strip("[]")[:1] if order + 1 < len(names) else ""
        unit = units[number]
        if unit.text.startswith("m") and ((before != "h" and after != "s") or len(unit.text) > 2):
            units[number] = _Unit(unit.text.upper())
    return tuple(units)


def _part(unit: _Unit, moment: datetime, *, half: bool) -> str:
    """What one unit shows of a moment; hours up to 12 if `half`."""
    name, width = unit.text, len(unit.text)
    if unit.literal:
        return name.replace("\0", "")
    if name in {"am/pm", "a/p"}:
        return ("AM" if moment.hour < 12 else "PM")[: 2 if name == "am/pm" else 1]
    if width > 2 and name[0] in "Mda":
        names = _MONTHS[moment.month - 1] if name[0] == "M" else _DAYS[moment.weekday()]
        return names[: 3 if width == 3 else None]
    hour = (moment.hour % 12 or 12) if half else moment.hour
    numbers = {"y": moment.year, "M": moment.month, "d": moment.day, "h": hour, "m": moment.minute, "s": moment.second}
    shown = str(numbers.get(name[0], moment.year)).zfill(width)
    if not unit.decimals:
        return shown
    return f"{shown}.{moment.microsecond:06d}"[: len(shown) + 1 + unit.decimals]
