import pytest

from modulo.domain.documents.document import Block, BlockKind, Page
from modulo.domain.documents.reading_gauge import ReadingGauge
from modulo.domain.files.file import DocumentInfo
from modulo.domain.files.reading import ReadingWarning, WarningCode

SENTENCE = "The pump of the valley station runs at 40 bar and stops at 60 bar, as the board decided."


def page(text: str, number: int = 1, **facts: object) -> Page:
    blocks = (Block(BlockKind.text, text),) if text else ()
    return Page(number, blocks, **facts)  # type: ignore[arg-type]


def gauge(*pages: Page, natural_language: bool = True) -> ReadingGauge:
    found = ReadingGauge(natural_language)
    for each in pages:
        found.add(each)
    return found


@pytest.mark.parametrize(
    "text",
    [
        SENTENCE,
        "Größe für Müller \u2013 20 € “quoted” café” naïve «oui» São Paulo, ÄÖÜ",
        "Срок оплаты тридцать дней, договор номер 17 заключён в Москве.",
        "شركة البورصة تعلن النتائج المالية للربع الأول من العام الحالي",
        "契約番号はA-12です。支払期限は三十日です。東京本社の営業部が担当します。",
        "x = a + b, where a is the side and b the base of the figure that follows on the page",
    ],
)
def test_text_in_any_language_warns_of_nothing(text: str) -> None:
    found = gauge(page(text))
    assert found.warnings == ()
    assert not found.reading.is_garbage


def test_words_that_fell_apart() -> None:
    found = gauge(page(SENTENCE, 1), page(" ".join(SENTENCE.replace(" ", "")), 2))
    assert [(warning.code, warning.pages) for warning in found.warnings] == [(WarningCode.letters_apart, (2,))]
    assert found.warnings[0].detail.startswith("On page 2 most words fell apart")
    assert not found.reading.is_garbage or found.reading.one_letter_words >= 0.8
    assert gauge(page(" ".join(SENTENCE.replace(" ", "")))).reading.is_garbage


def test_code_has_names_of_one_letter() -> None:
    found = gauge(page("a b c d e f g h i j k l m n o p q r s t u v w x y z " * 3), natural_language=False)
    assert found.warnings == ()
    assert not found.reading.is_garbage


@pytest.mark.parametrize(
    "mojibake",
    [
        "Größe für Müller und Söhne, schöne Grüße".encode().decode("cp1252"),
        "Договор номер 17 заключён в Москве".encode("cp1251").decode("latin-1"),
        "The \ufffd\ufffd\ufffd of \ufffd\ufffd and \ufffd\ufffd\ufffd\ufffd",
    ],
)
def test_characters_that_were_not_decoded(mojibake: str) -> None:
    found = gauge(page(SENTENCE, 1), page(mojibake, 2), page(mojibake, 3))
    assert [(warning.code, warning.pages) for warning in found.warnings] == [(WarningCode.odd_characters, (2, 3))]
    assert "On pages 2 to 3" in found.warnings[0].detail


def test_garbage_is_told() -> None:
    assert gauge(page("Договор номер заключён в Москве".encode("cp1251").decode("latin-1"))).reading.is_garbage


def test_pages_without_text_and_fields_that_were_not_read() -> None:
    found = gauge(
        page(SENTENCE, 1, unread_fields=2),
        page("", 2, scanned=True),
        page("", 3),
        page("", 4, scanned=True, unmapped=0.9),
    )
    assert {warning.code: warning.pages for warning in found.warnings} == {
        WarningCode.unread_fields: (1,),
        WarningCode.pages_without_text: (2,),
        WarningCode.unknown_glyphs: (4,),
    }
    assert (found.reading.pages_without_text, found.reading.unread_fields) == (3, 2)


def test_parts_of_a_document_together() -> None:
    parts = [gauge(page("", 1, scanned=True)), gauge(page(SENTENCE, 7), page("", 9, scanned=True))]
    infos = [DocumentInfo(reading=part.reading, warnings=part.warnings) for part in parts]
    whole = DocumentInfo.together(infos)
    assert whole.warnings == (ReadingWarning.about(WarningCode.pages_without_text, [1, 9]),)
    assert whole.reading is not None
    assert (whole.reading.pages_without_text, whole.reading.words) == (2, len(SENTENCE.split()))


def test_no_more_pages_are_noted_than_a_warning_names() -> None:
    found = gauge(*(page("\ufffd" * 400, number) for number in range(1, 1000)))
    [warning] = [one for one in found.warnings if one.code is WarningCode.odd_characters]
    assert len(warning.pages) == 100
