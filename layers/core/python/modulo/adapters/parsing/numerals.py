"""Numbers in texts: those that attributes hold, and those of list items as they are written: 4, d, D, iv or IV."""

_ROMAN = (
    *((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl")),
    *((10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i")),
)
_MAX_ROMAN = 3_999
_LETTERS = 26
_MAX_DIGITS = 600  # Python reads a few thousand and raises an error on more


def numeral(number: int, style: str = "1") -> str:
    """A number in the style `1`, `a`, `A`, `i` or `I`, as HTML names them; digits where a style has no such number."""
    if style in {"a", "A"} and number > 0:
        written = _in_letters(number)
    elif style in {"i", "I"} and 0 < number <= _MAX_ROMAN:
        written = _roman(number)
    else:
        return str(number)
    return written.upper() if style.isupper() else written


def whole_number(text: str, default: int = 0, most: int = 1_000_000) -> int:
    """The number that a text of digits holds, at most `most`; the default if the text is anything else."""
    if not text.isdecimal():
        return default
    return min(int(text), most) if len(text) <= _MAX_DIGITS else most


def _in_letters(number: int) -> str:
    letters = ""
    while number:
        number, letter = divmod(number - 1, _LETTERS)
        letters = chr(ord("a") + letter) + letters
    return letters


def _roman(number: int) -> str:
    written = ""
    for value, signs in _ROMAN:
        times, number = divmod(number, value)
        written += signs * times
    return written
