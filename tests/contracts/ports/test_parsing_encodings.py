# ruff: noqa: RUF001  # letters of several scripts look alike
"""Every text format in the encodings of several countries, as the parsers read them."""

import io
import itertools

import pytest

from modulo.adapters.parsing.csv_parser import CsvParser
from modulo.adapters.parsing.html_parser import HtmlParser
from modulo.adapters.parsing.text_parser import TextParser
from modulo.domain.documents.document import Part
from modulo.ports.parsing import Parser

RUSSIAN = "Насос работает при давлении сорок бар. Замена фильтра каждые шесть месяцев."
JAPANESE = "ポンプは六か月ごとに点検してください。保証期間は二年です。"


def read(parser: Parser, content: bytes) -> str:
    return "\n".join(block.text for page in parser.parse(io.BytesIO(content)).pages() for block in page.blocks)


@pytest.mark.parametrize(("text", "encoding"), [(RUSSIAN, "cp1251"), (JAPANESE, "cp932"), (JAPANESE, "utf-16-le")])
def test_tables(text: str, encoding: str) -> None:
    rows = "".join(f"{number},{text}\r\n" for number in range(3))
    assert read(CsvParser(), f"id,note\r\n{rows}".encode(encoding)).endswith(f"\n2 | {text}")


@pytest.mark.parametrize("separator", [";", "|", "\t", ",", "^"])
@pytest.mark.parametrize("line", ["sep={}\n", "sep={}\r\n", '"sep={}"\r\n', "SEP={}\n"])
def test_the_line_that_names_the_separator_is_no_row(separator: str, line: str) -> None:
    content = f"{line.format(separator)}name{separator}note\nbolt{separator}5, 6; or 7\n"
    if separator in ",;":
        content = content.replace("5, 6; or 7", '"5, 6; or 7"')
    assert read(CsvParser(), content.encode()) == "name | note\nbolt | 5, 6; or 7"


def test_a_column_called_sep_is_a_column() -> None:
    assert read(CsvParser(), b"sep=x,note\n1,2\n") == "sep=x | note\n1 | 2"


@pytest.mark.parametrize(
    "head",
    [
        '<meta charset="windows-1251">',
        "<meta http-equiv=content-type content='text/html; charset=windows-1251'>",
        "<style>" + "a { color: red } " * 1_000 + "</style><meta charset=windows-1251>",
        "<meta charset=utf-16>",  # a page that says so in ASCII is wrong
        "<meta charset=utf-8>",
        "",
    ],
)
def test_pages(head: str) -> None:
    page = f"<html><head>{head}</head><body><p>{RUSSIAN}</p></body></html>"
    assert read(HtmlParser(), page.encode("cp1251")) == RUSSIAN
    assert read(HtmlParser(), page.encode()) == RUSSIAN


def test_xhtml_names_its_encoding_in_its_first_line() -> None:
    page = f'<?xml version="1.0" encoding="koi8-r"?><html><body><p>{RUSSIAN} АБВ</p></body></html>'
    assert read(HtmlParser(), page.encode("koi8-r")) == f"{RUSSIAN} АБВ"


def test_all_parts_of_a_long_text_share_one_encoding() -> None:
    lines = [*["plain line"] * 150_000, *[RUSSIAN] * 50, *["plain line"] * 100, "Ещё насос"]
    content = io.BytesIO("\n".join(lines).encode("cp1251"))
    size = content.seek(0, 2)
    ends = [0, 500_000, size - 20, size]
    found = []
    for number, (first, end) in enumerate(itertools.pairwise(ends)):
        document = TextParser().parse(content)
        assert document.extent is not None
        found += [block.text for page in document.pages(Part(number, first, end)) for block in page.blocks]
    assert "\n".join(found).split("\n") == lines
