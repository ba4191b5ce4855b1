"""Numbers in attributes that no program writes: too long to be read, or of digits that are none."""

import io
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from modulo.adapters.parsing.parser_registry import parser_for
from modulo.domain.errors import FileRejected
from modulo.domain.files import media
from tests.office_files import CHART, Related, formats, root, row, shape, slides, word, workbook

LONG = "9" * 5_000  # Python's `int` raises an error on more than 4300 digits
ZERO = "\u0660"  # in Arabic; `str.isdecimal` and `int` know it
NUMBERS = st.one_of(
    st.integers(1, 6_000).map(lambda length: "9" * length),
    st.integers(1, 6_000).map(lambda length: "0" * length + "1"),
    st.text(f"0123456789²³①{ZERO}\u0663\u0966\U0001d7d7-+_.xXeE ", min_size=1, max_size=12),
)


def texts(media_type: str, content: bytes | str) -> list[str]:
    file = io.BytesIO(content.encode() if isinstance(content, str) else content)
    return [block.text for page in parser_for(media_type).parse(file).pages() for block in page.blocks]


def page(number: str) -> str:
    cell = f'<td rowspan="{number}" colspan="{number}">a</td>'
    items = f'<ol start="{number}"><li value="{number}">x</ol>'
    return f"<table><tr>{cell}<td>b</td></tr><tr><td>c</td><td>d</td></tr></table>{items}"


def document(number: str) -> bytes:
    val = f'w:val="{number}"'
    data = f"<w:ddList><w:result {val}/><w:default {val}/><w:listEntry w:val='red'/></w:ddList>"
    code = f'<w:r><w:instrText>SYMBOL {number} \\f "Wingdings"</w:instrText></w:r>'
    paragraphs = (
        f"<w:pPr><w:outlineLvl {val}/></w:pPr>",
        f'<w:pPr><w:numPr><w:ilvl {val}/><w:numId w:val="1"/></w:numPr></w:pPr>',
        f'<w:r><w:fldChar w:fldCharType="begin"><w:ffData>{data}</w:ffData></w:fldChar></w:r>'
        '<w:r><w:instrText>FORMDROPDOWN</w:instrText></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r>',
        f'<w:r><w:fldChar w:fldCharType="begin"/></w:r>{code}<w:r><w:fldChar w:fldCharType="end"/></w:r>',
    )
    body = "".join(f"<w:p>{inside}<w:r><w:t>text</w:t></w:r></w:p>" for inside in paragraphs)
    properties = f"<w:tcPr><w:gridSpan {val}/></w:tcPr>"
    cell = f"<w:tc>{properties}<w:p><w:r><w:t>cell</w:t></w:r></w:p></w:tc>"
    table = f"<w:tbl><w:tr><w:trPr><w:gridBefore {val}/></w:trPr>{cell}{cell}</w:tr></w:tbl>"
    level = f'<w:lvl w:ilvl="{number}"><w:start {val}/><w:lvlRestart {val}/><w:lvlText w:val="%1."/></w:lvl>'
    override = f'<w:lvlOverride w:ilvl="{number}"><w:startOverride {val}/></w:lvlOverride>'
    made = (
        f'<w:abstractNum w:abstractNumId="0">{level}</w:abstractNum>'
        f'<w:num w:numId="1"><w:abstractNumId w:val="0"/>{override}</w:num>'
    )
    return word(body + table, Related("rId1", "numbering", "word/numbering.xml", root("w:numbering", made)))


def presentation(number: str) -> bytes:
    mark = f'<a:buAutoNum type="romanLcPeriod" startAt="{number}"/>'
    item = f'<a:p><a:pPr lvl="{number}">{mark}</a:pPr><a:r><a:t>text</a:t></a:r></a:p>'
    graphic = (
        '<p:graphicFrame><a:graphic><a:graphicData><c:chart r:id="rId8"/></a:graphicData></a:graphic></p:graphicFrame>'
    )
    chart = CHART.replace("idx='0'", f"idx='{number}'").replace("0.0<", f"# ?/{number}<")
    related = [Related("rId8", "chart", "ppt/charts/chart1.xml", chart)]
    return slides(shape(item, item, placeholder="body") + graphic, related=related)


def sheet(number: str) -> bytes:
    cells = f'<row r="{number}"><c s="{number}"><v>1.5</v></c><c r="B{number}" s="1"><v>2.5</v></c></row>'
    styles = f'<cellXfs><xf numFmtId="{number}"/><xf numFmtId="{number}"/></cellXfs>'
    merged = f'<mergeCells><mergeCell ref="A1:B{number}"/></mergeCells>'
    frozen = f'<sheetViews><sheetView><pane ySplit="{number}" state="frozen"/></sheetView></sheetViews>'
    return workbook(row(1, A="text", B="text") + cells, styles=styles, before=frozen, after=merged)


def shared_text(number: str) -> bytes:
    cell = f'<c t="s" s="1"><v>{number}</v></c>'
    return workbook(row(1, A=cell, B="2.5"), texts="<si><t>a</t></si>", styles=formats(f"0 ?/{number}"))


def fractions(number: str) -> bytes:
    cell = '<c s="1"><v>2.5</v></c>'
    return workbook(row(1, A=cell, B=cell), styles=formats(f"# /{number}"))


MADE: dict[str, tuple[str, Callable[[str], bytes | str]]] = {
    "page": (media.HTML, page),
    "document": (media.DOCX, document),
    "presentation": (media.PPTX, presentation),
    "sheet": (media.XLSX, sheet),
    "shared text": (media.XLSX, shared_text),
    "fractions": (media.XLSX, fractions),
}


@pytest.mark.parametrize("kind", MADE)
@settings(max_examples=30)
@example(LONG)
@example("²")
@example(ZERO)
@example("007")
@given(number=NUMBERS)
def test_a_file_is_read_or_rejected(kind: str, number: str) -> None:
    media_type, made = MADE[kind]
    try:
        assert texts(media_type, made(number))
    except FileRejected:
        assert kind in {"sheet", "shared text"}, "what a number says must not cost the text beside it"


def test_long_numbers_are_the_largest_ones() -> None:
    spanning = f'<table><tr><td rowspan="{LONG}">a</td><td>b</td></tr><tr><td>c</td></tr></table>'
    assert texts(media.HTML, spanning) == ["a | b\na | c"]


def test_symbols_by_a_code_with_leading_zeros() -> None:
    code = '<w:r><w:instrText>SYMBOL 0254 \\f "Wingdings"</w:instrText></w:r>'
    begin, end = (f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>' for kind in ("begin", "end"))
    assert texts(media.DOCX, word(f"<w:p>{begin}{code}{end}</w:p>")) == ["☒"]


def test_a_fraction_over_zero_is_shown_without_an_error() -> None:
    assert texts(media.XLSX, fractions(ZERO))
