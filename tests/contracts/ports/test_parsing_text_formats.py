"""E-mail, JSON and source code: what is read of them, and what is refused."""

import io
from collections.abc import Iterator

import pytest

from modulo.adapters.parsing import eml_parser, json_parser, json_values
from modulo.adapters.parsing.parser_registry import parser_for
from modulo.domain.documents.document import BlockKind, Page
from modulo.domain.errors import CorruptFile, EmptyFile, OversizedFile
from modulo.domain.files import media
from modulo.domain.files.file import DocumentInfo
from tests import documents


def parse(media_type: str, content: bytes) -> tuple[DocumentInfo, list[Page]]:
    parsed = parser_for(media_type).parse(io.BytesIO(content))
    pages = list(parsed.pages())
    return parsed.info, pages


def shown(media_type: str, content: bytes) -> list[tuple[str, str]]:
    kinds = {BlockKind.text: "text", BlockKind.table: "table"}
    return [(kinds.get(b.kind, f"h{b.level}"), b.text) for page in parse(media_type, content)[1] for b in page.blocks]


class TestLetters:
    def test_the_whole_letter(self) -> None:
        info, _ = parse(media.EML, documents.E_MAIL.encode())
        assert (info.title, info.author) == (documents.TITLE, f"{documents.AUTHOR} <ada@example.org>")
        assert (info.creation_date, info.language) == ("2020-03-03T10:00:00+01:00", "en")
        assert shown(media.EML, documents.E_MAIL.encode()) == [
            ("h1", documents.TITLE),
            (
                "text",
                f"From: {documents.AUTHOR} <ada@example.org>\nTo: council@example.org\n"
                "Date: Tue, 3 Mar 2020 10:00:00 +0100",
            ),
            ("text", documents.PARAGRAPH),
            ("text", "Caf\u00e9 is softly lit."),
            ("h2", "Forwarded"),
            ("text", "From: charles@example.org"),
            ("text", "Look at this."),
            ("text", "Attachments: caf\u00e9.pdf"),
        ]

    def test_a_page_as_body(self) -> None:
        letter = b"Subject: S\nContent-Type: text/html\n\n<h1>Water</h1><script>x</script><p>Rain."
        assert shown(media.EML, letter) == [("h1", "S"), ("h2", "Water"), ("text", "Rain.")]

    @pytest.mark.parametrize(
        ("subject", "read"),
        [
            (b"=?utf-8?b?Z3L832U=?=", "gr\u00fc\u00dfe"),
            (b"=?no-such-charset?q?caf=C3=A9?=", "caf\u00e9"),
            (b"=?utf-8?b?QQ", "=?utf-8?b?QQ"),
            (b"one\n two", "one two"),
        ],
    )
    def test_wrong_encodings_spoil_nothing_else(self, subject: bytes, read: str) -> None:
        assert shown(media.EML, b"Subject: " + subject + b"\n\nbody") == [("h1", read), ("text", "body")]

    @pytest.mark.parametrize(
        "body",
        [
            b"Content-Transfer-Encoding: base64\n\n!!!!",
            b"Content-Type: text/plain; charset=none\n\nwords",
            b"Content-Type: multipart/mixed\n\nwords",
            b'Content-Type: multipart/mixed; boundary="b"\n\n--b\nContent-Type: text/plain; name*0*=x\n\nwords',
        ],
    )
    def test_malformed_parts_leave_the_subject(self, body: bytes) -> None:
        assert shown(media.EML, b"Subject: S\n" + body)[0] == ("h1", "S")

    def test_an_impossible_date_is_kept_as_it_stands(self) -> None:
        assert parse(media.EML, b"Subject: S\nDate: 99 Never\n\nx")[0].creation_date == "99 Never"

    def test_letters_in_letters_end_somewhere(self) -> None:
        letter = b"Subject: last\n\nx"
        for _ in range(20):
            letter = b"Subject: S\nContent-Type: message/rfc822\n\n" + letter
        assert len(shown(media.EML, letter)) == 5

    def test_what_is_no_letter_is_refused(self) -> None:
        with pytest.raises(CorruptFile, match="like an e-mail"):
            parse(media.EML, b"words without any header")
        with pytest.raises(EmptyFile):
            parse(media.EML, b" \n\n")

    def test_parts_and_depth_are_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(OversizedFile):
            parse(media.EML, b"Subject: S\n" + b"Content-Type: multipart/mixed; boundary=b\n\n--b\n" * 200)
        deep = b"Content-Type: message/rfc822\n\n" * 5_000
        with pytest.raises(CorruptFile):
            parse(media.EML, b"Subject: S\n" + deep)
        monkeypatch.setattr(eml_parser, "MAX_PARTS", 3)
        with pytest.raises(OversizedFile):
            parse(media.EML, documents.E_MAIL.encode())


class TestJson:
    def test_the_whole_document(self) -> None:
        assert parse(media.JSON, documents.JSON.encode())[0].title == documents.TITLE
        assert shown(media.JSON, documents.JSON.encode()) == [
            ("text", "title: Annual Report\nyear: 2020\ntags: water, dams\nopen: true"),
            ("h1", "sales"),
            ("table", "region | amount\nNorth | 12345678901234567890123\nSouth | 1e999"),
            ("h1", "site"),
            ("h2", "address"),
            ("text", "town: Ely"),
            ("h1", "notes"),
            ("text", "by.name: Ada\ntext: one"),
            ("text", "seen.1: 1\nseen.2.a: 2"),
        ]

    def test_long_texts_make_no_table(self) -> None:
        words = "word " * 100
        rows = f'[{{"a": "1", "b": "{words}"}}, {{"a": "2", "b": "x"}}]'
        assert shown(media.JSON, rows.encode()) == [("text", f"a: 1\nb: {words.strip()}"), ("text", "a: 2\nb: x")]

    def test_scattered_members_make_no_table(self) -> None:
        rows = ",".join(f'{{"k{n}": "v{n}"}}' for n in range(60))
        assert shown(media.JSON, f"[{rows}]".encode())[59] == ("text", "k59: v59")

    def test_one_value(self) -> None:
        assert shown(media.JSON, b'"words"') == [("text", "words")]
        assert shown(media.JSON, b"false") == [("text", "false")]

    @pytest.mark.parametrize("content", [b"null", b"{}", b"[]", b'{"a": {"b": []}}', b" \n"])
    def test_nothing_to_read_is_an_empty_file(self, content: bytes) -> None:
        with pytest.raises(EmptyFile):
            parse(media.JSON, content)

    @pytest.mark.parametrize("content", [b'{"a": 1', b"<html>", b"{'a': 1}", b'{"a": 1}}', b'{"a": 1}\nwords'])
    def test_what_is_no_json_is_refused_with_the_place(self, content: bytes) -> None:
        with pytest.raises(CorruptFile, match=r"line [12]"):
            parse(media.JSON, content)

    @pytest.mark.parametrize("depth", [100, 500_000])
    def test_depth_is_bounded(self, depth: int) -> None:
        for opened, closed in (("[", "]"), ('{"a":', "}")):
            with pytest.raises(CorruptFile, match="nested"):
                parse(media.JSON, f"{opened * depth}1{closed * depth}".encode())

    def test_huge_numbers_stay_as_they_are_written(self) -> None:
        digits = "9" * 50_000
        assert shown(media.JSON, f'{{"n": {digits}, "m": NaN}}'.encode()) == [("text", f"n: {digits}\nm: NaN")]

    def test_half_characters_are_dropped(self) -> None:
        assert shown(media.JSON, b'{"a": "x\\ud800y\\u0000"}') == [("text", "a: xy")]

    def test_what_is_written_is_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(json_values, "MAX_WRITTEN", 100)
        for content in (documents.JSON, '[{"a": "1", "b": "2"},' * 1 + ('{"a": "123", "b": "456"},' * 30)[:-1] + "]"):
            with pytest.raises(OversizedFile):
                parse(media.JSON, content.encode())

    def test_long_paths_keep_their_end(self) -> None:
        value = '{"%s": ' * 6 % tuple("abcdef"[n] * 100 for n in range(6)) + "[[[1]], {}]" + "}" * 6
        (*_, (kind, text)) = shown(media.JSON, value.encode())
        assert kind == "text"
        assert len(text) < 300

    def test_lines_called_json_are_read_as_lines(self) -> None:
        assert shown(media.JSON, documents.JSON_LINES.encode()) == shown(
            media.JSON_LINES, documents.JSON_LINES.encode()
        )


class TestJsonWithComments:
    @pytest.mark.parametrize(
        "text",
        [
            '// made by hand\n{"a": 1, /* the\nsecond */ "b": "x // y"}',
            '{"a": 1, "b": "x // y",}',
            '{"a": 1, "b": "x // y", // last\n}',
            '{"a": 1, "b": "x // y"} /* open',
        ],
    )
    def test_comments_and_last_commas_are_passed_over(self, text: str) -> None:
        assert shown(media.JSON, text.encode()) == [("text", "a: 1\nb: x // y")]

    def test_strings_stay(self) -> None:
        text = '{"a": "say \\"hi\\" /* no */ ,}", "b": [1, 2,],}'
        assert shown(media.JSON, text.encode()) == [("text", 'a: say "hi" /* no */ ,}\nb: 1, 2')]


class TestSubtitles:
    def test_srt(self) -> None:
        cues = (
            "1\n00:00:01,000 --> 00:00:02,500\n<i>The pump</i>\nruns.",
            "2\n00:00:03,000 --> 00:00:04,000\n{\\an8}It stops.",
        )
        text = "\n\n".join(cues).replace("\n", "\r\n")
        assert shown(media.SUBTITLES, text.encode("utf-8-sig")) == [("text", "[00:00:01] The pump runs. It stops.")]

    def test_webvtt(self) -> None:
        text = """WEBVTT - A talk

NOTE made by hand

STYLE
::cue { color: red }

intro
00:01.000 --> 00:02.000 align:start
<v Ada>Good <b>morning</b>.</v>

00:02.000 --> 00:03.000
<v Ada>Good <b>morning</b>.</v>

01:00:05.000 --> 01:00:06.000
5 > 4
"""
        assert shown(media.SUBTITLES, text.encode()) == [("text", "[00:01] Ada: Good morning. 5 > 4")]

    def test_long_ones_have_paragraphs(self) -> None:
        cues = "".join(
            f"{n}\n00:{n:02}:00,000 --> 00:{n:02}:09,000\nThe pump runs for the {n}th time today.\n\n"
            for n in range(40)
        )
        found = shown(media.SUBTITLES, cues.encode())
        assert len(found) > 1
        assert found[1][1].startswith("[00:1")

    def test_without_cues_it_is_empty(self) -> None:
        with pytest.raises(EmptyFile):
            parse(media.SUBTITLES, b"WEBVTT\n\nNOTE nothing\n")


class TestNotebooks:
    def test_text_code_and_results(self) -> None:
        cells = """{"nbformat": 4, "cells": [
        {"cell_type": "markdown", "source": ["# Pump\\n", "Runs *fast*."]},
        {"cell_type": "code", "source": "print(7)\\nx", "outputs": [
            {"output_type": "stream", "text": ["7\\n"]},
            {"output_type": "execute_result", "data": {"text/plain": ["[1, 2]"], "image/png": "AAAA"}},
            {"output_type": "error", "ename": "NameError", "evalue": "x", "traceback": ["\\u001b[31mlong"]}]},
        {"cell_type": "raw", "source": null}, 7]}"""
        assert shown(media.NOTEBOOK, cells.encode()) == [
            ("h1", "Pump"),
            ("text", "Runs fast."),
            ("text", "print(7)\nx"),
            ("text", "7"),
            ("text", "[1, 2]"),
            ("text", "NameError: x"),
        ]

    def test_older_ones(self) -> None:
        code = '{"input": "1 + 1", "outputs": [{"text": "2"}]}'
        cells = f'{{"worksheets": [{{"cells": [{{"cell_type": "heading", "source": "Pump"}}, {code}]}}]}}'
        assert shown(media.NOTEBOOK, cells.encode()) == [("h1", "Pump"), ("text", "1 + 1"), ("text", "2")]

    @pytest.mark.parametrize(
        ("content", "error"), [(b"[]", CorruptFile), (b"{}", EmptyFile), (b" ", EmptyFile), (b"{", CorruptFile)]
    )
    def test_what_is_no_notebook(self, content: bytes, error: type[Exception]) -> None:
        with pytest.raises(error):
            parse(media.NOTEBOOK, content)


class TestJsonLines:
    def test_records_and_pages(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert shown(media.JSON_LINES, b"\xef\xbb\xbf" + documents.JSON_LINES.encode()) == [
            ("text", "region: North\nsite.town: Ely"),
            ("text", "region: South"),
        ]
        monkeypatch.setattr(json_parser, "LINES_PER_PAGE", 2)
        assert [page.number for page in parse(media.JSON_LINES, documents.JSON_LINES.encode())[1]] == [1, 2]

    def test_it_is_read_as_it_comes(self) -> None:
        class Endless(io.RawIOBase):
            """Gives records for ever."""

            def seek(self, offset: int, whence: int = 0) -> int:
                return offset

            def read(self, size: int = -1) -> bytes:
                return b'{"a": 1}\n' * (size // 9)

        pages: Iterator[Page] = parser_for(media.JSON_LINES).parse(Endless()).pages()  # type: ignore[arg-type]  # a readable stream
        assert len(next(pages).blocks) == json_parser.LINES_PER_PAGE

    def test_a_bad_line_is_named_and_the_rest_is_read(self) -> None:
        assert shown(media.JSON_LINES, b'{"a": 1}\n{"a": \n{"a": 2}\n') == [
            ("text", "a: 1"),
            ("text", 'Line 2 is no valid JSON: {"a":'),
            ("text", "a: 2"),
        ]
        with pytest.raises(CorruptFile, match="Line 2"):
            parse(media.JSON_LINES, b'{"a": 1}\n{"a": \n{"b": \n')

    def test_a_damaged_byte_costs_one_character(self) -> None:
        content = '{"a": "Gr\u00f6\u00dfe"}\n{"a": "x\u00b0"}\n'.encode() + b'{"a": "y\xff"}'
        assert [text for _, text in shown(media.JSON_LINES, content)] == [
            "a: Gr\u00f6\u00dfe",
            "a: x\u00b0",
            "a: y\ufffd",
        ]

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "cp1252"])
    def test_other_encodings(self, encoding: str) -> None:
        content = '{"a": "Gr\u00f6\u00dfe und L\u00e4nge"}\n{"b": "f\u00fcr"}\n'.encode(encoding)
        assert [text for _, text in shown(media.JSON_LINES, content)] == [
            "a: Gr\u00f6\u00dfe und L\u00e4nge",
            "b: f\u00fcr",
        ]

    def test_a_line_is_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(json_parser, "MAX_LINE_BYTES", 1000)
        with pytest.raises(OversizedFile):
            parse(media.JSON_LINES, b'{"a": "' + b"x" * 2000)


class TestCode:
    def test_python(self) -> None:
        info, _ = parse(media.CODE, documents.CODE.encode())
        assert (info.language, info.headings) == (None, ("opened", "Door"))
        assert shown(media.CODE, documents.CODE.encode()) == [
            ("text", '"""A module."""'),
            ("text", "import re"),
            ("h1", "opened"),
            (
                "text",
                "# Opens it.\n@cached\ndef opened(name: str) -> None:\n    if name:\n                return",
            ),
            ("h1", "Door"),
            ("text", "class Door:\n    def close(self) -> None: ..."),
        ]

    @pytest.mark.parametrize(
        ("line", "name"),
        [
            ("async def run(x):", "run"),
            ("export default class Door extends Wood {", "Door"),
            ("export const open = async (a: string) => {", "open"),
            ("export interface Key<T> {", "Key"),
            ("public final class Door implements Wood {", "Door"),
            ("func (d *Door) Open(x int) error {", "Open"),
            ("type Door struct {", "Door"),
            ("pub(crate) fn open<T>(x: T) -> u8 {", "open"),
            ("impl<T> Wood for Door {", "Wood"),
            ("static int open(int a, char **b)", "open"),
            ("std::vector<int> Door::open(int a) {", "Door::open"),
            ("open_door() {", "open_door"),
            ("function open_door {", "open_door"),
            ("fun main(args: Array<String>) {", "main"),
        ],
    )
    def test_definitions(self, line: str, name: str) -> None:
        assert shown(media.CODE, f"{line}\n}}".encode())[0] == ("h1", name)

    @pytest.mark.parametrize("line", ["if (x) {", "else if (open(x)) {", "return f(x)", "x = f(y);", "    def f():"])
    def test_others(self, line: str) -> None:
        assert shown(media.CODE, f"{line}\n}}".encode()) == [("text", f"{line}\n}}")]

    def test_statements(self) -> None:
        assert shown(media.SQL, documents.SQL.encode()) == [
            ("h1", "public.users"),
            ("text", "-- Who may enter\nCREATE TABLE IF NOT EXISTS public.users (\n  id int\n);"),
            ("text", "SELECT 1;"),
        ]

    def test_settings(self) -> None:
        assert shown(media.YAML, b"name: x\njobs:\n  a: 1\n") == [
            ("text", "name: x"),
            ("h1", "jobs"),
            ("text", "jobs:\n  a: 1"),
        ]
        assert shown(media.TOML, b"a = 1\n[tool.x]\nb = 2\n") == [
            ("text", "a = 1"),
            ("h1", "tool.x"),
            ("text", "[tool.x]\nb = 2"),
        ]


class TestWhatIsSaidOfADocument:
    def test_pages_that_are_pictures_are_named(self) -> None:
        info, pages = parse(media.PDF, documents.partly_scanned_pdf())
        assert info.scanned_pages == (1, 3)
        assert [page.scanned for page in pages] == [True, False, True]
        assert parse(media.PDF, documents.pdf())[0].scanned_pages is None

    def test_language_and_headings(self) -> None:
        info, _ = parse(media.PDF, documents.pdf(pages=2))
        assert (info.language, info.headings) == (
            "en",
            ("Chapter 1", "Sales by region", "Chapter 2", "Sales by region"),
        )

    def test_the_text_tells_the_language_before_the_page_does(self) -> None:
        page = f'<html lang="de-DE"><p>{documents.PARAGRAPH}'
        assert parse(media.HTML, page.encode())[0].language == "en"
        assert parse(media.HTML, b'<html lang="de-DE"><p>42 km')[0].language == "de"
        assert parse(media.HTML, b'<html lang="x-none"><p>42 km')[0].language is None

    def test_the_tags_of_social_networks(self) -> None:
        page = (
            b'<meta property="og:title" content="T"><meta property="article:author" content="A">'
            b'<meta property="og:description" content="D"><meta property="og:locale" content="fr_FR">'
            b'<meta property="article:published_time" content="2020-01-01"><p>x'
        )
        info, _ = parse(media.HTML, page)
        assert (info.title, info.author, info.subject, info.language) == ("T", "A", "D", "fr")
        assert info.creation_date == "2020-01-01"

    def test_long_sayings_are_cut(self) -> None:
        info, _ = parse(media.HTML, b"<title>" + b"t" * 100_000 + b"</title><p>x")
        assert info.title == "t" * 1_000
