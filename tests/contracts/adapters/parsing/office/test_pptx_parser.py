"""Presentations: automatic numbers, scripts and formulas, and the parts that a slide refers to."""

import io

import pptx
import pytest
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches

from modulo.adapters.parsing.office.pptx_parser import PptxParser
from tests import office_files
from tests.office_files import Related, root, shape, slides


def texts(content: bytes) -> list[list[str]]:
    return [[block.text for block in page.blocks] for page in PptxParser().parse(io.BytesIO(content)).pages()]


def item(text: str, mark: str = "", level: int = 0) -> str:
    return f'<a:p><a:pPr lvl="{level}">{mark}</a:pPr><a:r><a:t>{text}</a:t></a:r></a:p>'


def auto(kind: str, start: int = 1) -> str:
    return f'<a:buAutoNum type="{kind}" startAt="{start}"/>'


class TestNumbering:
    @pytest.mark.parametrize(
        ("kind", "shown"),
        [
            ("arabicPeriod", "1. a\n2. b"),
            ("arabicPlain", "1 a\n2 b"),
            ("alphaLcParenBoth", "(a) a\n(b) b"),
            ("alphaUcPeriod", "A. a\nB. b"),
            ("romanLcParenR", "i) a\nii) b"),
            ("romanUcPeriod", "I. a\nII. b"),
            ("circleNumDbPlain", "① a\n② b"),
            ("thaiNumPeriod", "1. a\n2. b"),
        ],
    )
    def test_styles_of_numbers(self, kind: str, shown: str) -> None:
        for placeholder in ("body", ""):
            assert texts(slides(shape(item("a", auto(kind)), item("b", auto(kind)), placeholder=placeholder))) == [
                [shown]
            ]

    def test_levels_and_starts(self) -> None:
        body = shape(
            item("a", auto("arabicPeriod", 4)),
            item("b", auto("alphaLcPeriod"), 1),
            item("c", auto("alphaLcPeriod"), 1),
            item("d", auto("arabicPeriod", 4)),
            item("e", auto("alphaLcPeriod"), 1),
            item("f"),
            item("g", auto("arabicPeriod")),
            item("h", "<a:buNone/>"),
            placeholder="body",
        )
        assert texts(slides(body)) == [["4. a\n  a. b\n  b. c\n5. d\n  a. e\n- f\n1. g\nh"]]

    def test_numbers_of_the_style_of_the_list(self) -> None:
        styles = f"<a:lstStyle><a:lvl1pPr>{auto('arabicPeriod')}</a:lvl1pPr></a:lstStyle>"
        body = shape(item("a"), item("b")).replace("<p:txBody>", f"<p:txBody>{styles}")
        assert texts(slides(body)) == [["1. a\n2. b"]]


class TestFormulas:
    def test_scripts(self) -> None:
        def run(text: str, baseline: str = "") -> str:
            return f"<a:r><a:rPr{baseline}/><a:t>{text}</a:t></a:r>"

        line = run("10") + run("6", ' baseline="30000"') + run(" mm, H") + run("2", ' baseline="-25000"') + run("O")
        assert texts(slides(shape(f"<a:p>{line}</a:p>"))) == [["10⁶ mm, H₂O"]]

    def test_formulas(self) -> None:
        part = "<m:r><m:t>{}</m:t></m:r>"
        fraction = f"<m:oMath><m:f><m:num>{part.format(3)}</m:num><m:den>{part.format(4)}</m:den></m:f></m:oMath>"
        line = f"<a:p><a:r><a:t>x = </a:t></a:r><a14:m>{fraction}</a14:m></a:p>"
        fallback = shape("a picture of it")
        choice = f"<mc:AlternateContent><mc:Choice>{shape(line)}</mc:Choice><mc:Fallback>{fallback}</mc:Fallback>"
        assert texts(slides(f"{choice}</mc:AlternateContent>")) == [["x = 3/4"]]

    def test_ticks_of_a_symbol_font(self) -> None:
        tick = '<a:r><a:rPr><a:sym typeface="Wingdings"/></a:rPr><a:t>\uf0fe</a:t></a:r>'
        line = f"<a:p>{tick}<a:r><a:t> paid</a:t></a:r></a:p>"
        assert texts(slides(shape(line))) == [["☒ paid"]]

    def test_words_whose_symbols_are_in_a_symbol_font_stay_words(self) -> None:
        run = '<a:r><a:rPr><a:{} typeface="Wingdings"/></a:rPr><a:t>so \uf0e0 Nunc at risus</a:t></a:r>'
        for name in ("sym", "latin"):
            assert texts(slides(shape(f"<a:p>{run.format(name)}</a:p>"))) == [["so → Nunc at risus"]]


class TestParts:
    def test_charts_and_diagrams_stand_where_they_are(self) -> None:
        frames = "<p:graphicFrame><a:graphic>{}</a:graphic></p:graphicFrame>"
        inside = (
            shape("Numbers", placeholder="title")
            + frames.format('<c:chart r:id="rId1"/>')
            + frames.format('<dgm:relIds r:dm="rId2"/>')
            + shape("After")
        )
        related = (
            Related("rId1", "chart", "ppt/charts/chart1.xml", office_files.CHART),
            Related("rId2", "diagramData", "ppt/diagrams/data1.xml", office_files.DIAGRAM),
        )
        assert texts(slides(inside, related=related)) == [
            ["Numbers", "Chart: Sales by quarter", office_files.CHART_TEXT, "- Plan\n- Build", "After"]
        ]

    def test_a_chart_of_a_library(self) -> None:
        presentation = pptx.Presentation()
        slide = presentation.slides.add_slide(presentation.slide_layouts[6])
        data = CategoryChartData(number_format="0%")
        data.categories = ["East", "West"]
        data.add_series("Share", (0.25, 0.75))
        slide.shapes.add_chart(XL_CHART_TYPE.PIE, Inches(1), Inches(1), Inches(4), Inches(4), data)
        out = io.BytesIO()
        presentation.save(out)
        assert texts(out.getvalue()) == [["Chart: Share", " | Share\nEast | 25%\nWest | 75%"]]

    def test_comments_of_both_kinds(self) -> None:
        old = root("p:cmLst", '<p:cm authorId="0"><p:text>Check this</p:text></p:cm>')
        reply = "<reply><txBody><a:p><a:r><a:t>Done</a:t></a:r></a:p></txBody></reply>"
        body = "<txBody><a:p><a:r><a:t>Wrong year</a:t></a:r></a:p></txBody>"
        new = root("p:cmLst", f'<p:cm authorId="{{A}}"><replyLst>{reply}</replyLst>{body}</p:cm>')
        authors = root("p:cmAuthorLst", '<p:cmAuthor id="0" name="Ada"/>')
        related = [
            Related("rId1", "comments", "ppt/comments/comment1.xml", old),
            Related("rId2", "comments", "ppt/comments/modernComment1.xml", new),
        ]
        rest = [Related("rId9", "commentAuthors", "ppt/commentAuthors.xml", authors)]
        assert texts(slides(shape("Body"), related=related, rest=rest)) == [
            ["Body", "Comment by Ada: Check this", "Comment: Wrong year", "Comment: Done"]
        ]

    def test_footers_once(self) -> None:
        foot, number = shape("Confidential, revision 3", placeholder="ftr"), shape("4", placeholder="sldNum")
        assert texts(slides(shape("One") + foot + number, shape("Two") + foot + number)) == [
            ["One", "Confidential, revision 3"],
            ["Two"],
        ]

    def test_merged_cells(self) -> None:
        def cell(text: str, attributes: str = "") -> str:
            return f"<a:tc {attributes}><a:txBody><a:p><a:r><a:t>{text}</a:t></a:r></a:p></a:txBody></a:tc>"

        rows = (
            cell("Region") + cell("Y23", 'gridSpan="2"') + cell("", 'hMerge="1"'),
            cell("North", 'rowSpan="2"') + cell("1") + cell("2"),
            cell("", 'vMerge="1"') + cell("3") + cell("4"),
        )
        table = f"<a:tbl>{''.join(f'<a:tr>{row}</a:tr>' for row in rows)}</a:tbl>"
        frame = f"<p:graphicFrame><a:graphic>{table}</a:graphic></p:graphicFrame>"
        assert texts(slides(frame)) == [["Region | Y23 | Y23\nNorth | 1 | 2\nNorth | 3 | 4"]]
