"""Numbers under the format codes of spreadsheets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modulo.adapters.parsing.office.number_format import built_in, general, shown_number, shown_text


@pytest.mark.parametrize(
    ("code", "value", "shown"),
    [
        ("", 0.1 + 0.2, "0.3"),
        ("General", 1e6, "1000000"),
        ("0", -3.5, "-4"),
        ("0", 0.4, "0"),
        ("0.00", -0.001, "0.00"),
        ("#.##", 5.25, "5.25"),
        ("#.##", 5, "5"),
        ("#,##0", 1234567, "1,234,567"),
        ("#,##0.00", -1234.5, "-1,234.50"),
        ("# ##0", 1234, "1 234"),
        ("$#,##0.00_);($#,##0.00)", -1234.5, "($1,234.50)"),
        ('#,##0.00 "€"', 1234.5, "1,234.50 €"),
        ("[$€-407] #,##0.00", 1234.5, "€ 1,234.50"),
        ("#,##0.00 [$CHF]", 1234.567, "1,234.57 CHF"),
        ('_-* #,##0.00 €_-;-* #,##0.00 €_-;_-* "-"?? €_-;_-@_-', 0, "- €"),
        ("[Red]0", 12, "12"),
        ('[<1000]0;[>=1000]0.0,"K"', 1500, "1.5K"),
        ('[=1]"yes";[=0]"no";0', 0, "no"),
        ('[=1]"yes";[=0]"no";0', 7, "7"),
        (";;;", 7, ""),
        ("00000", 1067, "01067"),
        ("000-00-0000", 12345678, "012-34-5678"),
        ("(000) 000-0000", 5551234567, "(555) 123-4567"),
        ("0%", 0.1234, "12%"),
        ('0.00"%"', 12.3456, "12.35%"),
        ('0.0,,"M"', 12345678, "12.3M"),
        ('#,##0,"k"', 1234567, "1,235k"),
        ("0.00E+00", 1234567, "1.23E+06"),
        ("# ?/?", 1.75, "1 3/4"),
        ("# ?/?", -0.5, "-1/2"),
        ("# ?/8", 0.5, "4/8"),
        ("# ?/?", 3, "3"),
        ('"Q"0', 3, "Q3"),
        ('0.0E+0" m"', 1.2e-5, "1.2E-5 m"),
        ('# ?/?" in"', 1.75, "1 3/4 in"),
        ("", 1e-9, "1E-09"),
        ("@", 5, "5"),
        ("0", 1e300, "1E+300"),
    ],
)
def test_numbers(code: str, value: float, shown: str) -> None:
    assert shown_number(value, code) == shown


@pytest.mark.parametrize(
    ("code", "value", "shown"),
    [
        ("yyyy-mm-dd", 45000, "2023-03-15"),
        ("dd.mm.yyyy hh:mm", 45000.5, "2023-03-15 12:00"),
        ("[$-F800]dddd\\,\\ mmmm\\ dd\\,\\ yyyy", 45000, "2023-03-15"),
        ('[$-411]ggge"年"m"月"d"日"', 45000, "2023-03-15"),
        ("m/d/yy h:mm AM/PM;@", 45000.75, "2023-03-15 18:00"),
        ("yyyy-mm-dd", 59, "1900-02-28"),
        ("mmm-yy", 45000, "Mar-2023"),
        ("mmmm yyyy", 45000, "March 2023"),
        ('"FY"yyyy', 45000, "FY2023"),
        ("dddd", 45000, "Wednesday"),
        ("h:mm", 0.25, "6:00"),
        ("h:mm AM/PM", 0.5, "12:00 PM"),
        ("mm:ss.0", 30.25 / 86400, "00:30.2"),
        ('hh"h"mm', 0.25, "06h00"),
        ("[h]:mm:ss", 37 / 24, "37:00:00"),
        ("[h]:mm", -1.5, "-36:00"),
        ("[mm]:ss", 0.75, "1080:00"),
        ("[s].000", 3.14159, "271433.376"),
        ('s" secs and "[m]" mins"', 3.14159, "53 secs and 4523 mins"),
        ("yyyy-mm-dd", 1e9, "1000000000"),
        ("yyyy-mm-dd", -5, "-5"),
    ],
)
def test_dates_and_durations(code: str, value: float, shown: str) -> None:
    assert shown_number(value, code) == shown


def test_days_may_count_from_1904() -> None:
    assert shown_number(43538, "yyyy-mm-dd", from_1904=True) == "2023-03-15"
    assert shown_number(0, "yyyy-mm-dd", from_1904=True) == "1904-01-01"


def test_formats_that_files_name_by_number() -> None:
    assert [shown_number(0.5, built_in(number)) for number in (9, 10, 20, 46)] == ["50%", "50.00%", "12:00", "12:00:00"]
    assert built_in(9999) == ""


def test_texts_under_a_code() -> None:
    assert shown_text("abc", '"Nr. "@') == "Nr. abc"
    assert shown_text("abc", '0;0;0;"x"@') == "xabc"
    assert shown_text("abc", "0.00") == "abc"
    assert shown_text("abc", "_(@_)") == "abc"


def test_whole_numbers_are_shown_in_full() -> None:
    assert general(123456789012.0) == "123456789012"
    assert general(1e20) == "1E+20"


@given(st.text('0#?.,%E+-/[]"\\;@_*ymdhsegAP$€ General', max_size=30), st.floats(allow_nan=False, allow_infinity=False))
def test_no_code_breaks_it(code: str, value: float) -> None:
    assert isinstance(shown_number(value, code), str)
    assert isinstance(shown_text("abc", code), str)
