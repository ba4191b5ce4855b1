"""Every parser: what it reads, in which order, and why it refuses."""

import io
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest
from reportlab.pdfgen.canvas import Canvas

from modulo.adapters.parsing import table_blocks as tabulating
from modulo.adapters.parsing.office import ooxml
from modulo.adapters.parsing.parser_registry import parser_for
from modulo.adapters.parsing.pdf import page as pdfium_page
from modulo.adapters.parsing.pdf import parser as pdfium_parser
from modulo.domain.documents.document import Block, BlockKind, Page
from modulo.domain.errors import (
    CorruptFile,
    EmptyFile,
    EncryptedFile,
    FileRejected,
    OversizedFile,
    ScannedFile,
    UnsupportedFile,
)
from modulo.domain.files import media
from modulo.domain.files.file import DocumentInfo
from tests import documents

WELL_FORMED: dict[str, Callable[[], bytes]] = {
    media.PDF: documents.pdf,
    media.DOCX: documents.word,
    media.PPTX: documents.slides,
    media.XLSX: documents.workbook,
    media.HTML: documents.HTML.encode,
    media.MARKDOWN: documents.MARKDOWN.encode,
    media.CSV: lambda: documents.TABLE_TEXT.replace(" | ", ";").encode(),
    media.TSV: lambda: documents.TABLE_TEXT.replace(" | ", "\t").encode(),
    media.TEXT: documents.PARAGRAPH.encode,
    media.EML: documents.E_MAIL.encode,
    media.CALENDAR: lambda: b"BEGIN:VEVENT\nSUMMARY:Council meeting\nEND:VEVENT\n",
    media.SUBTITLES: lambda: b"WEBVTT\n\n00:01.000 --> 00:02.000\nThe pump runs.\n",
    media.NOTEBOOK: lambda: b'{"cells": [{"cell_type": "markdown", "source": ["# Pump\\n", "It runs."]}]}',
    media.JSON: documents.JSON.encode,
    media.JSON_LINES: documents.JSON_LINES.encode,
    media.CODE: documents.CODE.encode,
    media.SQL: documents.SQL.encode,
    media.YAML: lambda: b"jobs:\n  build: make\n",
    media.TOML: lambda: b"[tool.pytest]\nstrict = true\n",
}
OFFICE = (media.DOCX, media.PPTX, media.XLSX)
LOOSE = (media.HTML, media.MARKDOWN, media.CSV, media.TEXT, media.CODE)
STRICT = (
    media.EML,
    media.CALENDAR,
    media.SUBTITLES,
    media.NOTEBOOK,
    media.JSON,
    media.JSON_LINES,
    media.SQL,
    media.YAML,
    media.TOML,
)


def parse(media_type: str, content: bytes) -> tuple[DocumentInfo, list[Page]]:
    parsed = parser_for(media_type).parse(io.BytesIO(content))
    return parsed.info, list(parsed.pages())


def blocks(media_type: str, content: bytes) -> list[Block]:
    return [block for page in parse(media_type, content)[1] for block in page.blocks]


def shown(media_type: str, content: bytes) -> list[tuple[str, str]]:
    """Blocks as (what it is, its text): h1, h2, … for headings."""
    kinds = {BlockKind.text: "text", BlockKind.table: "table"}
    return [(kinds.get(b.kind, f"h{b.level}"), b.text) for b in blocks(media_type, content)]


@pytest.mark.parametrize("media_type", sorted(set(media.READABLE) - {media.ZIP}))  # which is unpacked
class TestEveryParser:
    def test_pages_count_from_one_and_hold_clean_blocks(self, media_type: str) -> None:
        info, pages = parse(media_type, WELL_FORMED[media_type]())
        assert [page.number for page in pages] == list(range(1, len(pages) + 1))
        assert info.total_pages in (None, len(pages))
        found = [block for page in pages for block in page.blocks]
        assert found
        for block in found:
            assert block.text.strip()
            assert (block.kind is BlockKind.heading) == (block.level > 0)
            block.text.encode()  # no half characters, which no store takes

    def test_it_reads_again_from_the_start(self, media_type: str) -> None:
        content = io.BytesIO(WELL_FORMED[media_type]())
        content.seek(0, io.SEEK_END)
        parsed = parser_for(media_type).parse(content)
        assert list(parsed.pages()) == list(parser_for(media_type).parse(content).pages())

    def test_no_bytes_are_an_empty_file(self, media_type: str) -> None:
        with pytest.raises(EmptyFile):
            parse(media_type, b"")

    def test_noise_is_refused(self, media_type: str) -> None:
        with pytest.raises(FileRejected):
            parse(media_type, bytes(range(256)) * 40)


@pytest.mark.parametrize("media_type", LOOSE)
class TestEveryTextParser:
    def test_white_space_is_an_empty_file(self, media_type: str) -> None:
        with pytest.raises(EmptyFile):
            parse(media_type, b" \n\t \r\n" * 50)

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
    def test_encodings_are_told(self, media_type: str, encoding: str) -> None:
        found = blocks(media_type, "Ein Café für 5 €, gleich um die Ecke".encode(encoding))
        assert "Café für 5 €" in " ".join(b.text for b in found)

    def test_what_shows_nothing_is_dropped(self, media_type: str) -> None:
        (block,) = blocks(media_type, "so\u00adft hy\u200bphen\u00a0and e\u0301".encode())
        assert block.text == "soft hyphen and \u00e9"

    def test_binary_data_is_refused(self, media_type: str) -> None:
        with pytest.raises(UnsupportedFile):
            parse(media_type, documents.png(64) + bytes(range(256)))

    def test_too_much_is_refused(self, media_type: str) -> None:
        with pytest.raises(OversizedFile):
            parse(media_type, b"word " * (64 * 1024**2 // 5 + 1))


@pytest.mark.parametrize("media_type", OFFICE)
class TestEveryOfficeParser:
    def test_a_part_of_the_file_is_corrupt(self, media_type: str) -> None:
        with pytest.raises(CorruptFile):
            parse(media_type, documents.without_end(WELL_FORMED[media_type]()))

    def test_white_space_is_corrupt(self, media_type: str) -> None:
        with pytest.raises(CorruptFile):
            parse(media_type, b" \n\t" * 100)

    def test_many_parts_are_refused(self, media_type: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(ooxml, "MAX_PARTS", 3)
        with pytest.raises(OversizedFile):
            parse(media_type, WELL_FORMED[media_type]())

    def test_a_document_in_another_ones_clothes_is_corrupt_or_read(self, media_type: str) -> None:
        for other in OFFICE:
            with suppress(FileRejected):
                assert parse(media_type, WELL_FORMED[other]())[1]

    def test_a_password_is_told(self, media_type: str) -> None:
        with pytest.raises(EncryptedFile):
            parse(media_type, documents.encrypted_office())

    def test_an_old_document_is_told(self, media_type: str) -> None:
        with pytest.raises(UnsupportedFile, match="save it as DOCX"):
            parse(media_type, documents.old_office())

    def test_another_archive_is_no_document(self, media_type: str) -> None:
        with pytest.raises(CorruptFile):
            parse(media_type, documents.zipped([("a.txt", b"x")]))

    def test_flipped_bytes_are_noticed(self, media_type: str) -> None:
        content = bytearray(WELL_FORMED[media_type]())
        for at in range(len(content) // 3, len(content) // 3 + 60):
            content[at] ^= 0xFF
        with pytest.raises(CorruptFile):
            parse(media_type, bytes(content))

    def test_a_bomb_is_not_unpacked(self, media_type: str) -> None:
        bomb = documents.with_part(WELL_FORMED[media_type](), "zeros.bin", bytes(64 * 1024**2))
        with pytest.raises(OversizedFile):
            parse(media_type, bomb)

    def test_the_unpacked_size_is_bounded(self, media_type: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(ooxml, "MAX_UNPACKED_BYTES", 1000)
        with pytest.raises(OversizedFile):
            parse(media_type, WELL_FORMED[media_type]())

    def test_entities_are_refused(self, media_type: str) -> None:
        for part in ("word/document.xml", "ppt/presentation.xml", "xl/workbook.xml", "docProps/core.xml"):
            bomb = documents.entity_bomb(WELL_FORMED[media_type](), part)
            with pytest.raises(CorruptFile, match="entities"):
                parse(media_type, bomb)

    def test_properties_are_told(self, media_type: str) -> None:
        info, _ = parse(media_type, WELL_FORMED[media_type]())
        assert info.title == documents.TITLE
        assert info.creator


class TestPdf:
    def test_the_whole_layout(self) -> None:
        info, pages = parse(media.PDF, documents.pdf(pages=3))
        assert (info.title, info.author, info.subject, info.total_pages) == (
            documents.TITLE,
            documents.AUTHOR,
            "Water",
            3,
        )
        assert info.creation_date is not None
        assert info.creation_date[4] == "-"
        head, *first = pages[0].blocks
        assert head.text == "Confidential running head"
        assert replace(first[0], lines=()) == Block(BlockKind.heading, "Chapter 1", 1)
        assert first[1].text.startswith(documents.SENTENCES[0])
        assert replace(first[2], lines=()) == Block(BlockKind.heading, "Sales by region", 2)
        assert replace(first[3], lines=()) == Block(BlockKind.table, documents.TABLE_TEXT)
        assert [len(block.lines) for block in first] == [1, 5, 1, 12, 1]
        assert first[4].text == "This is the end of chapter 1."

    def test_running_heads_are_kept_once_and_page_numbers_left_out(self) -> None:
        texts = [block.text for block in blocks(media.PDF, documents.pdf(pages=4))]
        assert texts.count("Confidential running head") == 1
        assert not any(text.isdigit() for text in texts)

    def test_a_table_without_lines(self) -> None:
        assert ("table", documents.TABLE_TEXT) in shown(media.PDF, documents.pdf(pages=1, lines=False))

    def test_columns_are_read_one_after_the_other_and_words_put_together(self) -> None:
        assert shown(media.PDF, documents.columns_pdf()) == [
            (
                "text",
                "The first column speaks of the importance of dams. The second line goes on and the column ends here.",
            ),
            ("text", "The second column is about well-known rivers. Rivers are well-known. It ends here."),
        ]

    @pytest.mark.parametrize("degrees", [0, 90])
    def test_a_turned_page(self, degrees: int) -> None:
        assert shown(media.PDF, documents.turned_pdf(degrees)) == [("table", documents.TABLE_TEXT)]

    def test_wrapped_cells_stay_in_their_rows(self) -> None:
        def draw(canvas: Canvas) -> None:
            for x in (100, 200, 300):
                canvas.line(x, 600, x, 700)
            for y in (600, 640, 680, 700):
                canvas.line(100, y, 300, y)
            for x, y, text in (
                (105, 686, "Name"), (205, 686, "Meaning"),
                (105, 665, "A"), (205, 668, "goes over"), (205, 655, "two lines"),
                (105, 625, "B"), (205, 625, "one"),
            ):  # fmt: skip
                canvas.drawString(x, y, text)
            canvas.showPage()

        assert shown(media.PDF, documents.drawn_pdf(draw)) == [
            ("table", "Name | Meaning\nA | goes over two lines\nB | one")
        ]

    def test_a_table_of_contents_gives_the_levels(self) -> None:
        def draw(canvas: Canvas) -> None:
            canvas.setFont("Helvetica", 10)
            for number, (title, level) in enumerate((("Start", 0), ("Deeper", 1)), 1):
                canvas.bookmarkPage(title)
                canvas.addOutlineEntry(title, title, level)
                canvas.drawString(72, 800 - 100 * number, title)
                canvas.drawString(72, 750 - 100 * number, "Some words in a line of text that ends here.")
            canvas.showPage()

        headings = [entry for entry in shown(media.PDF, documents.drawn_pdf(draw)) if entry[0] != "text"]
        assert headings == [("h1", "Start"), ("h2", "Deeper")]

    def test_bullets_and_dot_leaders(self) -> None:
        def draw(canvas: Canvas) -> None:
            for number, line in enumerate(("• first item", "• second item", "Introduction ........ 3")):
                canvas.drawString(72, 700 - 14 * number, line)
            canvas.showPage()

        assert shown(media.PDF, documents.drawn_pdf(draw)) == [
            ("text", "• first item"),
            ("text", "• second item"),
            ("text", "Introduction … 3"),
        ]

    def test_pictures_without_text_are_a_scan(self) -> None:
        with pytest.raises(ScannedFile):
            parse(media.PDF, documents.scanned_pdf())

    def test_nothing_at_all_is_an_empty_file(self) -> None:
        with pytest.raises(EmptyFile):
            parse(media.PDF, documents.empty_pdf())

    def test_a_password_is_told(self) -> None:
        with pytest.raises(EncryptedFile):
            parse(media.PDF, documents.pdf(password="secret"))

    @pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 0.99])
    def test_a_part_of_the_file_is_corrupt(self, part: float) -> None:
        with pytest.raises(CorruptFile):
            parse(media.PDF, documents.without_end(documents.pdf(), part))

    @pytest.mark.parametrize("content", [b" ", b" \r\n\t" * 1000, b"%PDF-1.7\n", b"%PDF-1.7\n%%EOF\nstartxref\n0\n"])
    def test_blanks_and_a_bare_beginning_are_corrupt(self, content: bytes) -> None:
        with pytest.raises(CorruptFile):
            parse(media.PDF, content)

    def test_sixteen_hundred_pages_are_read_in_order(self) -> None:
        def draw(canvas: Canvas) -> None:
            for number in range(1, 1601):
                canvas.drawString(72, 700, f"Page {number} speaks of pump {number}.")
                canvas.showPage()

        info, pages = parse(media.PDF, documents.drawn_pdf(draw))
        assert info.total_pages == 1600
        assert [page.blocks[0].text for page in pages] == [f"Page {n} speaks of pump {n}." for n in range(1, 1601)]

    def test_heads_and_feet_that_differ_from_left_to_right_are_kept_once(self) -> None:
        def draw(canvas: Canvas) -> None:
            for number in range(1, 13):
                canvas.drawString(72, 770, "The Valley Water Board" if number % 2 else "Report of the Year")
                canvas.drawString(72, 700, f"Chapter {number} is about well number {number}.")
                canvas.drawString(300, 20, f"- {number} of 12 -")
                canvas.showPage()

        found = [block.text for block in blocks(media.PDF, documents.drawn_pdf(draw))]
        chapters = [f"Chapter {n} is about well number {n}." for n in range(1, 13)]
        assert found == ["The Valley Water Board", chapters[0], "Report of the Year", *chapters[1:]]

    def test_damage_inside_is_corrupt(self) -> None:
        content = documents.pdf()
        with pytest.raises(CorruptFile):
            parse(media.PDF, content.replace(b"/Type /Pages", b"/Type /Nothing").replace(b"/Type /Page", b"/Type /Pa"))

    def test_pages_and_characters_are_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pdfium_page, "MAX_CHARACTERS", 100)
        with pytest.raises(OversizedFile, match="Page 1"):
            parse(media.PDF, documents.pdf())
        monkeypatch.setattr(pdfium_parser, "MAX_PAGES", 1)
        with pytest.raises(OversizedFile, match="2 pages"):
            parse(media.PDF, documents.pdf())

    def test_a_page_is_read_when_asked_for(self) -> None:
        pages = parser_for(media.PDF).parse(io.BytesIO(documents.pdf(pages=2))).pages()
        assert next(pages).number == 1
        assert next(pages).number == 2

    def test_threads_may_read_at_once(self) -> None:
        content = documents.pdf(pages=5)
        expected = parse(media.PDF, content)
        results: list[object] = []

        def read() -> None:
            results.extend(parse(media.PDF, content) == expected for _ in range(5))

        threads = [threading.Thread(target=read) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert results == [True] * 20

    def test_dates_as_they_stand_where_they_are_none(self) -> None:
        content = documents.drawn_pdf(lambda canvas: canvas.drawString(72, 700, "x"))
        info, _ = parse(media.PDF, content.replace(b"D:20000101000000+00'00'", b"D:20001301000000+00'00'"))
        assert info.creation_date == "D:20001301000000+00'00'"
        info, _ = parse(media.PDF, content.replace(b"D:20000101000000+00'00'", b"D:2000            +00'0"))
        assert info.creation_date == "2000-01-01"


class TestDocx:
    def test_the_whole_document(self) -> None:
        assert shown(media.DOCX, documents.word()) == [
            ("h1", "Annual Report"),
            ("h2", "Water"),
            ("text", documents.PARAGRAPH),
            ("text", "- Dams\n- Rivers"),
            ("h3", "Sales"),
            ("table", documents.TABLE_TEXT),
            ("text", "After the table."),
        ]

    def test_page_breaks(self) -> None:
        info, pages = parse(media.DOCX, documents.word(page_break=True))
        assert info.total_pages is None
        assert [page.blocks[0].text for page in pages] == ["Annual Report", "Sales"]

    def test_the_pages_that_word_drew(self) -> None:
        content = documents.with_text(
            documents.word(), "word/document.xml", "<w:t>Sales</w:t>", "<w:lastRenderedPageBreak/><w:t>Sales</w:t>"
        )
        info, pages = parse(media.DOCX, content)
        assert info.total_pages == 2
        assert [page.blocks[0].text for page in pages] == ["Annual Report", "Sales"]

    def test_cells_over_several_rows(self) -> None:
        assert shown(media.DOCX, documents.merged_word()) == [("table", "Area | Town\nNorth | A\nNorth | B")]

    def test_deleted_and_hidden_words_are_left_out(self) -> None:
        marks = (
            "<w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t></w:r><w:del><w:r><w:delText>old</w:delText></w:r></w:del>"
        )
        content = documents.with_text(documents.word(), "word/document.xml", "<w:r><w:t>Dams", marks + "<w:r><w:t>Dams")
        assert ("text", "- Dams\n- Rivers") in shown(media.DOCX, content)


class TestPptx:
    def test_the_whole_presentation(self) -> None:
        info, pages = parse(media.PPTX, documents.slides())
        assert info.total_pages == 3
        assert [[block.text for block in page.blocks] for page in pages] == [
            ["Water", "- Dams\n- Rivers", "Notes: Speak slowly."],
            ["Sales", documents.TABLE_TEXT],
            [],
        ]
        assert pages[0].blocks[0] == Block(BlockKind.heading, "Water", 1)


class TestXlsx:
    def test_the_whole_workbook(self) -> None:
        info, pages = parse(media.XLSX, documents.workbook())
        assert (info.author, info.total_pages) == (documents.AUTHOR, 4)
        assert pages[0].blocks == (
            Block(BlockKind.heading, "Sales", 1),
            Block(BlockKind.heading, "Sales of the year", 2),
            Block(
                BlockKind.table,
                "Region | Date | Amount | Share | Good\n"
                "North | 2020-03-01 | 0.3 | 25% | TRUE\n"
                "South | 2020-03-02 14:30:00 | 1000000 | 50.0% | FALSE",
            ),
        )
        assert pages[1].blocks[1].text == "Name | Age\nAda | 36"
        assert [page.blocks for page in pages[2:]] == [(), ()]

    def test_cells_are_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tabulating, "MAX_CELLS", 5)
        with pytest.raises(OversizedFile):
            parse(media.XLSX, documents.workbook())


class TestHtml:
    def test_the_whole_page(self) -> None:
        info, _ = parse(media.HTML, documents.HTML.encode())
        assert (info.title, info.author) == (documents.TITLE, documents.AUTHOR)
        assert shown(media.HTML, documents.HTML.encode()) == [
            ("h1", "Water"),
            ("text", "First paragraph goes on.\nNew line."),
            ("text", "Loose words in a box"),
            ("text", "Inner."),
            ("text", "tail"),
            ("h2", "Lists"),
            ("text", "- Dams\n  1. high\n  2. low\n- Rivers"),
            ("text", "  code\n    kept"),
            ("text", "Sales"),
            ("table", "Region | 2019 | 2020\nNorth | 1 | 2\nNorth | 3 | 4"),
            ("text", "caf\u00e9 & tea"),
        ]

    def test_the_title_stands_in_for_a_heading(self) -> None:
        assert shown(media.HTML, b"<title>Water</title><p>Rain.") == [("h1", "Water"), ("text", "Rain.")]

    def test_a_declared_encoding(self) -> None:
        page = '<meta http-equiv="content-type" content="text/html; charset=windows-1251"><p>\u0432\u043e\u0434\u0430'
        assert shown(media.HTML, page.encode("cp1251")) == [("text", "\u0432\u043e\u0434\u0430")]

    def test_a_layout_table_is_read_as_text(self) -> None:
        page = b"<table><tr><td>Menu</td><td><table><tr><td>a</td><td>b</td></tr></table><p>Body</p></td></tr></table>"
        assert shown(media.HTML, page) == [("text", "Menu"), ("table", "a | b"), ("text", "Body")]

    def test_what_frames_the_page_is_left_out(self) -> None:
        page = b"""<body class="has-sidebar"><div id="onetrust-consent-sdk"><p>We value your privacy.</p></div>
        <div class="cookie-banner"><p>We use cookies.</p><button>Accept</button></div><header><h1>Water Times</h1>
        <nav><a href="/">Home</a></nav></header><div role="navigation">Menu</div>
        <div class="breadcrumbs"><a href="/">Home</a> / <a href="/n">News</a></div><div class="skip-link">Skip</div>
        <article><h1>Rain</h1><p>It rained on the valley for forty days, and the dams held.</p>
        <p class="recipe-cookies">Cookies were baked.</p><aside>Read more</aside></article>
        <div class="share-buttons">Share this</div><div class="newsletter-signup">Subscribe</div>
        <footer>Imprint</footer><dialog open>Log in</dialog><p hidden>x</p></body>"""
        assert shown(media.HTML, page.replace(b"<article>", b"<div>").replace(b"</article>", b"</div>")) == [
            ("h1", "Water Times"),
            ("h1", "Rain"),
            ("text", "It rained on the valley for forty days, and the dams held."),
            ("text", "Cookies were baked."),
        ]
        assert shown(media.HTML, page)[0] == ("h1", "Rain")

    def test_a_page_that_is_all_frame_is_read_whole(self) -> None:
        assert shown(media.HTML, b'<div class="cookie-consent"><p>How cookies are used.</p></div>') == [
            ("text", "How cookies are used.")
        ]

    def test_entities_and_files_are_not_fetched(self) -> None:
        page = b'<!DOCTYPE html [<!ENTITY f SYSTEM "file:///etc/passwd">]><p>x &f; y'
        assert "root:" not in blocks(media.HTML, page)[0].text

    def test_depth_beyond_measure_is_refused(self) -> None:
        with pytest.raises(CorruptFile):
            parse(media.HTML, b"<div>" * 5000 + b"words")


class TestMarkdown:
    def test_the_whole_document(self) -> None:
        info, _ = parse(media.MARKDOWN, documents.MARKDOWN.encode())
        assert (info.title, info.author) == (documents.TITLE, documents.AUTHOR)
        assert shown(media.MARKDOWN, documents.MARKDOWN.encode()) == [
            ("h1", "Water"),
            ("text", "First paragraph with a link (https://example.org) goes on."),
            ("h2", "Lists"),
            ("text", "- Dams\n  1. high\n  2. low\n- Rivers"),
            ("text", '# no heading\nprint("code")'),
            ("table", "Region | 2019\nNorth | 1"),
        ]


class TestCsv:
    @pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
    def test_delimiters_are_told(self, delimiter: str) -> None:
        lines = [["id", "a, b; c", "note"], ["1", 'say "hi"', "two\nlines"], ["", "", ""], ["2", "x", ""]]
        quoted = "\r\n".join(delimiter.join('"' + cell.replace('"', '""') + '"' for cell in line) for line in lines)
        assert shown(media.CSV, quoted.encode()) == [
            ("table", 'id | a, b; c | note\n1 | say "hi" | two lines\n2 | x |')
        ]

    def test_one_column_is_text(self) -> None:
        assert shown(media.CSV, b"one\ntwo\n") == [("text", "one"), ("text", "two")]

    def test_a_field_without_end_is_refused(self) -> None:
        with pytest.raises(CorruptFile):
            parse(media.CSV, b'a,b\n1,"' + b"x" * 2_000_000)


class TestText:
    def test_paragraphs(self) -> None:
        assert shown(media.TEXT, b"One\r\nline.\r\n \r\n\r\n  Two.\x0cThree.") == [
            ("text", "One\nline."),
            ("text", "Two.\nThree."),
        ]


HOSTILE = {
    "brackets": b"[" * 50_000,
    "stars": b"*a " * 50_000,
    "quotes": b"> " * 20_000 + b"x",
    "backticks": b"".join(b"`" * n + b" " for n in range(400)),
    "tags": b"<b>" * 1_500 + b"x",
    "open tags": b"<" * 100_000,
    "comments": b"<!--" * 50_000,
    "pipes": b"|" * 100_000 + b"\n|-|\n",
    "quoted": b'"' * 100_001,
    "one line": b"word " * 400_000,
    "lines": b"x\n" * 50_000,
    "blank lines": b"\n \n" * 200_000 + b"x",
    "ampersands": b"&" * 200_000,
    "nested lists": b"".join(b"  " * n + b"- x\n" for n in range(300)),
    "links": b"[a](b" * 20_000,
    "objects": b'{"a":' * 50_000,
    "long names": (b'{"' + b"n" * 1_000 + b'":') * 60 + b"[" + b"{}," * 100_000 + b"{}]" + b"}" * 60,
    "headers": b"From: a\n" * 50_000 + b"\nx",
    "encoded words": b"Subject: " + b"=?utf-8?q?" * 50_000 + b"\n\nx",
    "boundaries": b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\n" * 50_000,
    "definitions": b"a " * 900 + b"\n" + b"int a(" * 300 + b"\n" + b"def f(" * 20_000,
    "comments of code": b"# x\n" * 50_000 + b"def f():\n" * 1_000,
}


@pytest.mark.parametrize("media_type", [*LOOSE, *STRICT])
@pytest.mark.parametrize("name", HOSTILE)
def test_no_input_takes_long(media_type: str, name: str) -> None:
    started = time.process_time()
    with suppress(FileRejected):
        parse(media_type, HOSTILE[name])
    assert time.process_time() - started < 15


def test_an_unknown_type_has_no_parser() -> None:
    with pytest.raises(UnsupportedFile):
        parser_for("image/png")
