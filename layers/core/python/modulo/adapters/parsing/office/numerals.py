"""Writes the numbers of lists and headings: 1, a, iv, 1st."""

from collections.abc import Callable

from modulo.adapters.parsing import numerals

_MAX_REPEATS = 20
_LATIN = "abcdefghijklmnopqrstuvwxyz"
_RUSSIAN = "абвгдежзиклмнопрстуфхцчшщыэюя"  # these letters are the ones meant
_ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_ORDINALS = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth",
    "twelve": "twelfth",
}  # fmt: skip
_CHINESE = "零一二三四五六七八九"


def numeral(number: int, style: str) -> str:
    """A number in one of the styles of numbering that Office names; in digits if the style is unknown."""
    write = _STYLES.get(style)
    return write(number) if write and number > 0 else str(number)


def letters(number: int, alphabet: str = _LATIN) -> str:
    """The number as a letter: a to z, then aa, bb."""
    repeats, letter = divmod(number - 1, len(alphabet))
    return alphabet[letter] * (repeats + 1) if repeats < _MAX_REPEATS else str(number)


def _ordinal(number: int) -> str:
    teens = 10 < number % 100 < 20
    return f"{number}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def _words(number: int) -> str:
    if number < len(_ONES):
        return _ONES[number].capitalize()
    tens, ones = divmod(number, 10)
    if tens >= len(_TENS):
        return str(number)
    return f"{_TENS[tens]}-{_ONES[ones]}".capitalize() if ones else _TENS[tens].capitalize()


def _ordinal_words(number: int) -> str:
    head, dash, last = _words(number).lower().rpartition("-")
    if last.isdecimal():
        return _ordinal(number)
    last = _ORDINALS.get(last) or (f"{last[:-1]}ieth" if last.endswith("y") else f"{last}th")
    return f"{head}{dash}{last}".capitalize()


def _chinese(number: int) -> str:
    if number >= 100:
        return "".join(_CHINESE[int(digit)] for digit in str(number))
    tens, ones = divmod(number, 10)
    head = "十" if tens == 1 else f"{_CHINESE[tens]}十" if tens else ""
    return head + (_CHINESE[ones] if ones or not tens else "")


def _circled(number: int) -> str:
    return chr(0x2460 + number - 1) if number <= 20 else str(number)


_STYLES: dict[str, Callable[[int], str]] = {
    "lowerLetter": letters,
    "upperLetter": lambda number: letters(number).upper(),
    "lowerRoman": lambda number: numerals.numeral(number, "i"),
    "upperRoman": lambda number: numerals.numeral(number, "I"),
    "ordinal": _ordinal,
    "cardinalText": _words,
    "ordinalText": _ordinal_words,
    "decimalZero": lambda number: f"{number:02d}",
    "decimalEnclosedCircle": _circled,
    "decimalEnclosedCircleChinese": _circled,
    "chineseCounting": _chinese,
    "chineseCountingThousand": _chinese,
    "ideographDigital": _chinese,
    "japaneseCounting": _chinese,
    "taiwaneseCounting": _chinese,
    "taiwaneseCountingThousand": _chinese,
    "russianLower": lambda number: letters(number, _RUSSIAN),
    "russianUpper": lambda number: letters(number, _RUSSIAN).upper(),
    "hex": lambda number: f"{number:X}",
    "numberInDash": lambda number: f"- {number} -",
}
