"""Word documents: numbers of clauses, form fields, formulas, and the parts that a document refers to."""

import io
from collections.abc import Iterable

import docx
import pytest

from modulo.adapters.parsing.office import docx_story
from modulo.adapters.parsing.office.docx_parser import DocxParser
from modulo.adapters.parsing.office.ooxml import Package
from modulo.domain.documents.document import Block
from modulo.domain.errors import CorruptFile, OversizedFile
from tests import documents, office_files
from tests.faults.hostile_files import multiparts, mutants, nested_letters
from tests.office_files import Related, paragraph, root, word


def pages(content: bytes) -> list[list[Block]]:
    return [list(page.blocks) for page in DocxParser().parse(io.BytesIO(content)).pages()]


def texts(content: bytes) -> list[str]:
    return [block.text for blocks in pages(content) for block in blocks]


def runs(*inside: str) -> str:
    """A paragraph of these elements, or of runs with these texts."""
    shown = (one if one.startswith("<") else f'<w:r><w:t xml:space="preserve">{one}</w:t></w:r>' for one in inside)
    return f"<w:p>{''.join(shown)}</w:p>"


def level(number: int, style: str, text: str, more: str = "") -> str:
    written = f'<w:numFmt w:val="{style}"/>{more}<w:lvlText w:val="{text}"/>'
    return f'<w:lvl w:ilvl="{number}"><w:start w:val="1"/>{written}</w:lvl>'


def numbering(levels: Iterable[str], *lists: str) -> Related:
    """The definition 0 with these levels, and lists of it; the first is number 1."""
    made = "".join(
        f'<w:num w:numId="{number}"><w:abstractNumId w:val="0"/>{override}</w:num>'
        for number, override in enumerate(lists or ("",), 1)
    )
    inside = f'<w:abstractNum w:abstractNumId="0">{"".join(levels)}</w:abstractNum>{made}'
    return Related("rId1", "numbering", "word/numbering.xml", root("w:numbering", inside))


def numbered(text: str, depth: int = 0, number: int = 1) -> str:
    return paragraph(text, f'<w:numPr><w:ilvl w:val="{depth}"/><w:numId w:val="{number}"/></w:numPr>')


CLAUSES = (level(0, "decimal", "%1."), level(1, "decimal", "%1.%2"), level(2, "lowerLetter", "(%3)"))


class TestNumbering:
    def test_clauses_carry_their_numbers(self) -> None:
        body = "".join(
            numbered(text, depth)
            for text, depth in (
                ("Terms", 0),
                ("Fee", 1),
                ("Party", 1),
                ("late", 2),
                ("paid", 2),
                ("Duty", 0),
                ("Cap", 1),
            )
        )
        assert texts(word(body, numbering(CLAUSES))) == [
            "1. Terms\n  1.1 Fee\n  1.2 Party\n    (a) late\n    (b) paid\n2. Duty\n  2.1 Cap"
        ]

    @pytest.mark.parametrize(
        ("style", "text", "shown"),
        [
            ("upperRoman", "Article %1", "Article III"),
            ("lowerRoman", "(%1)", "(iii)"),
            ("upperLetter", "%1)", "C)"),
            ("decimalZero", "%1", "03"),
            ("ordinal", "%1", "3rd"),
            ("cardinalText", "Part %1", "Part Three"),
            ("chineseCounting", "第%1条", "第三条"),
            ("bullet", "\uf0b7", "-"),
            ("decimal", "§ %1", "§ 3"),
        ],
    )
    def test_styles_of_numbers(self, style: str, text: str, shown: str) -> None:
        body = "".join(numbered(one) for one in ("a", "b", "c"))
        (found,) = texts(word(body, numbering([level(0, style, text)])))
        assert found.splitlines()[2] == f"{shown} c"

    def test_a_list_goes_on_after_other_text_and_another_starts_again(self) -> None:
        restart = '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="1"/></w:lvlOverride>'
        body = numbered("a") + paragraph("Text") + numbered("b") + numbered("c", number=2) + numbered("d", number=2)
        found = texts(word(body, numbering(CLAUSES, "", restart)))
        assert found == ["1. a", "Text", "2. b\n1. c\n2. d"]

    def test_numbers_in_digits_and_levels_that_never_start_again(self) -> None:
        levels = (
            level(0, "upperRoman", "%1."),
            level(1, "decimal", "%1.%2", "<w:isLgl/>"),
            level(2, "decimal", "%3.", '<w:lvlRestart w:val="0"/>'),
        )
        body = numbered("a") + numbered("b", 1) + numbered("c", 2) + numbered("d") + numbered("e", 1) + numbered("f", 2)
        found = texts(word(body, numbering(levels)))
        assert found == ["I. a\n  1.1 b\n    1. c\nII. d\n  2.1 e\n    2. f"]

    def test_headings_are_numbered_by_their_styles(self) -> None:
        def style(number: int) -> str:
            named = f'<w:style w:styleId="H{number}" w:type="paragraph"><w:name w:val="heading {number}"/>'
            return f'{named}<w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr></w:style>'

        levels = (
            level(0, "decimal", "%1", '<w:pStyle w:val="H1"/>'),
            level(1, "decimal", "%1.%2", '<w:pStyle w:val="H2"/>'),
        )
        styles = Related("rId2", "styles", "word/styles.xml", root("w:styles", style(1) + style(2)))
        body = "".join(
            paragraph(text, f'<w:pStyle w:val="{name}"/>') for text, name in (("Scope", "H1"), ("Limits", "H2"))
        )
        unnumbered = paragraph("Annex", '<w:pStyle w:val="H1"/><w:numPr><w:numId w:val="0"/></w:numPr>')
        assert texts(word(body + unnumbered, numbering(levels), styles)) == ["1 Scope", "1.1 Limits", "Annex"]

    def test_a_definition_behind_a_style_of_lists(self) -> None:
        definitions = (
            '<w:abstractNum w:abstractNumId="0"><w:numStyleLink w:val="Clauses"/></w:abstractNum>'
            f'<w:abstractNum w:abstractNumId="1">{level(0, "decimal", "%1)")}</w:abstractNum>'
            '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>'
            '<w:num w:numId="2"><w:abstractNumId w:val="1"/></w:num>'
        )
        properties = '<w:pPr><w:numPr><w:numId w:val="2"/></w:numPr></w:pPr>'
        style = f'<w:style w:type="numbering" w:styleId="Clauses">{properties}</w:style>'
        content = word(
            numbered("a"),
            Related("rId1", "numbering", "word/numbering.xml", root("w:numbering", definitions)),
            Related("rId2", "styles", "word/styles.xml", root("w:styles", style)),
        )
        assert texts(content) == ["1) a"]

    def test_lists_of_a_library(self) -> None:
        document = docx.Document()
        for text in ("first", "second"):
            document.add_paragraph(text, style="List Number")
        document.add_paragraph("not in a list", style="List Paragraph")
        out = io.BytesIO()
        document.save(out)
        assert texts(out.getvalue()) == ["1. first\n2. second", "not in a list"]


def field(code: str, result: str | None = None, data: str = "") -> str:
    """The runs of a field with its code, its stored result, if any, and the data of its form field."""

    def mark(kind: str, inside: str = "") -> str:
        return f'<w:r><w:fldChar w:fldCharType="{kind}">{inside}</w:fldChar></w:r>'

    stored = "" if result is None else f"{mark('separate')}<w:r><w:t>{result}</w:t></w:r>"
    begin = mark("begin", f"<w:ffData>{data}</w:ffData>" if data else "")
    return f"{begin}<w:r><w:instrText>{code}</w:instrText></w:r>{stored}{mark('end')}"


class TestFields:
    @pytest.mark.parametrize(
        ("state", "shown"),
        [
            ("<w:default w:val='0'/><w:checked/>", "☒"),
            ("<w:default w:val='1'/><w:checked w:val='0'/>", "☐"),
            ("<w:default w:val='1'/>", "☒"),
            ("<w:sizeAuto/>", "☐"),
        ],
    )
    def test_check_boxes_of_forms(self, state: str, shown: str) -> None:
        box = field("FORMCHECKBOX", data=f"<w:checkBox>{state}</w:checkBox>")
        assert texts(word(runs("Smoker ", box))) == [f"Smoker {shown}"]

    def test_drop_down_lists_of_forms(self) -> None:
        entries = "".join(f'<w:listEntry w:val="{one}"/>' for one in ("red", "blue"))
        chosen = f'<w:ddList><w:result w:val="1"/>{entries}</w:ddList>'
        fields = field("FORMDROPDOWN", "stale", chosen)
        assert texts(word(runs("Colour: ", fields, "."))) == ["Colour: blue."]

    def test_texts_of_forms_are_the_results_of_fields(self) -> None:
        body = runs("Name: ", field("FORMTEXT", "Ada", "<w:textInput/>"))
        assert texts(word(body)) == ["Name: Ada"]

    def test_content_controls(self) -> None:
        def control(properties: str) -> str:
            return f"<w:sdt><w:sdtPr>{properties}</w:sdtPr><w:sdtContent/></w:sdt>"

        checked = control('<w14:checkbox><w14:checked w14:val="1"/></w14:checkbox>')
        entry = '<w:listItem w:displayText="two" w:value="2"/>'
        chosen = control(f'<w:dropDownList w:lastValue="2">{entry}</w:dropDownList>')
        shown = "<w:sdt><w:sdtPr/><w:sdtContent><w:r><w:t>shown</w:t></w:r></w:sdtContent></w:sdt>"
        assert texts(word(runs(checked, " ", chosen, " ", shown))) == ["☒ two shown"]

    @pytest.mark.parametrize(
        ("font", "code", "shown"),
        [
            ("Wingdings", "F0FE", "☒"),
            ("Wingdings", "F0A8", "☐"),
            ("Wingdings", "F0FC", "✓"),
            ("Wingdings 2", "F052", "☒"),
            ("Symbol", "F0B3", "≥"),
            ("Symbol", "F06D", "μ"),
            ("Unknown", "F0FE", ""),
            ("Wingdings", "-1", ""),
            ("Wingdings", "no number", ""),
            ("Wingdings", "FFFFFFFF", ""),
        ],
    )
    def test_symbols(self, font: str, code: str, shown: str) -> None:
        symbol = f'<w:r><w:sym w:font="{font}" w:char="{code}"/></w:r>'
        assert texts(word(runs("x", symbol))) == [f"x{shown}"]

    def test_ticks_that_are_letters_of_a_symbol_font(self) -> None:
        assert texts(word(paragraph("\u00fe", run='<w:rFonts w:ascii="Wingdings"/>'))) == ["☒"]

    def test_a_tab_at_a_place_parts_words(self) -> None:
        assert texts(word(runs("Chapter 13", "<w:r><w:ptab/></w:r>", "4"))) == ["Chapter 13\t4"]

    def test_fields_that_store_no_result(self) -> None:
        body = runs("a ", field(r"EQ \f(3,4)"), " b ", field(r'SYMBOL 254 \f "Wingdings"'), " c", field("ADVANCE"))
        assert texts(word(body)) == ["a 3/4 b ☒ c"]


class TestFormulas:
    @staticmethod
    def run(text: str) -> str:
        return f"<m:r><m:t>{text}</m:t></m:r>"

    def test_scripts_of_runs(self) -> None:
        high = '<w:r><w:rPr><w:vertAlign w:val="superscript"/></w:rPr><w:t>{}</w:t></w:r>'
        low = high.replace("superscript", "subscript")
        assert texts(word(runs("10", high.format("-"), high.format("6"), " m H", low.format("2"), "O"))) == [
            "10⁻⁶ m H₂O"
        ]

    def test_scripts_of_styles(self) -> None:
        style = '<w:style w:type="character" w:styleId="Up"><w:rPr><w:vertAlign w:val="superscript"/></w:rPr></w:style>'
        content = word(
            runs("10", '<w:r><w:rPr><w:rStyle w:val="Up"/></w:rPr><w:t>6</w:t></w:r>'),
            Related("rId1", "styles", "word/styles.xml", root("w:styles", style)),
        )
        assert texts(content) == ["10⁶"]

    def test_a_fraction_is_no_number(self) -> None:
        fraction = f"<m:oMath><m:f><m:num>{self.run('3')}</m:num><m:den>{self.run('4')}</m:den></m:f></m:oMath>"
        assert texts(word(runs("Ratio ", fraction, " done"))) == ["Ratio 3/4 done"]

    def test_formulas_side_by_side_and_below_each_other(self) -> None:
        one, two = (f"<m:oMath>{self.run(text)}</m:oMath>" for text in ("a=b", "c=d"))
        assert texts(word(runs(one, two))) == ["a=b c=d"]
        assert texts(word(runs(f"<m:oMathPara>{one}{two}</m:oMathPara>"))) == ["a=b\nc=d"]


NOTE = Related(
    "rId7", "footnotes", "word/footnotes.xml",
    root("w:footnotes", f'<w:footnote w:id="1">{paragraph("Only for members")}</w:footnote>'),
)  # fmt: skip
CHART = Related("rId8", "chart", "word/charts/chart1.xml", office_files.CHART)
WEB_ARCHIVE = """MIME-Version: 1.0
Content-Type: multipart/related; boundary="b"

--b
Content-Type: text/html
Content-Transfer-Encoding: quoted-printable

<p>Offer</p><p>Price is=2040 EUR</p>
--b--
"""
CITED = '<w:r><w:footnoteReference w:id="1"/></w:r>'


def row(*cells: str, properties: str = "") -> str:
    return f"<w:tr><w:trPr>{properties}</w:trPr>{''.join(f'<w:tc>{cell}</w:tc>' for cell in cells)}</w:tr>"


class TestParts:
    def test_notes_cited_in_a_table_follow_it(self) -> None:
        table = f"<w:tbl>{row(runs('A'), runs('B'))}{row(runs('Fee'), runs('5 EUR', CITED))}</w:tbl>"
        assert texts(word(table, NOTE)) == ["A | B\nFee | 5 EUR", "Only for members"]

    def test_a_note_that_cites_itself_is_read_once(self) -> None:
        note = root("w:footnotes", f'<w:footnote w:id="1">{runs("Loop", CITED)}</w:footnote>')
        assert texts(word(runs("x", CITED), NOTE._replace(content=note))) == ["x", "Loop"]

    def test_charts(self) -> None:
        chart = '<w:r><w:drawing><a:graphic><c:chart r:id="rId8"/></a:graphic></w:drawing></w:r>'
        assert texts(word(runs("Intro", chart), CHART)) == ["Intro", "Chart: Sales by quarter", office_files.CHART_TEXT]

    def test_diagrams(self) -> None:
        diagram = '<w:r><w:drawing><a:graphic><dgm:relIds r:dm="rId9"/></a:graphic></w:drawing></w:r>'
        part = Related("rId9", "diagramData", "word/diagrams/data1.xml", office_files.DIAGRAM)
        assert texts(word(runs(diagram), part)) == ["- Plan\n- Build"]

    def test_text_boxes_once(self) -> None:
        inside = f"<w:txbxContent>{paragraph('In a box')}</w:txbxContent>"
        box = (
            f"<mc:AlternateContent><mc:Choice><w:drawing><wps:txbx>{inside}</wps:txbx></w:drawing></mc:Choice>"
            f"<mc:Fallback><w:pict><v:textbox>{inside}</v:textbox></w:pict></mc:Fallback></mc:AlternateContent>"
        )
        table = f"<w:tbl>{row(runs('A'), runs('B', f'<w:r>{box}</w:r>'))}</w:tbl>"
        assert texts(word(runs("x", f"<w:r>{box}</w:r>") + table)) == ["x", "In a box", "A | B", "In a box"]

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("page.html", "<h1>Offer</h1><p>Price is 40 EUR</p>"),
            ("page.xhtml", "<html><body><p>Offer</p><p>Price is 40 EUR</p></body></html>"),
            ("text.txt", "Offer\n\nPrice is 40 EUR"),
            ("inner.docx", word(paragraph("Offer") + paragraph("Price is 40 EUR"))),
            ("page.mht", WEB_ARCHIVE),
        ],
    )
    def test_documents_of_other_formats_inside(self, name: str, content: str | bytes) -> None:
        inner = Related("rId9", "aFChunk", f"word/{name}", content)
        assert texts(word('<w:altChunk r:id="rId9"/>', inner)) == ["Offer", "Price is 40 EUR"]

    def test_documents_in_documents_are_read_to_a_depth(self) -> None:
        content = word(paragraph("deep"))
        for depth in range(6):
            body = paragraph(f"level {depth}") + '<w:altChunk r:id="rId9"/>'
            content = word(body, Related("rId9", "aFChunk", "word/inner.docx", content))
        assert texts(content) == ["level 5", "level 4", "level 3", "level 2"]

    @pytest.mark.parametrize("name", ["page.html", "text.txt", "inner.docx", "page.mht"])
    @pytest.mark.parametrize("content", [b"\0\xff\0\xfe" * 9, b"PK\x03\x04", b" ", nested_letters(3_000).encode()])
    def test_documents_inside_of_any_content_do_not_lose_the_rest(self, name: str, content: bytes) -> None:
        inner = Related("rId9", "aFChunk", f"word/{name}", content)
        found = texts(word(paragraph("Body") + '<w:altChunk r:id="rId9"/>' + paragraph("End"), inner))
        assert (found[0], found[-1]) == ("Body", "End")

    @pytest.mark.parametrize("name", ["page.html", "page.mht", "inner.docx"])
    def test_documents_inside_with_a_wrong_checksum(self, name: str) -> None:
        inner = Related("rId9", "aFChunk", f"word/{name}", WEB_ARCHIVE)
        content = bytearray(word(paragraph("Body") + '<w:altChunk r:id="rId9"/>', inner))
        place = content.rindex(b"PK\x01\x02", 0, content.rindex(f"word/{name}".encode()))
        content[place + 16] ^= 1
        assert texts(bytes(content)) == ["Body"]

    @pytest.mark.parametrize("seed", range(4))
    def test_damaged_web_archives_inside(self, seed: int) -> None:
        for damaged in mutants(WEB_ARCHIVE.encode(), 40, seed):
            inner = Related("rId9", "aFChunk", "word/page.mht", damaged)
            assert texts(word(paragraph("Body") + '<w:altChunk r:id="rId9"/>', inner))[0] == "Body"

    def test_documents_inside_are_read_as_a_whole_or_not_at_all(self, monkeypatch: pytest.MonkeyPatch) -> None:
        content = word('<w:altChunk r:id="rId9"/>', Related("rId9", "aFChunk", "word/text.txt", "123456789"))
        monkeypatch.setattr(docx_story, "_MAX_EMBEDDED_BYTES", 9)
        assert texts(content) == ["123456789"]
        monkeypatch.setattr(docx_story, "_MAX_EMBEDDED_BYTES", 8)
        with pytest.raises(OversizedFile):
            texts(content)

    def test_web_archives_of_too_many_parts(self) -> None:
        inner = Related("rId9", "aFChunk", "word/page.mht", multiparts(101))
        with pytest.raises(OversizedFile):
            texts(word('<w:altChunk r:id="rId9"/>', inner))

    def test_a_document_inside_is_read_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        read: list[str] = []
        whole = Package.read

        def counted(package: Package, name: str, limit: int) -> bytes:
            read.append(name)
            return whole(package, name, limit)

        monkeypatch.setattr(Package, "read", counted)
        inner = Related("rId9", "aFChunk", "word/text.txt", "Clause")
        assert texts(word('<w:altChunk r:id="rId9"/>' * 3, inner)) == ["Clause"] * 3
        assert read == ["word/text.txt"]

    def test_headers_and_footers_once(self) -> None:
        page = '<w:fldSimple w:instr=" PAGE "><w:r><w:t>3</w:t></w:r></w:fldSimple>'
        head = root("w:hdr", runs("SOP-114 rev C"))
        related = [
            Related("rId1", "header", "word/header1.xml", head),
            Related("rId2", "header", "word/header2.xml", head),
            Related("rId3", "footer", "word/footer1.xml", root("w:ftr", runs("Valid until May, page ", page))),
            Related("rId4", "footer", "word/footer2.xml", root("w:ftr", runs(page))),
        ]
        second = '<w:p><w:r><w:br w:type="page"/></w:r></w:p>' + paragraph("Next")
        assert [[block.text for block in blocks] for blocks in pages(word(paragraph("Body") + second, *related))] == [
            ["SOP-114 rev C", "Body", "Valid until May, page"],
            ["Next"],
        ]

    def test_comments(self) -> None:
        comment = f'<w:comment w:id="0" w:author="Ada">{paragraph("Legal wants 60 days")}</w:comment>'
        part = Related("rId1", "comments", "word/comments.xml", root("w:comments", comment))
        body = runs("Body", '<w:r><w:commentReference w:id="0"/></w:r>')
        assert texts(word(body, part)) == ["Body", "Comment by Ada: Legal wants 60 days"]

    def test_a_missing_part_does_not_lose_the_document(self) -> None:
        body = (
            runs("Body", CITED, '<w:r><w:drawing><c:chart r:id="rId8"/></w:drawing></w:r>') + '<w:altChunk r:id="x"/>'
        )
        assert texts(word(body, CHART._replace(content=b""))) == ["Body"]

    def test_a_damaged_body_is_told(self) -> None:
        content = documents.with_text(word(paragraph("Body")), "word/document.xml", "</w:body>", "")
        with pytest.raises(CorruptFile):
            texts(content)

    def test_a_damaged_body_of_any_name_is_told(self) -> None:
        content = word(paragraph("Body")).replace(b"word/document.xml", b"word/document.bin")
        content = documents.with_text(content, "_rels/.rels", "word/document.xml", "word/document.bin")
        assert texts(content) == ["Body"]
        damaged = bytearray(content)
        damaged[content.rindex(b"PK\x01\x02", 0, content.rindex(b"word/document.bin")) + 16] ^= 1
        with pytest.raises(CorruptFile):
            texts(bytes(damaged))


class TestTables:
    def test_headings_stand_above_each_of_their_columns(self) -> None:
        wide = '<w:tcPr><w:gridSpan w:val="2"/></w:tcPr>'
        table = (
            row(runs("Region"), wide + runs("Y23"), properties="<w:tblHeader/>")
            + row(runs(""), runs("Plan"), runs("Actual"), properties="<w:tblHeader/>")
            + row(runs("North"), runs("1"), runs("2"))
        )
        ((block,),) = pages(word(f"<w:tbl>{table}</w:tbl>"))
        assert block.header_rows == 2
        assert block.text == "Region | Y23 | Y23\n | Plan | Actual\nNorth | 1 | 2"

    def test_deleted_rows_and_rows_in_controls(self) -> None:
        kept = f"<w:sdt><w:sdtContent>{row(runs('c'), runs('d'))}</w:sdtContent></w:sdt>"
        table = row(runs("a"), runs("b")) + row(runs("x"), runs("y"), properties="<w:del/>") + kept
        assert texts(word(f"<w:tbl>{table}</w:tbl>")) == ["a | b\nc | d"]

    def test_a_table_in_a_cell(self) -> None:
        inner = f"<w:tbl>{row(runs('1'), runs('2'))}</w:tbl>"
        assert texts(word(f"<w:tbl>{row(runs('a'), inner + runs('b'))}</w:tbl>")) == ["a | 1 | 2 b"]
