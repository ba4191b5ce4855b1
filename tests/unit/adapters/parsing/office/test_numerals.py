"""Numbers of lists and headings."""

import pytest

from modulo.adapters.parsing.office.numerals import numeral


@pytest.mark.parametrize(
    ("style", "shown"),
    [
        ("decimal", ["1", "4", "27", "101"]),
        ("lowerLetter", ["a", "d", "aa", "wwww"]),
        ("upperLetter", ["A", "D", "AA", "WWWW"]),
        ("lowerRoman", ["i", "iv", "xxvii", "ci"]),
        ("upperRoman", ["I", "IV", "XXVII", "CI"]),
        ("ordinal", ["1st", "4th", "27th", "101st"]),
        ("cardinalText", ["One", "Four", "Twenty-seven", "101"]),
        ("ordinalText", ["First", "Fourth", "Twenty-seventh", "101st"]),
        ("decimalZero", ["01", "04", "27", "101"]),
        ("decimalEnclosedCircle", ["①", "④", "27", "101"]),
        ("chineseCounting", ["一", "四", "二十七", "一零一"]),
        ("hex", ["1", "4", "1B", "65"]),
        ("of another world", ["1", "4", "27", "101"]),
    ],
)
def test_styles(style: str, shown: list[str]) -> None:
    assert [numeral(number, style) for number in (1, 4, 27, 101)] == shown


def test_numbers_without_a_letter_are_written_in_digits() -> None:
    assert numeral(0, "lowerLetter") == "0"
    assert numeral(-3, "upperRoman") == "-3"
    assert numeral(5000, "upperRoman") == "5000"
    assert numeral(100_000, "lowerLetter") == "100000"
