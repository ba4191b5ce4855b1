"""What Tesseract says, as a page."""

from modulo.adapters.parsing.ocr.hocr_page import confidence, drawn_page_from_hocr, lines_in, rotate
from modulo.adapters.parsing.pdf.geometry import HYPHEN, Rules
from modulo.domain.documents.document import Picture

PAGE = Picture(1_000, 1_000, b"")
POINTS = 72 / 300


def line(*words: str, box: str = "100 100 900 140", size: str = "; baseline 0 -9; x_size 40") -> str:
    said = "\n".join(words)
    return f"<span class='ocr_line' id='line_1_1' title=\"bbox {box}{size}; x_descenders 9; x_ascenders 9\">\n{said}\n"


def word(text: str, left: int = 100, right: int = 200, sure: int = 96) -> str:
    return f"<span class='ocrx_word' id='word_1_1' title='bbox {left} 100 {right} 140; x_wconf {sure}'>{text}</span>"


def separator(box: str) -> str:
    return f"<div class='ocr_separator' id='block_1_5' title=\"bbox {box}\"></div>\n"


def runs(*lines: str) -> list[str]:
    return [run.text for run in drawn_page_from_hocr("".join(lines), PAGE).runs]


def test_words_are_joined_until_a_gap_is_wide() -> None:
    said = line(word("Two", 100, 160), word("words", 170, 300), word("apart", 400, 500))
    first, second = drawn_page_from_hocr(said, PAGE).runs
    assert (first.text, second.text, first.order, second.order) == ("Two words", "apart", 0, 1)
    assert (first.left, first.right) == (100 * POINTS, 300 * POINTS)
    (gap,) = first.gaps
    assert (gap.left, gap.right, first.text[gap.offset :]) == (160 * POINTS, 170 * POINTS, "words")
    assert [part.text for part in first.split([165 * POINTS])] == ["Two", "words"]


def test_words_out_of_order_are_not_joined() -> None:
    assert runs(line(word("later", 500, 600), word("before", 100, 200))) == ["later", "before"]


def test_boxes_that_overlap_and_scripts_from_right_to_left() -> None:
    assert runs(line(word("near", 100, 205), word("by", 200, 300))) == ["near by"]
    (run,) = drawn_page_from_hocr(line(word("first", 500, 600), word("second", 390, 490)), PAGE).runs
    assert (run.text, run.left, run.right, run.gaps) == ("first second", 390 * POINTS, 600 * POINTS, [])


def test_signs_that_have_no_spaces_between_them() -> None:
    signs = line(word("\u4e09", 100, 140), word("\u6708", 141, 180), word("\uff0c", 181, 190), word("2020", 200, 280))
    assert runs(signs) == ["\u4e09\u6708\uff0c 2020"]
    assert runs(line(word("\ud55c", 100, 140), word("\uae00", 150, 190))) == ["\ud55c \uae00"]


def test_where_a_line_stands() -> None:
    (run,) = drawn_page_from_hocr(line(word("flat")), PAGE).runs
    assert round(run.bottom, 2) == round((1_000 - 131 - 0.22 * 40) * POINTS, 2)
    assert round(run.height, 2) == 40 * POINTS
    rising = line(word("left", 100, 200), word("right", 800, 900), size="; baseline -0.1 -9; x_size 40")
    low, high = drawn_page_from_hocr(rising, PAGE).runs
    assert round(high.bottom - low.bottom, 2) == 70 * POINTS
    bare = drawn_page_from_hocr(line(word("bare"), size=""), PAGE).runs[0]
    assert round(bare.height, 2) == 40 * POINTS


def test_sizes_of_one_font_are_one_size() -> None:
    sizes = [line(word("x" * 30), size=f"; baseline 0 -9; x_size {size}") for size in (42, 50, 46.25, 71)]
    assert [run.size for run in drawn_page_from_hocr("".join(sizes), PAGE).runs] == [11.1, 11.1, 11.1, 17.0]


def test_marks_and_signs_of_markup() -> None:
    assert runs(line(word("<strong>R&amp;D</strong>"), word("<em>&lt;b&gt;</em>", 205, 300))) == ["R&D <b>"]
    assert runs(line(word("a\u00ad&#x200b;b"))) == ["ab"]


def test_a_hyphen_at_the_end_of_a_line_may_be_no_part_of_the_word() -> None:
    assert runs(line(word("impor-")), line(word("tance"))) == ["impor" + HYPHEN, "tance"]


def test_what_is_no_text() -> None:
    assert runs(line(word("surely")), line(word("~~~", sure=20)), line()) == ["surely"]
    assert runs(line(word("up"), word("and", 205, 280), box="100 100 140 900")) == []
    assert runs(line(word("I"), box="100 100 110 140")) == ["I"]


def test_other_kinds_of_lines() -> None:
    for kind in ("header", "caption", "textfloat"):
        assert runs(line(word("text")).replace("ocr_line", f"ocr_{kind}")) == ["text"]
    assert runs(line(word("text")).replace("ocr_line", "ocr_photo")) == []


def test_confidence_is_that_of_the_characters() -> None:
    assert confidence([]) == 0
    assert confidence(lines_in(line(word("abc", sure=90), word("d", sure=10)))) == 70
    upright = line(word("abcd", sure=90))
    assert confidence(lines_in(upright + line(word("efgh", sure=90), box="100 100 140 900"))) == 45


def test_lines_of_tables() -> None:
    said = line(word("text")) + separator("100 200 900 202") + separator("100 200 102 600")
    rules = drawn_page_from_hocr(said, PAGE).rules
    assert [tuple(map(round, rule)) for rule in rules.horizontal] == [(192, 24, 216)]
    assert [tuple(map(round, rule)) for rule in rules.vertical] == [(24, 96, 192)]
    assert drawn_page_from_hocr(said + separator("1 2 3 4") * 500, PAGE).rules == Rules()


def test_turning() -> None:
    picture = Picture(3, 2, b"abcdef")
    assert rotate(picture, 90) == Picture(2, 3, b"daebfc")
    assert rotate(picture, 180) == Picture(3, 2, b"fedcba")
    assert rotate(picture, 270) == Picture(2, 3, b"cfbead")
    assert rotate(Picture(3, 2, bytearray(b"abcdef")), 90) == Picture(2, 3, b"daebfc")
