import pytest

from modulo.adapters.parsing.linear_notation import built_fractions, fraction, subscript, superscript


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("6", "⁶"),
        ("-2", "⁻²"),
        ("n+1", "ⁿ⁺¹"),
        ("(a)", "^(a)"),
        ("k", "^k"),
        ("a+b", "^(a+b)"),
        ("th", "th"),
        ("*", "*"),
    ],
)
def test_superscripts(text: str, written: str) -> None:
    assert superscript(text) == written


@pytest.mark.parametrize(("text", "written"), [("2", "₂"), ("max", "_max"), ("i+1", "_(i+1)"), (" ", " ")])
def test_subscripts(text: str, written: str) -> None:
    assert subscript(text) == written


def test_fractions() -> None:
    assert (fraction("3", "4"), fraction("a+b", "2"), fraction("(a+b)", "c")) == ("3/4", "(a+b)/2", "(a+b)/c")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("1³/₄ inches", "1 3/4 inches"),
        ("¹/2 inch", "1/2 inch"),
        ("5 ³\u2044₄", "5 3/4"),
        ("10⁶/2 is not a half", "10⁶/2 is not a half"),
        ("10⁶ m/s", "10⁶ m/s"),
    ],
)
def test_a_fraction_built_of_small_digits(text: str, written: str) -> None:
    assert built_fractions(text) == written
