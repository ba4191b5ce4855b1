"""Workbooks: they open whatever their styles say, and cells read as a spreadsheet shows them."""

import datetime as dt
import io

import openpyxl
import pytest
from lxml import etree
from openpyxl.chart import BarChart, Reference
from openpyxl.comments import Comment

from modulo.adapters.parsing.office.ooxml import Package
from modulo.adapters.parsing.office.xlsx_parser import XlsxParser
from modulo.domain.documents.document import Block, BlockKind
from modulo.domain.errors import CorruptFile, OversizedFile
from tests import documents, office_files
from tests.office_files import Related, formats, row

GOODS = row(1, A="Item", B="Price") + row(2, A="rod", B="5")
GOODS_TEXT = "Item | Price\nrod | 5"


def blocks(content: bytes) -> list[Block]:
    """The blocks of the first sheet after its name."""
    return list(next(XlsxParser().parse(io.BytesIO(content)).pages()).blocks[1:])


def texts(content: bytes) -> list[str]:
    return [block.text for block in blocks(content)]


def table(content: bytes) -> str:
    (block,) = blocks(content)
    return block.text


def saved(book: openpyxl.Workbook) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


class TestOpening:
    def test_a_strict_workbook(self) -> None:
        assert table(office_files.workbook(GOODS, strict=True)) == GOODS_TEXT

    @pytest.mark.parametrize(
        "styles",
        [
            "<fills><fill/><fill/></fills>",
            '<cellXfs><xf custom="1" numFmtId="x"/></cellXfs>',
            '<fonts><font><family val="99"/></font></fonts>',
            "<cellXfs><xf>",
        ],
        ids=["empty fills", "an unknown attribute", "an impossible font", "broken XML"],
    )
    def test_styles_of_any_kind(self, styles: str) -> None:
        assert table(office_files.workbook(GOODS, styles=styles)) == GOODS_TEXT

    def test_properties_of_any_kind(self) -> None:
        for properties in (b"<a><created>no date</created></a>", b"no XML"):
            content = documents.with_part(documents.workbook(), "docProps/core.xml", properties)
            assert texts(content)[0] == "Sales of the year"

    def test_a_default_namespace_with_a_prefix(self) -> None:
        content = office_files.workbook(GOODS)
        name = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
        content = documents.with_text(content, "xl/worksheets/sheet1.xml", name, name.replace("xmlns", "xmlns:x"))
        for old, new in (("<worksheet", "<x:worksheet"), ("</worksheet", "</x:worksheet")):
            content = documents.with_text(content, "xl/worksheets/sheet1.xml", old, new)
        assert table(content) == GOODS_TEXT

    def test_a_missing_sheet_is_told(self) -> None:
        content = documents.with_text(office_files.workbook(GOODS), "xl/workbook.xml", 'r:id="rId1"', 'r:id="rId7"')
        with pytest.raises(CorruptFile, match="Sheet 1 is missing"):
            texts(content)

    def test_a_module_of_macros_is_no_sheet(self) -> None:
        listed = '<sheet name="Sheet1" sheetId="1" r:id="rId1"/>'
        module = '<sheet name="Module" sheetId="2" r:id=""/>'
        content = documents.with_text(office_files.workbook(GOODS), "xl/workbook.xml", listed, module + listed)
        pages = [page.blocks for page in XlsxParser().parse(io.BytesIO(content)).pages()]
        assert [len(found) for found in pages] == [0, 2]

    @pytest.mark.parametrize("place", ["ZZZ1", "1", "XFE1"])
    def test_a_cell_beyond_the_last_column_is_told(self, place: str) -> None:
        with pytest.raises(CorruptFile):
            texts(
                documents.with_text(office_files.workbook(GOODS), "xl/worksheets/sheet1.xml", 'r="B2"', f'r="{place}"')
            )


class TestValues:
    @pytest.mark.parametrize(
        ("code", "value", "shown"),
        [
            ("#,##0.00 &quot;€&quot;", "1234.5", "1,234.50 €"),
            ("[$€-407] #,##0.00;[Red]-[$€-407] #,##0.00", "-1234.5", "-€ 1,234.50"),
            ("_-* #,##0.00\\ &quot;kg&quot;_-", "3", "3.00 kg"),
            ("00000", "1067", "01067"),
            ("000-00-0000", "12345678", "012-34-5678"),
            ("0.0%", "0.125", "12.5%"),
            ("[h]:mm", "1.5", "36:00"),
            ("[mm]:ss", "0.5", "720:00"),
            ("dd.mm.yyyy", "45000", "2023-03-15"),
            ("mmm yy", "45000", "Mar 2023"),
            ("h:mm AM/PM", "0.75", "6:00 PM"),
            ("# ?/?", "1.75", "1 3/4"),
            ("0.0,,&quot; M&quot;", "12345678", "12.3 M"),
            ("&quot;Nr. &quot;0", "7", "Nr. 7"),
            ("General", "0.30000000000000004", "0.3"),
        ],
    )
    def test_numbers_as_displayed(self, code: str, value: str, shown: str) -> None:
        rows = row(1, A="Item", B="Value") + row(2, A="rod", B=f'<c s="1"><v>{value}</v></c>')
        assert table(office_files.workbook(rows, styles=formats(code))) == f"Item | Value\nrod | {shown}"

    def test_days_that_count_from_1904(self) -> None:
        rows = row(1, A="Day", B="Due") + row(2, A="first", B='<c s="1"><v>43538</v></c>')
        content = office_files.workbook(rows, styles=formats("yyyy-mm-dd"), properties='<workbookPr date1904="1"/>')
        assert table(content) == "Day | Due\nfirst | 2023-03-15"

    def test_dates_of_a_strict_workbook(self) -> None:
        rows = row(1, A="Day", B='<c t="d"><v>2023-03-15T00:00:00</v></c>')
        assert table(office_files.workbook(rows, strict=True)) == "Day | 2023-03-15"

    def test_a_formula_without_a_value_is_shown(self) -> None:
        shared = '<c><f t="shared" ref="B2:B3" si="0">A2*$C$1</f></c>', '<c><f t="shared" si="0"/></c>'
        rows = (
            row(1, A="1", B="<c><f>SUM(1,2)</f></c>", C="9")
            + row(2, A="1", B=shared[0], C='<c t="str"><f>IF(A2,"")</f><v></v></c>')
            + row(3, A="2", B=shared[1], C='<c t="str"><f>LEFT("ab")</f><v>a</v></c>')
        )
        assert table(office_files.workbook(rows)) == "1 | =SUM(1,2) | 9\n1 | =A2*$C$1 |\n2 | =A3*$C$1 | a"

    def test_formulas_that_a_program_wrote(self) -> None:
        book = openpyxl.Workbook()
        for cells in (["Item", "Total"], ["rod", "=SUM(1,2)"], ["day", dt.timedelta(hours=30)], ["at", dt.time(6, 30)]):
            book.active.append(cells)
        assert table(saved(book)) == "Item | Total\nrod | =SUM(1,2)\nday | 30:00:00\nat | 6:30:00"

    def test_scripts_readings_and_control_characters_of_texts(self) -> None:
        shared = (
            '<si><r><t>10</t></r><r><rPr><vertAlign val="superscript"/></rPr><t>6</t></r><r><t> mm</t></r></si>'
            "<si><t>line_x000D_\nend</t><rPh><t>reading</t></rPh></si>"
        )
        rows = row(1, A='<c t="s"><v>0</v></c>', B='<c t="s"><v>1</v></c>')
        assert table(office_files.workbook(rows, texts=shared)) == "10⁶ mm | line end"

    def test_truth_and_errors(self) -> None:
        rows = row(1, A='<c t="b"><v>1</v></c>', B='<c t="e"><v>#DIV/0!</v></c>')
        assert table(office_files.workbook(rows)) == "TRUE | #DIV/0!"


class TestMergedCells:
    def test_down(self) -> None:
        rows = row(1, A="Region", B="City") + row(2, A="North", B="Oslo") + row(3, B="Bergen")
        after = '<mergeCells><mergeCell ref="A2:A3"/></mergeCells>'
        assert table(office_files.workbook(rows, after=after)) == "Region | City\nNorth | Oslo\nNorth | Bergen"

    def test_headings_stand_above_each_of_their_columns(self) -> None:
        rows = (
            row(1, A="Region", B="Y23", D="Y24")
            + row(2, B="Plan", C="Actual", D="Plan", E="Actual")
            + row(3, A="North", B="1", C="2", D="3", E="4")
        )
        merged = "".join(f'<mergeCell ref="{ref}"/>' for ref in ("B1:C1", "D1:E1", "A1:A2"))
        (block,) = blocks(office_files.workbook(rows, after=f"<mergeCells>{merged}</mergeCells>"))
        assert block.header_rows == 2
        assert block.text == (
            "Region | Y23 | Y23 | Y24 | Y24\nRegion | Plan | Actual | Plan | Actual\nNorth | 1 | 2 | 3 | 4"
        )

    def test_a_title_over_the_whole_table_is_read_once(self) -> None:
        rows = row(1, A="Sales") + row(2) + row(3, A="Item", B="Price") + row(4, A="rod", B="5")
        content = office_files.workbook(rows, after='<mergeCells><mergeCell ref="A1:B2"/></mergeCells>')
        assert texts(content) == ["Sales", GOODS_TEXT]

    def test_frozen_rows_are_the_header(self) -> None:
        before = '<sheetViews><sheetView><pane ySplit="2" topLeftCell="A3" state="frozen"/></sheetView></sheetViews>'
        (block,) = blocks(office_files.workbook(row(1, A="a", B="b") + row(2, A="c", B="d") + GOODS, before=before))
        assert block.header_rows == 2

    def test_ranges_without_end_are_bounded(self) -> None:
        rows = "".join(row(number, A="x", B="y") for number in range(1, 400))
        merged = "".join(f'<mergeCell ref="A{number}:XFD1048576"/>' for number in range(1, 400))
        with pytest.raises(OversizedFile):
            texts(office_files.workbook(rows, after=f"<mergeCells>{merged}</mergeCells>"))

    def test_a_long_text_in_every_cell_is_refused(self) -> None:
        long = f"<si><t>{'word ' * 200_000}</t></si>"
        rows = "".join(row(number, A='<c t="s"><v>0</v></c>', B="1") for number in range(1, 100))
        with pytest.raises(OversizedFile):
            texts(office_files.workbook(rows, texts=long))


class TestPartsOfASheet:
    def test_comments_charts_and_heads(self) -> None:
        book = openpyxl.Workbook()
        sheet = book.active
        for cells in (["Item", "Price"], ["rod", 5], ["line", 7]):
            sheet.append(cells)
        sheet["B2"].comment = Comment("Ask sales first", "Ada")
        chart = BarChart()
        chart.title = "Prices"
        chart.add_data(Reference(sheet, min_col=2, min_row=1, max_row=3), titles_from_data=True)
        sheet.add_chart(chart, "D2")
        sheet.oddHeader.left.text = "Price list PL-7"
        sheet.oddFooter.center.text = "Page &P of &N"
        found = texts(saved(book))
        assert found[0] == "Item | Price\nrod | 5\nline | 7"
        assert found[1].startswith("Chart: Prices")
        assert found[-2:] == ["Comment on B2 by Ada: Ask sales first", "Price list PL-7"]

    @pytest.mark.parametrize(
        ("written", "shown"),
        [
            ("&amp;CPr&#252;fplan", "Prüfplan"),
            ("Pr&#xFC;fplan &#8364;", "Prüfplan €"),
            ("P&amp;&amp;lt;b&amp;&amp;gt;", "P&lt;b&gt;"),
            ("&lt;draft&gt; &quot;A&apos;s&quot; R&amp;&amp;D", '<draft> "A\'s" R&D'),
            ("list &amp;&amp;#228;", "list &#228;"),
        ],
    )
    def test_references_in_a_header(self, written: str, shown: str) -> None:
        after = f"<headerFooter><oddHeader>{written}</oddHeader></headerFooter>"
        assert texts(office_files.workbook(GOODS, after=after)) == [GOODS_TEXT, shown]

    def test_text_boxes_charts_and_diagrams_of_a_drawing(self) -> None:
        box = "<xdr:sp><xdr:txBody><a:p><a:r><a:t>Without tax</a:t></a:r></a:p></xdr:txBody></xdr:sp>"
        drawing = office_files.root("xdr:wsDr", f"<xdr:twoCellAnchor>{box}</xdr:twoCellAnchor>")
        content = office_files.workbook(GOODS, Related("rId1", "drawing", "xl/drawings/drawing1.xml", drawing))
        assert texts(content) == [GOODS_TEXT, "Without tax"]

    def test_a_thread_of_comments_replaces_what_older_programs_show(self) -> None:
        comment = "<comment ref='B2'><text><t>[Threaded comment] x</t></text></comment>"
        old = f"<comments><commentList>{comment}</commentList></comments>"
        new = "<ThreadedComments><threadedComment ref='B2'><text>Why 5?</text></threadedComment></ThreadedComments>"
        content = office_files.workbook(
            GOODS,
            Related("rId1", "comments", "xl/comments1.xml", old),
            Related("rId2", "threadedComment", "xl/threadedComments/threadedComment1.xml", new),
        )
        assert texts(content) == [GOODS_TEXT, "Comment on B2: Why 5?"]

    def test_the_authors_of_threads_are_read_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        read: list[str] = []
        tree = Package.tree

        def counted(package: Package, name: str) -> etree._Element:
            read.append(name)
            return tree(package, name)

        monkeypatch.setattr(Package, "tree", counted)
        person = "<personList><person id='P' displayName='Ada'/></personList>"
        parts = [Related("rId9", "person", "xl/persons/person.xml", person)]
        for number in range(3):
            comment = f"<threadedComment ref='B{number}' personId='P'><text>Why?</text></threadedComment>"
            name = f"xl/threadedComments/threadedComment{number}.xml"
            parts.append(
                Related(f"rId{number}", "threadedComment", name, f"<ThreadedComments>{comment}</ThreadedComments>")
            )
        shown = [f"Comment on B{number} by Ada: Why?" for number in range(3)]
        assert texts(office_files.workbook(GOODS, *parts)) == [GOODS_TEXT, *shown]
        assert read.count("xl/persons/person.xml") == 1
        assert texts(office_files.workbook(GOODS, parts[0])) == [GOODS_TEXT]
        assert read.count("xl/persons/person.xml") == 1

    def test_a_damaged_drawing_does_not_lose_the_sheet(self) -> None:
        content = office_files.workbook(GOODS, Related("rId1", "drawing", "xl/drawings/drawing1.xml", "<a>"))
        assert texts(content) == [GOODS_TEXT]

    def test_short_lines_right_above_the_table_are_headings(self) -> None:
        above = row(1, A="All figures are checked.") + row(2, A="Prices of 2031") + row(3, A="thousand EUR")
        below = row(5, A="Item", B="Price") + row(6, A="rod", B="5")
        assert [(block.kind, block.level) for block in blocks(office_files.workbook(above + below))] == [
            (BlockKind.text, 0),
            (BlockKind.heading, 2),
            (BlockKind.heading, 3),
            (BlockKind.table, 0),
        ]

    def test_tables_are_tables(self) -> None:
        assert [block.kind for block in blocks(office_files.workbook(GOODS))] == [BlockKind.table]
