"""What PDF parsers make of text in all directions, of forms, heads, damage and tables."""

import io
from collections import Counter
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdfium2 import PdfDocument
from reportlab.lib import colors
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Table, TableStyle

from modulo.adapters.parsing.pdf import parser
from modulo.adapters.parsing.pdf.geometry import DrawnPage, Gap, Rule, Rules, Run
from modulo.adapters.parsing.pdf.layout import blocks_of
from modulo.adapters.parsing.pdf.page import read_drawn_page
from modulo.adapters.parsing.pdf.parser import PdfParser
from modulo.adapters.parsing.pdf.style import style_of
from modulo.domain.documents.document import BlockKind, Page, Part
from modulo.domain.errors import (
    CorruptFile,
    EmptyFile,
    EncryptedFile,
    GarbledFile,
    UnsupportedFile,
)
from modulo.domain.files.file import DocumentInfo
from modulo.domain.files.reading import WarningCode
from tests import documents
from tests.raw_pdf import RawPdf, shown

SENTENCE = "The pump runs at 40 bar and stops at 60 bar."


def read(content: bytes, part: Part | None = None) -> tuple[DocumentInfo, list[Page]]:
    parsed = PdfParser().parse(io.BytesIO(content))
    pages = list(parsed.pages(part))
    return parsed.info, pages


def texts(content: bytes) -> list[str]:
    return [block.text for page in read(content)[1] for block in page.blocks]


def tables(content: bytes) -> list[str]:
    return [block.text for page in read(content)[1] for block in page.blocks if block.kind is BlockKind.table]


class TestDirections:
    @given(degrees=st.integers(0, 359))
    @settings(max_examples=40, deadline=None)
    def test_text_at_any_angle_is_a_line(self, degrees: int) -> None:
        assert texts(RawPdf([shown(SENTENCE, 300, 400, degrees=degrees)]).content()) == [SENTENCE]

    @pytest.mark.parametrize("rotate", [0, 90, 180, 270])
    @pytest.mark.parametrize("degrees", [0, 90, 180, 270])
    def test_lines_on_a_turned_page(self, rotate: int, degrees: int) -> None:
        steps = {0: (0, -14), 90: (14, 0), 180: (0, 14), 270: (-14, 0)}[degrees]
        page = shown(SENTENCE, 300, 400, degrees=degrees)
        page += shown("That was checked in May.", 300 + steps[0], 400 + steps[1], degrees=degrees)
        assert texts(RawPdf([page], rotate=rotate).content()) == [f"{SENTENCE} That was checked in May."]

    def test_a_note_beside_the_text(self) -> None:
        page = shown(SENTENCE, 72, 720) + shown("Confidential draft, version seven", 40, 300, degrees=90)
        assert texts(RawPdf([page]).content()) == [SENTENCE, "Confidential draft, version seven"]

    def test_a_note_beside_every_page_is_kept_once(self) -> None:
        pages = [
            shown(f"Letter {n} speaks of {n * 7} pumps.", 72, 600) + shown("Draft of the board", 40, 300, degrees=90)
            for n in range(1, 5)
        ]
        assert texts(RawPdf(pages).content()).count("Draft of the board") == 1

    def test_lines_that_go_down_the_page(self) -> None:
        lines = ("吾輩は猫である。名前はまだ無い。", "どこで生れたか頓と見当がつかぬ。")
        page = b"".join(shown(line, 400 - 20 * n, 700, font="V") for n, line in enumerate(lines))
        assert "".join(texts(RawPdf([page], advance=1000).content())) == "".join(lines)

    @given(
        words=st.lists(
            st.one_of(
                st.text("אבגדהוזחטיכלמנסעפצקרשת", min_size=2, max_size=7),
                st.text("ابتثجحخدرزسشصضطظعغفقكلمنهوي", min_size=2, max_size=7),
            ),
            min_size=2,
            max_size=6,
        ),
        number=st.integers(10, 99_999),
    )
    @settings(max_examples=40, deadline=None)
    def test_right_to_left_with_numbers(self, words: list[str], number: int) -> None:
        logical = " ".join([*words[:1], str(number), *words[1:]])
        seen = " ".join([*(word[::-1] for word in reversed(words[1:])), str(number), words[0][::-1]])
        assert texts(RawPdf([shown(seen, 100, 700, font="U")]).content()) == [logical]

    def test_paragraphs_from_right_to_left(self) -> None:
        lines = ("הדוח השנתי של החברה מתאר את הסיכונים", "ואת ההזדמנויות (כולל ריבית) בשנה החולפת")
        page = b"".join(
            shown(line[::-1].translate({40: ")", 41: "("}), 500 - 6 * len(line), 700 - 15 * n, font="U")
            for n, line in enumerate(lines)
        )
        assert texts(RawPdf([page]).content()) == [" ".join(lines)]

    def test_a_table_from_right_to_left(self) -> None:
        rows = (("الاسم", "العمر"), ("محمد", "120"), ("فاطمة", "95"))
        page = b"".join(
            shown(name[::-1], 450, 700 - 20 * n, font="U")
            + shown(age if age.isdigit() else age[::-1], 250, 700 - 20 * n, font="U")
            for n, (name, age) in enumerate(rows)
        )
        assert tables(RawPdf([page]).content()) == ["\n".join(" | ".join(row) for row in rows)]

    def test_a_foreign_word_in_english_text(self) -> None:
        word = "שלום"
        page = shown(f"The word {word[::-1]} means peace, and is a greeting.", 72, 700, font="U")
        assert texts(RawPdf([page]).content()) == [f"The word {word} means peace, and is a greeting."]

    def test_a_glyph_of_two_letters(self) -> None:
        meanings = (
            b"begincmap\n1 begincodespacerange <0000> <FFFF> endcodespacerange\n"
            b"3 beginbfchar\n<0001> <06440627>\n<0002> <0633>\n<0003> <0645>\nendbfchar endcmap"
        )
        assert texts(RawPdf([shown("\x03\x01\x02", 72, 700, font="U")], meanings=meanings).content()) == ["سلام"]


class TestSmallText:
    @staticmethod
    def line(*pieces: tuple[str, float]) -> bytes:
        drawn = "".join(f"{rise} Ts /L {7 if rise else 12} Tf ({text}) Tj " for text, rise in pieces)
        return f"BT 72 700 Td {drawn} ET".encode()

    @pytest.mark.parametrize(
        ("pieces", "text"),
        [
            (
                (("The area is 10", 0), ("6", 5), (" m and the rest is air.", 0)),
                "The area is 10⁶ m and the rest is air.",
            ),
            ((("CO", 0), ("2", -3), (" falls, x", 0), ("n+1", 5), (" grows.", 0)), "CO₂ falls, xⁿ⁺¹ grows."),
            ((("On the 1", 0), ("st", 5), (" of May.", 0)), "On the 1st of May."),
            ((("Revenue was 1,234", 0), ("1", 5), (".", 0)), "Revenue was 1,234¹."),
            ((("Use 1", 0), ("3", 4), ("/", 0), ("4", -1), (" inch pipes.", 0)), "Use 1 3/4 inch pipes."),
        ],
    )
    def test_powers_indices_and_fractions(self, pieces: Sequence[tuple[str, float]], text: str) -> None:
        assert texts(RawPdf([self.line(*pieces)]).content()) == [text]

    def test_a_title_in_spaced_letters(self) -> None:
        assert texts(RawPdf([shown("ANNUAL REPORT OF THE BOARD", 72, 700, more="3 Tc")]).content()) == [
            "ANNUAL REPORT OF THE BOARD"
        ]

    def test_words_that_stand_close_together(self) -> None:
        line = "The words of this line stand close together."
        assert texts(RawPdf([shown(line, 72, 700, more="-1.8 Tw")]).content()) == [line]

    def test_a_code_at_the_end_of_a_line(self) -> None:
        page = shown("Please order the spare part AB-", 72, 720) + shown("1234 from the catalogue.", 72, 706)
        assert texts(RawPdf([page]).content()) == ["Please order the spare part AB-1234 from the catalogue."]

    def test_signs_of_symbol_fonts(self) -> None:
        page = shown("\uf0b7 first item", 72, 720, font="U") + shown("\uf0b7 second \uf0a1item", 72, 700, font="U")
        assert texts(RawPdf([page]).content()) == ["• first item", "• second item"]


class TestForms:
    FORM = "@fields/NeedAppearances true"

    @staticmethod
    def field(rest: str, rectangle: str = "150 700 300 720") -> str:
        return f"<</Type/Annot/Subtype/Widget/F 4/Rect[{rectangle}]{rest}>>"

    def form(self, page: bytes, *fields: str) -> list[str]:
        return texts(RawPdf([page], fields, self.FORM).content())

    def test_a_value_stands_behind_its_label(self) -> None:
        page = shown("Surname:", 72, 704) + shown("Town:", 72, 674) + shown("Please sign below.", 72, 600)
        found = self.form(
            page,
            self.field("/FT/Tx/T(town)/V(Ulm)", "150 670 300 690"),
            self.field("/FT/Tx/T(surname)/V(Bergmann)"),
        )
        assert " ".join(found).replace(" | ", " ").split("Please")[0].split() == [
            "Surname:",
            "Bergmann",
            "Town:",
            "Ulm",
        ]

    def test_a_value_below_its_label(self) -> None:
        found = self.form(
            shown("Surname", 152, 724) + shown("The end.", 72, 500), self.field("/FT/Tx/T(s)/V(Bergmann)")
        )
        assert " ".join(found) == "Surname Bergmann The end."

    @pytest.mark.parametrize(("state", "sign"), [("/V/Yes/AS/Yes", "☒"), ("/AS/Off", "☐")])
    def test_boxes(self, state: str, sign: str) -> None:
        box = self.field(f"/FT/Btn/T(smoker){state}", "150 700 160 710")
        assert self.form(shown("Smoker", 72, 702), box) == [f"Smoker {sign}"]
        box = self.field(f"/FT/Btn/T(smoker){state}", "60 700 70 710")
        assert self.form(shown("Smoker", 75, 702), box) == [f"{sign} Smoker"]

    def test_what_was_chosen_from_a_list(self) -> None:
        choice = self.field("/FT/Ch/Ff 131072/T(land)/Opt[[(de)(Germany)][(fr)(France)]]/V(fr)")
        assert self.form(shown("Country:", 72, 704), choice) == ["Country: France"]

    def test_passwords_and_hidden_fields_are_not_read(self) -> None:
        secret = self.field("/FT/Tx/Ff 8192/T(password)/V(hunter2)")
        hidden = self.field("/FT/Tx/T(code)/V(hunter3)").replace("/F 4", "/F 2")
        assert self.form(shown("Password:", 72, 704), secret, hidden) == ["Password:"]

    def test_typed_text_and_notes(self) -> None:
        notes = (
            "<</Type/Annot/Subtype/FreeText/Contents(Valve replaced in May)/Rect[150 600 300 620]/F 4>>",
            "<</Type/Annot/Subtype/Text/Contents(Ask Ada about this)/Rect[500 700 520 720]/F 4>>",
        )
        page = shown("Report of the year", 72, 704) + shown("The end of it.", 72, 500)
        assert texts(RawPdf([page], notes).content()) == [
            "Report of the year",
            "Valve replaced in May",
            "The end of it.",
            "Ask Ada about this",
        ]

    WAIT = shown("Please wait... If this message is not eventually replaced by the proper contents", 72, 704, size=8)

    def test_a_form_that_only_adobe_draws_is_read_from_its_data(self) -> None:
        data = (
            b'<xdp:xdp xmlns:xdp="http://ns.adobe.com/xdp/"><template xmlns="http://www.xfa.org/schema/xfa-template/3.3/">'
            b"<subform><draw><value><text>Membership</text></value></draw>"
            b'<field name="surname"><caption><value><text>Family name</text></value></caption></field></subform>'
            b"</template>"
            b'<xfa:datasets xmlns:xfa="http://www.xfa.org/schema/xfa-data/1.0/"><xfa:data><form><surname>Bergmann</surname>'
            b"<town>Ulm</town></form></xfa:data></xfa:datasets></xdp:xdp>"
        )
        assert texts(RawPdf([self.WAIT], acroform="/Fields[]", xfa=data).content()) == [
            "Membership",
            "Family name: Bergmann",
            "town: Ulm",
        ]

    @pytest.mark.parametrize("data", [b"<x/>", b"no xml", b"<!DOCTYPE a [<!ENTITY b 'c'>]><data>&b;</data>"])
    def test_one_without_data_is_refused(self, data: bytes) -> None:
        with pytest.raises(UnsupportedFile, match="XFA"):
            read(RawPdf([self.WAIT], acroform="/Fields[]", xfa=data).content())

    def test_a_cover_of_what_is_protected_is_refused(self) -> None:
        cover = RawPdf([shown("Open this in a program that knows you.", 72, 700)])
        cover.attachment = "MicrosoftIRMServices Protected PDF.pdf"
        with pytest.raises(EncryptedFile, match="rights management"):
            read(cover.content())


class TestRunningHeads:
    @staticmethod
    def letters(head: Callable[[int], str], foot: Callable[[int], str] = lambda number: "", count: int = 6) -> bytes:
        pages = []
        for number in range(1, count + 1):
            page = shown(head(number), 72, 750)
            for line in range(5):
                page += shown(f"Line {line} of it says that {number * 7 + line} goods were sent.", 72, 700 - 18 * line)
            pages.append(page + (shown(foot(number), 300, 40) if foot(number) else b""))
        return RawPdf(pages).content()

    @pytest.mark.parametrize(
        "head",
        [
            lambda n: f"Invoice No. {1000 + n}",
            lambda n: f"Invoice No. {n}",
            lambda n: f"Case {n}/2024",
            lambda n: f"Order: {n}",
            lambda n: f"Certificate AB-{n * 13}",
            lambda n: f"Letter to member {n} of the board",
        ],
    )
    def test_lines_that_differ_are_kept(self, head: Callable[[int], str]) -> None:
        found = " ".join(texts(self.letters(head)))
        assert all(head(number) in found for number in range(1, 7))

    @pytest.mark.parametrize(
        "foot",
        [
            str,
            lambda n: f"- {n} -",
            lambda n: f"Page {n}",
            lambda n: f"Seite {n} von 6",
            lambda n: f"{n} / 6",
        ],
    )
    def test_page_numbers_are_left_out_and_a_head_is_kept_once(self, foot: Callable[[int], str]) -> None:
        found = texts(self.letters(lambda number: "Standard SOP-114, revision C", foot))
        assert found.count("Standard SOP-114, revision C") == 1
        assert not set(found) & {foot(number) for number in range(1, 7)}

    def test_a_head_with_the_number_of_its_page_is_kept_once(self) -> None:
        found = texts(self.letters(lambda number: f"Annual Report | {number}"))
        assert [text for text in found if text.startswith("Annual Report")] == ["Annual Report | 1"]

    def test_the_number_below_a_short_page(self) -> None:
        pages = [
            shown(f"Chapter {n} is about well number {n * 3}.", 72, 700) + shown(str(n), 300, 400 if n == 3 else 40)
            for n in range(1, 7)
        ]
        assert texts(RawPdf(pages).content()) == [f"Chapter {n} is about well number {n * 3}." for n in range(1, 7)]

    def test_text_behind_the_first_line_that_differs_is_no_head(self) -> None:
        pages = [
            shown("Sample agreement", 72, 770)
            + shown(f"Part {n}: {n * 37}", 72, 750)
            + shown("It binds both.", 72, 730)
            for n in range(1, 6)
        ]
        found = " ".join(texts(RawPdf(pages).content()))
        assert (found.count("Sample agreement"), found.count("It binds both.")) == (1, 5)

    def test_parts_keep_it_once_together(self) -> None:
        content = self.letters(lambda number: "Standard SOP-114, revision C")
        parts = [Part(0, 0, 3), Part(1, 3, 6)]
        found = [block.text for part in parts for page in read(content, part)[1] for block in page.blocks]
        assert found.count("Standard SOP-114, revision C") == 1


class TestOpening:
    @pytest.mark.parametrize("padding", [b"\0" * 40_000, b"\r\n" * 9, b"\x1a" * 300, b" " * 100_000])
    def test_padding_is_no_damage(self, padding: bytes) -> None:
        assert texts(RawPdf([shown(SENTENCE, 72, 700)]).content() + padding) == [SENTENCE]

    def test_the_place_of_the_table_of_objects_may_be_missing(self) -> None:
        assert texts(RawPdf([shown(SENTENCE, 72, 700)]).content(start=False)) == [SENTENCE]

    def test_what_is_cut_short_is_damaged(self) -> None:
        content = RawPdf([shown(SENTENCE, 72, 700)] * 3)
        for cut in (content.content(trailer=False, start=False), content.content()[:-600] + b"\0" * 5_000):
            with pytest.raises(CorruptFile, match="end of the file"):
                read(cut)

    def test_no_pages(self) -> None:
        with pytest.raises(EmptyFile):
            read(RawPdf([]).content())

    def test_a_code_beyond_unicode_costs_one_character(self) -> None:
        meanings = b"begincmap\n1 begincodespacerange <0000> <FFFF> endcodespacerange\n1 beginbfrange\n"
        meanings += b"<0020> <007e> <0020>\nendbfrange\n1 beginbfchar\n<0001> <DBFFDFFF>\nendbfchar endcmap"
        assert "25 cm" in texts(RawPdf([shown("25 cm \x01", 72, 700, font="U")], meanings=meanings).content())[0]

    @pytest.mark.parametrize(
        ("said", "title"),
        [
            ("PowerPoint Presentation", None),
            ("Microsoft Word - Document1", None),
            ("Untitled", None),
            ("untitled-2", None),
            ("Microsoft Word - Annual Report.docx", "Annual Report"),
            ("Documentary films", "Documentary films"),
        ],
    )
    def test_titles_that_nobody_chose(self, said: str, title: str | None) -> None:
        assert read(RawPdf([shown(SENTENCE, 72, 700)], title=said).content())[0].title == title


class TestGarbled:
    NONE = b"begincmap endcmap"

    @staticmethod
    def glyphs(text: str) -> str:
        """The numbers of a TrueType font's usual glyphs."""
        return "".join(chr(ord(sign) - 29) for sign in text)

    def test_fonts_that_do_not_say_what_they_show(self) -> None:
        said = self.glyphs("The contract ends in June and may be renewed once for two years")
        with pytest.raises(GarbledFile):
            read(RawPdf([shown(said, 72, 700, font="U", size=8)], meanings=self.NONE).content())

    def test_on_some_pages(self) -> None:
        said = self.glyphs("The contract ends in June and may be renewed once for two years")
        pages = [shown(SENTENCE, 72, 700), shown(said, 72, 700, font="U", size=8)]
        info, found = read(RawPdf(pages, meanings=self.NONE).content())
        assert [page.scanned for page in found] == [False, True]
        assert [(warning.code, warning.pages) for warning in info.warnings or ()] == [
            (WarningCode.unknown_glyphs, (2,))
        ]

    def test_what_can_be_read_all_the_same_is(self) -> None:
        page = shown("The contract ends in June and may be renewed once.", 72, 700, font="U", size=8)
        assert texts(RawPdf([page], meanings=self.NONE).content()) == [
            "The contract ends in June and may be renewed once."
        ]


class TestLost:
    def test_letters_that_are_drawn_several_times_are_no_loss(self) -> None:
        """Some programs draw each letter four times to make it bold."""
        page = b"".join(shown(sign, 72 + 8 * at, 700) * 4 for at, sign in enumerate("The pump runs at forty bar"))
        assert "".join(texts(RawPdf([page]).content())).replace(" ", "") == "Thepumprunsatfortybar"


class TestContents:
    def test_a_table_of_contents_is_no_table_of_figures(self) -> None:
        lines = (("1", "Foundations", "2"), ("2", "Surfaces of all kinds", "24"), ("3", "Groups", "44"))
        page = b"".join(
            shown(number, 72, 700 - 16 * n) + shown(title, 100, 700 - 16 * n) + shown(at, 500, 700 - 16 * n)
            for n, (number, title, at) in enumerate(lines)
        )
        page += b"".join(shown(f"{n}.1 Section . . . . . . . . . . . {n * 9}", 100, 600 - 16 * n) for n in range(4))
        found = read(RawPdf([page]).content())[1][0].blocks
        assert not any(block.text.startswith("1.1 | ") for block in found)
        assert any("1.1 Section … 9" in block.text for block in found)


class TestLists:
    def test_a_number_in_a_frame_that_is_no_table_stands_there_once(self) -> None:
        def draw(canvas: Canvas) -> None:
            canvas.setFont("Helvetica", 10)
            canvas.grid([60, 180, 300, 420, 540], [500, 550, 600, 650, 700])
            canvas.drawString(70, 680, "1.")
            canvas.drawString(90, 680, "Check the pump")
            for step, text in enumerate(("Close the tank", "Open the valve", "Read the gauge"), 1):
                canvas.drawString(70 + 120 * step, 680 - 50 * step, text)
            canvas.showPage()

        assert texts(documents.drawn_pdf(draw)) == [
            "1. Check the pump",
            "Close the tank",
            "Open the valve",
            "Read the gauge",
        ]

    @given(
        leads=st.lists(st.sampled_from(["1.", "(a)", "\u2022", "iv)", "Item"]), min_size=1, max_size=6),
        rests=st.lists(st.sampled_from(["Revenue", "Cost 10 20", "10 20", "The pump runs."]), min_size=6, max_size=6),
        lasts=st.lists(st.sampled_from(["", "30", "30 45", "open"]), min_size=6, max_size=6),
        ruled=st.booleans(),
    )
    @settings(deadline=None)
    def test_a_page_that_is_laid_out_again_holds_the_same(
        self, leads: list[str], rests: list[str], lasts: list[str], ruled: bool
    ) -> None:
        runs = [
            Run(
                text, left, 700 - 14 * row, left + 6 * len(text), 712 - 14 * row, 12, bold=False, order=3 * row + column
            )
            for row, texts_there in enumerate(zip(leads, rests, lasts, strict=False))
            for column, (left, text) in enumerate(zip((72, 100, 400), texts_there, strict=True))
            if text
        ]
        for run in runs:
            places = [place for place, sign in enumerate(run.text) if sign == " "]
            run.gaps += [Gap(run.left + 6 * place, run.left + 6 * place + 6, place + 1) for place in places]
        borders = (
            [Rule(place, 60, 500) for place in (500, 600, 713)],
            [Rule(place, 500, 713) for place in (60, 350, 500)],
        )
        rules = Rules(*map(tuple, borders)) if ruled else Rules()
        page = DrawnPage(612, 792, runs, rules, 0)
        once = list(blocks_of(page, style_of([page], {})))
        assert list(blocks_of(page, style_of([page], {}))) == once


class TestTablesOfFigures:
    COLUMNS = (330, 400, 470, 540)

    def statement(self, canvas: Canvas, *, lead: float = 14, size: float = 9) -> None:
        y = 700.0
        canvas.setFont("Helvetica", size)
        canvas.drawString(72, y, "(in millions)")
        y -= lead
        for line in ("Three Months Ended", "September 30,"):
            for group, at in enumerate((365, 505)):
                canvas.drawCentredString(at, y, line if not group else line.replace("Three", "Nine"))
            y -= lead
        y = self.row(canvas, y, lead, "", "2020", "2019", "2020", "2019")
        for at in self.COLUMNS:
            canvas.drawString(at - 50, y, "$")
        y = self.row(canvas, y, lead, "Revenue", "1,234", "1,100", "3,600", "3,300")
        canvas.drawString(72, y, "Income from operations before")
        y = self.row(canvas, y - lead * 0.85, lead, "provision for taxes", "734", "620", "2,150", "1,900")
        for at in self.COLUMNS:
            canvas.drawString(at + 6, y, "%")
        self.row(canvas, y, lead, "Gross margin", "59", "56", "60", "58")

    def row(self, canvas: Canvas, y: float, lead: float, label: str, *cells: str) -> float:
        canvas.drawString(72, y, label)
        for at, cell in zip(self.COLUMNS, cells, strict=True):
            canvas.drawRightString(at, y, cell)
        return y - lead

    @pytest.mark.parametrize(("lead", "size"), [(14, 9), (11, 8), (16, 11)])
    def test_the_whole_header_names_each_column(self, lead: float, size: float) -> None:
        def draw(canvas: Canvas) -> None:
            self.statement(canvas, lead=lead, size=size)
            canvas.showPage()

        three, nine = "Three Months Ended September 30,", "Nine Months Ended September 30,"
        assert tables(documents.drawn_pdf(draw)) == [
            f"(in millions) | {three} 2020 | {three} 2019 | {nine} 2020 | {nine} 2019\n"
            "Revenue | $1,234 | $1,100 | $3,600 | $3,300\n"
            "Income from operations before provision for taxes | 734 | 620 | 2,150 | 1,900\n"
            "Gross margin | 59% | 56% | 60% | 58%"
        ]

    def test_ruled_rows_with_several_figures_in_a_cell_are_rows(self) -> None:
        def draw(canvas: Canvas) -> None:
            rows = [["Month", "Passengers", "Share"], ["May\nJune", "653\n686", "7.5\n8.1"], ["Total", "1,339", "7.8"]]
            table = Table(
                rows, colWidths=[120, 80, 80], style=TableStyle([("GRID", (0, 0), (-1, -1), 0.5, colors.black)])
            )
            table.wrapOn(canvas, 400, 400)
            table.drawOn(canvas, 100, 300)
            canvas.showPage()

        assert tables(documents.drawn_pdf(draw)) == [
            "Month | Passengers | Share\nMay | 653 | 7.5\nJune | 686 | 8.1\nTotal | 1,339 | 7.8"
        ]

    @pytest.mark.parametrize("lead", ["1.", "(a)", "\u2022", "12)"])
    def test_figures_behind_a_numbered_label_are_cut_between_them(self, lead: str) -> None:
        page = b"".join(
            shown(lead, 72, y) + shown(f"{label} {figures}", 100, y) + shown(last, 400, y)
            for y, label, figures, last in ((700, "Gains", "10 15", "17"), (686, "Costs", "20 25", "27"))
        )
        assert tables(RawPdf([page]).content()) == [f"{lead} Gains 10 | 15 | 17\n{lead} Costs 20 | 25 | 27"]

    @pytest.mark.parametrize(
        ("written", "label"),
        [
            ("Re\u0301sultat", "R\u00e9sultat"),
            ("\u200bGains", "Gains"),
            ("\ue001Gains", "Gains"),
            ("1\u00b3\u2044\u2084 inch", "1 3/4 inch"),
            ("\u00b3 \u2044 \u2084 inch", "3/4 inch"),
        ],
    )
    def test_figures_are_cut_between_them_where_the_label_is_written_otherwise(self, written: str, label: str) -> None:
        page = b"".join(
            shown(f"{written} {figures}", 72, y, font="U") + shown(last, 400, y)
            for y, figures, last in ((700, "10 15", "17"), (686, "20 25", "27"))
        )
        assert tables(RawPdf([page]).content()) == [f"{label} 10 | 15 | 17\n{label} 20 | 25 | 27"]

    def test_it_goes_on_on_the_next_page(self) -> None:
        def draw(canvas: Canvas) -> None:
            for page in range(3):
                y = 700.0
                if not page:
                    y = self.row(canvas, y, 14, "Item", "Price", "Stock", "Sold", "Left")
                for number in range(44 if page < 2 else 5):
                    y = self.row(canvas, y, 14, f"rod {page}-{number}", "1.50", f"{number + 3}", "17", "9")
                canvas.showPage()

        content = documents.drawn_pdf(draw)
        assert [table.partition("\n")[0] for table in tables(content)] == ["Item | Price | Stock | Sold | Left"] * 3
        _, pages = read(content, Part(1, 2, 3))
        assert pages[0].blocks[0].text.startswith("Item | Price")

    def long_table(self) -> bytes:
        """A table that begins on the second of 14 pages, below a line of text."""

        def draw(canvas: Canvas) -> None:
            for page in range(14):
                y = 700.0
                if page == 1:
                    canvas.drawString(72, 740, "What is left of the rods that were bought in May stands below.")
                    y = self.row(canvas, y, 14, "Item", "Price", "Stock", "Sold", "Left")
                for number in range(20):
                    y = self.row(canvas, y, 14, f"1. rod {page}-{number}", "1.50", f"{number + 3}", "17", "9")
                canvas.showPage()

        return documents.drawn_pdf(draw)

    def test_parts_of_a_long_table_hold_what_the_whole_does(self) -> None:
        content = self.long_table()
        _, whole = read(content)
        assert [page.blocks[-1].text.startswith("Item | Price") for page in whole] == [False] + 13 * [True]
        for first in range(1, 14):
            assert read(content, Part(1, first, 14))[1] == whole[first:]

    def test_each_page_before_a_part_is_read_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        times = Counter[int]()

        def counted(document: PdfDocument, index: int) -> DrawnPage:
            times[index] += 1
            return read_drawn_page(document, index)

        monkeypatch.setattr(parser, "read_drawn_page", counted)
        monkeypatch.setattr(parser, "_SAMPLE_PAGES", 2)
        read(self.long_table(), Part(1, 10, 14))
        sampled = Counter([0, 1])
        assert times == Counter(range(1, 14)) + sampled
