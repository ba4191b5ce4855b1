# ruff: noqa: RUF001  # letters of several scripts look alike; a case is a line
"""Sentences: where they end, where they only seem to, and tables by the row."""

import re
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modulo.domain.text.sentences import MAX_CHARACTERS, _cut, sentences


def texts(text: str) -> list[str]:
    return [sentence.text for sentence in sentences(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("Dr. Smith paid $3.5 million. He left.", ["Dr. Smith paid $3.5 million.", "He left."]),
        ("He left at 5 p.m. The rest stayed.", ["He left at 5 p.m.", "The rest stayed."]),
        ("She lives in the U.S. The U.S. Army is large.", ["She lives in the U.S.", "The U.S. Army is large."]),
        ("By J. K. Rowling and T. S. Eliot. Then more.", ["By J. K. Rowling and T. S. Eliot.", "Then more."]),
        ("See Fig. 3 for it. The fig. Next.", ["See Fig. 3 for it.", "The fig.", "Next."]),
        ("He said no. Then No. 5 came.", ["He said no.", "Then No. 5 came."]),
        ("It was I. Then he came.", ["It was I.", "Then he came."]),
        ("Use tools, e.g. Hammers, i.e. heavy ones. Done.", ["Use tools, e.g. Hammers, i.e. heavy ones.", "Done."]),
        ("“Really?” she said. (It is.) Next.", ["“Really?” she said.", "(It is.)", "Next."]),
        ("3. Results are good. Prices fell.", ["3. Results are good.", "Prices fell."]),
        ("It was tokenized . So was this .", ["It was tokenized .", "So was this ."]),
        ("Wait... What? Go on… And on.", ["Wait...", "What?", "Go on…", "And on."]),
        ("今日は良い天気です。明日は雨。", ["今日は良い天気です。", "明日は雨。"]),
        ("", []),
        (" \n\t\n", []),
        ("...", ["..."]),
    ],
)
def test_ends_of_sentences(text: str, expected: list[str]) -> None:
    assert texts(text) == expected


WHOLE = """
Resturlaub verfällt am 31. März.|Danach nicht mehr.
Die Frist endet am 15. des Monats.|Dann ist Schluss.
Sie begann im 2. Quartal und endete im 20. Jahrhundert.|Die Firma wuchs.
Der Preis beträgt 15.|Danach steigt er.
Er zahlt am 15.|Die Frist ist dann um.
Der 3. Oktober ist frei.|Am 1. Mai und am 2. Weihnachtstag auch.
Termin: 15. 3. 2024 um 9 Uhr oder 16. 4. um 10 Uhr.|Bitte kommen.
Gemäß § 5 Abs. 2 Nr. 3 BGB gilt das.|Siehe z. B. Anlage 1 bzw. Anhang B an der Hauptstr. 5 in Ulm.
Das kostet ca. 3,5 Mio. Euro inkl. MwSt. und mehr.|Hr. Müller zahlt usw.|Die Firma auch.
„Das ist gut.“|Danach ging er.|»So nicht.«|Sie blieb.
M. Dupont habite av. Foch.|Mme. Durand aussi, p. ex. Paris ou Lyon.
La Sra. García vive en EE. UU. desde ene. 2020.|Paga aprox. 5 euros.
Zie blz. 5, d.w.z. Deel 2, en bijv. Piet.|Klaar.
В 2020 г. Иванов жил на ул. Ленина, д. 5.|Потом уехал, т. е. Москва.
Согласно п. 5 и рис. 3 насос исправен.|Гарантия два года.
هل انتهى العقد؟|نعم انتهى.|راجع د. أحمد في المكتب.
الغرامة ٣.٥ بالمئة.|تنتهي في ٣١. مارس
「はい。」と彼は言った。|次へ。
价格是3.5元。|付款期限为三十天！|好吗？
ราคา 3.5 บาท เม.ย. 2567 เวลา 09.00 น. ถึงแล้ว
यह पहला वाक्य है।|यह दूसरा है।
He paid $3.50.|No. 7 is J. R. R. Tolkien's.|See pp. 5 ff. and vol. II for it.|The end.
Apply by Jan. 5 at 10 a.m. Eastern.|Bring ID.
The fee is 5.|All of it is due on 3. March.
Ödeme 30 gündür.|Bkz. 5. Madde
He was 31.|Then he left.|In 2020.|Prices rose 3.
"""


@pytest.mark.parametrize("line", WHOLE.strip().split("\n"))
def test_sentences_of_many_languages_are_whole(line: str) -> None:
    assert texts(line.replace("|", " ")) == line.split("|")


def test_a_run_without_white_space_is_cut_between_letters() -> None:
    word = "ที่"  # a letter and two marks on it
    found = texts(word * 400)
    assert "".join(found) == word * 400
    assert all(text.startswith("ท") for text in found)
    assert texts("e" + "\u0301" * 1_200)[0] == "e" + "\u0301" * (MAX_CHARACTERS - 1)


def test_a_wrapped_line_goes_on() -> None:
    text = "The committee decided on the\nfirst of May that it would\nmeet again. It did\nso."
    assert texts(text) == ["The committee decided on the first of May that it would meet again.", "It did so."]


def test_a_blank_line_ends_a_sentence() -> None:
    assert texts("A title\n \t\nThe text\n \n \n") == ["A title", "The text"]
    assert texts("A title\n\nThe text. More\r\n\r\nLast") == ["A title", "The text.", "More", "Last"]


def test_a_heading_is_not_part_of_what_follows() -> None:
    assert texts("Overview\nThe plan was made in good time and well.\n# Costs\nHigh.") == [
        "Overview",
        "The plan was made in good time and well.",
        "# Costs",
        "High.",
    ]


def test_each_item_is_by_itself() -> None:
    assert texts("Bring:\n- a pen\n- paper that is\n  lined\n1. First\n2) Second. More") == [
        "Bring:",
        "- a pen",
        "- paper that is lined",
        "1. First",
        "2) Second.",
        "More",
    ]


def test_a_row_carries_its_header() -> None:
    text = "Sales\nYear | Sold | Left\n--- | --- | ---\n2020 | 1.5 | 3. A\n2021 | 2 | 4\nThat was all."
    found = [(sentence.text, sentence.header) for sentence in sentences(text)]
    assert found == [
        ("Sales", ""),
        ("Year | Sold | Left", ""),
        ("2020 | 1.5 | 3. A", "Year | Sold | Left"),
        ("2021 | 2 | 4", "Year | Sold | Left"),
        ("That was all.", ""),
    ]


def test_a_row_is_spelled_out_by_its_columns() -> None:
    header, row, short = sentences("Year | Sold\n2020 | 15\n2021")[:3]
    assert (header.spelled_out, row.spelled_out, short.spelled_out) == ("Year | Sold", "Year: 2020; Sold: 15", "2021")
    assert sentences("a | b\n1 | 2 | 3")[1].spelled_out == "a | b\n1 | 2 | 3"


def test_two_tables_have_their_own_headers() -> None:
    assert [sentence.header for sentence in sentences("a | b\n1 | 2\n\nc | d\n3 | 4")] == ["", "a | b", "", "c | d"]


def test_a_run_without_end_is_cut_between_words() -> None:
    found = texts("word " * 400)
    assert all(len(text) <= MAX_CHARACTERS for text in found)
    assert " ".join(found) == ("word " * 400).strip()


TEXT = st.text(st.sampled_from(list("aAB1 .!?\n\r\t|-\"'“”()[]。é…:")) | st.characters(), max_size=300)


RULE = re.compile(r"[\s|:\-=_*+]*")


@given(TEXT)
def test_only_white_space_and_rules_are_left_out(text: str) -> None:
    at = 0
    for sentence in sentences(text):
        assert RULE.fullmatch(text[at : sentence.start])
        assert " ".join(text[sentence.start : sentence.end].split()) == sentence.text != ""
        at = sentence.end
    assert RULE.fullmatch(text[at:])


@given(TEXT.filter(lambda text: "|" not in text))
def test_without_tables_nothing_but_white_space_is(text: str) -> None:
    assert "".join("".join(sentence.text.split()) for sentence in sentences(text)) == "".join(text.split())


@pytest.mark.parametrize(
    "text", ["." * 99_999 + "a", "A. " * 33_000, "." + "'" * 99_999, "a | b\n" * 16_000, "a\n" * 50_000, "(" * 100_000]
)
def test_hostile_texts_take_no_time(text: str) -> None:
    started = time.process_time()
    sentences(text)
    assert time.process_time() - started < 30


def test_white_space_is_no_sentence() -> None:
    assert list(_cut(" \n ", 0, 3)) == []


class Counted(str):
    """Text that counts the characters that are taken out of it or searched."""

    taken = 0

    def __getitem__(self, at: Any) -> str:
        found = super().__getitem__(at)
        self.taken += len(found)
        return found

    def rfind(self, *wanted: Any) -> int:
        _, start, end = wanted
        self.taken += end - start
        return super().rfind(*wanted)


@pytest.mark.parametrize("hostile", ["a", "a" * 600 + " " * 600, "é b", "(", "a\n"])
def test_cutting_looks_at_each_character_a_few_times_only(hostile: str) -> None:
    text = Counted((hostile * 200_000)[:200_000])
    found = list(_cut(text, 0, len(text)))
    assert all(sentence.end - sentence.start <= MAX_CHARACTERS for sentence in found)
    assert text.taken <= 8 * len(text)
