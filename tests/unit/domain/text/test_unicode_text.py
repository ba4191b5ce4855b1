"""Texts hold no unpaired surrogates; names hold nothing that cannot be seen."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modulo.domain.errors import InvalidRequest
from modulo.domain.files.media import safe_name
from modulo.domain.text.unicode_text import hidden_positions, is_well_formed, repair

ANY = st.text(alphabet=st.characters(codec=None))


@given(ANY)
def test_what_is_repaired_can_be_encoded_and_what_could_be_stays(text: str) -> None:
    try:
        text.encode()
        encodable = True
    except UnicodeEncodeError:
        encodable = False
    assert is_well_formed(text) is encodable
    assert (repair(text) == text) is encodable
    assert len(repair(text)) == len(text)
    repair(text).encode()


@pytest.mark.parametrize(
    "name",
    [
        "report.pdf",
        "Jahresbericht Größe (3).pdf",
        "نامه\u200cها.pdf",  # noqa: RUF001 - Persian writes with U+200C between letters
        "क्\u200dष.pdf",  # Hindi with U+200D behind a virama
        "\U0001f469\u200d\U0001f4bb notes.txt",  # woman, ZWJ, laptop
        "\U0001f3f3\ufe0f\u200d\U0001f308.txt",  # white flag in emoji style, ZWJ, rainbow
        "1\ufe0f\u20e3.txt",  # a keycap
        "\U0001f44d\U0001f3fd.txt",
        "東京 報告書.txt",
        "דוח.txt",
    ],
)
def test_names_of_every_script_stay(name: str) -> None:
    assert list(hidden_positions(name)) == []
    safe_name(name)


@pytest.mark.parametrize(
    "hidden",
    [
        "\x00",
        "\n",
        "\x85",
        "\u00ad",
        "\u034f",
        "\u061c",
        "\u115f",
        "\u180e",
        "\u200b",
        "\u200c",
        "\u200d",
        "\u200e",
        "\u2028",
        "\u202e",
        "\u2060",
        "\u2066",
        "\u3164",
        "\ufe0f",
        "\ufeff",
        "\uffa0",
        "\U000e0041",
        "\U000e0100",
        "\ud800",
        "\udfff",  # noqa: PT014 - ruff takes all surrogates for one
    ],
    ids=lambda character: f"U+{ord(character):04X}",
)
@pytest.mark.parametrize("place", ["{}report.pdf", "re{}port.pdf", "report.pdf{}", "a{}", "report{}.pdf"])
def test_what_shows_nothing_is_refused(hidden: str, place: str) -> None:
    name = place.format(hidden)
    assert list(hidden_positions(name)) == [name.index(hidden)]
    with pytest.raises(InvalidRequest):
        safe_name(name)


@given(ANY.filter(lambda text: text.strip(". \u00a0\u3000")))
def test_a_name_is_refused_or_can_be_encoded(name: str) -> None:
    with suppress(InvalidRequest):
        safe_name(name).encode()
