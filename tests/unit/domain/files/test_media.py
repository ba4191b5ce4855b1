"""Which document a file is, and which names are harmless."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modulo.domain.errors import InvalidRequest, UnsupportedFile
from modulo.domain.files import media
from modulo.domain.files.media import HEAD_BYTES, media_type_of, safe_name
from tests import documents

OLE = documents.encrypted_office()[:HEAD_BYTES]


class TestByName:
    @pytest.mark.parametrize(("extension", "media_type"), media.EXTENSIONS.items())
    def test_every_extension(self, extension: str, media_type: str) -> None:
        assert media_type_of(f"Report.{extension}", None) == media_type
        assert media_type_of(f"a.b.{extension.upper()}", None) == media_type
        assert media_type_of(f"a.{extension}", b"") == media_type

    @pytest.mark.parametrize("name", ["a.png", "a.exe", "a.rar", "a", ".pdf", "a.", "pdf", "a.pdf.bak"])
    def test_others_are_refused(self, name: str) -> None:
        with pytest.raises(UnsupportedFile):
            media_type_of(name, None)

    @pytest.mark.parametrize(
        ("extension", "better"), [("doc", "DOCX"), ("xls", "XLSX"), ("ppt", "PPTX"), ("odt", "DOCX")]
    )
    def test_old_formats_name_the_new_one(self, extension: str, better: str) -> None:
        with pytest.raises(UnsupportedFile, match=f"save it as {better}"):
            media_type_of(f"a.{extension}", None)


class TestByContent:
    @pytest.mark.parametrize("name", ["a.pdf", "a.txt", "a.docx", "a.bin", "a"])
    def test_a_pdf_is_one_whatever_its_name(self, name: str) -> None:
        assert media_type_of(name, documents.pdf()[:HEAD_BYTES]) == media.PDF
        assert media_type_of(name, b"\n" + documents.pdf()[:HEAD_BYTES]) == media.PDF

    def test_text_about_pdf_is_text(self) -> None:
        assert media_type_of("a.md", b"A file that begins with %PDF-1.7 is a PDF.") == media.MARKDOWN

    @pytest.mark.parametrize("name", ["a.docx", "a.xlsx", "a.txt", "a"])
    def test_an_office_document_is_what_its_parts_say(self, name: str) -> None:
        assert media_type_of(name, documents.word()[:HEAD_BYTES]) == media.DOCX
        assert media_type_of(name, documents.slides()[:HEAD_BYTES]) == media.PPTX
        assert media_type_of(name, documents.workbook()[:HEAD_BYTES]) == media.XLSX

    def test_an_archive_without_such_parts_goes_by_its_name(self) -> None:
        archive = documents.zipped([("a.txt", b"x")])
        assert media_type_of("a.docx", archive) == media.DOCX
        with pytest.raises(UnsupportedFile, match="zip archive"):
            media_type_of("a.txt", archive)

    def test_a_container_of_office_is_left_to_the_parser(self) -> None:
        assert media_type_of("a.xlsx", OLE) == media.XLSX
        with pytest.raises(UnsupportedFile, match="old Office document"):
            media_type_of("a.txt", OLE)

    @pytest.mark.parametrize("padding", [1, 100, 4_000])
    def test_zero_bytes_that_fill_the_last_block_are_no_content(self, padding: int) -> None:
        assert media_type_of("a.txt", b"The pump runs." + bytes(padding)) == media.TEXT
        with pytest.raises(UnsupportedFile):
            media_type_of("a.txt", bytes(padding))

    def test_one_damaged_byte_does_not_make_a_text_binary(self) -> None:
        assert media_type_of("a.txt", b"The pump runs.\n" * 10 + b"\0" + b"The pump runs.\n" * 10) == media.TEXT

    def test_an_unknown_archive_is_called_by_its_extension(self) -> None:
        with pytest.raises(UnsupportedFile, match=r"Files of type \.jar"):
            media_type_of("a.jar", documents.zipped([("a.txt", b"x")]))

    @pytest.mark.parametrize("name", ["a.pdf", "a.docx", "a.txt", "a.csv"])
    def test_a_picture_is_named_as_such(self, name: str) -> None:
        with pytest.raises(UnsupportedFile, match="PNG image"):
            media_type_of(name, documents.png())

    def test_text_is_no_pdf_or_office_document(self) -> None:
        for name in ("a.pdf", "a.docx"):
            with pytest.raises(UnsupportedFile, match="plain text"):
                media_type_of(name, b"<html><body>Not found")

    @pytest.mark.parametrize("extension", ["txt", "md", "csv", "html"])
    def test_among_texts_the_name_decides(self, extension: str) -> None:
        assert media_type_of(f"a.{extension}", b"<html>a,b") == media.EXTENSIONS[extension]

    def test_a_text_without_extension(self) -> None:
        assert media_type_of("README", b"words") == media.TEXT
        assert media_type_of("page", b" <!DOCTYPE HTML><p>") == media.HTML

    @pytest.mark.parametrize(
        ("head", "media_type"),
        [
            (b'{"a": 1}', media.JSON),
            (b'\xef\xbb\xbf[ {\n "a": 1}]', media.JSON),
            (b"[1] A note", media.TEXT),
            (b"{ curly }", media.TEXT),
            (b"Received: from x by y\r\n", media.EML),
            (b"MIME-Version: 1.0\r\n", media.EML),
            (b"#!/bin/sh\n", media.CODE),
        ],
    )
    def test_a_text_without_extension_is_known_by_how_it_begins(self, head: bytes, media_type: str) -> None:
        assert media_type_of("noname", head) == media_type

    @pytest.mark.parametrize("name", ["a.json", "a.eml", "a.py", "a.sql", "a.jsonl", "a.ts"])
    def test_a_text_format_must_hold_text(self, name: str) -> None:
        with pytest.raises(UnsupportedFile, match="binary"):
            media_type_of(name, bytes(range(256)) * 4)
        assert media_type_of(name, documents.pdf()[:HEAD_BYTES]) == media.PDF

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
    def test_text_in_any_encoding(self, encoding: str) -> None:
        assert media_type_of("a.txt", "Grüße aus dem Büro\n".encode(encoding)) == media.TEXT

    def test_binary_data_called_text_is_refused_and_called_pdf_is_left_to_the_parser(self) -> None:
        noise = bytes(range(256)) * 4
        with pytest.raises(UnsupportedFile, match="binary"):
            media_type_of("a.txt", noise)
        assert media_type_of("a.pdf", noise) == media.PDF

    def test_a_text_of_an_unknown_kind_is_refused(self) -> None:
        with pytest.raises(UnsupportedFile, match=r"Files of type \.unknown"):
            media_type_of("a.unknown", b"words")

    @given(st.text(max_size=20), st.binary(max_size=200) | st.none())
    def test_anything_is_told_or_refused(self, name: str, head: bytes | None) -> None:
        try:
            assert media_type_of(name, head) in media.READABLE
        except UnsupportedFile:
            return


class TestNames:
    @pytest.mark.parametrize("name", ["a.pdf", "Bericht 2020 (neu).docx", "報告.pdf", "a" * 255, ".env", "a..b"])
    def test_harmless_names_stay(self, name: str) -> None:
        assert safe_name(name) == name

    def test_names_are_composed(self) -> None:
        assert safe_name("u\u0308ber.txt") == "\u00fcber.txt"
        assert safe_name("e\u0301" * 255) == "\u00e9" * 255

    @pytest.mark.parametrize(
        "name",
        [
            "",
            " ",
            ".",
            "..",
            ". .",
            "a/b",
            "..\\b",
            "a\0b",
            "a\nb",
            "a\x7f",
            "a" * 256,
            "\u202efdp.exe",
            "\ud800",
            "\u2028",
        ],
    )
    def test_harmful_ones_are_refused_with_the_field(self, name: str) -> None:
        with pytest.raises(InvalidRequest) as caught:
            safe_name(name)
        assert caught.value.extra["errors"][0]["field"] == "name"

    @given(st.text())
    def test_what_is_let_through_has_no_path_and_no_control_characters(self, name: str) -> None:
        try:
            safe = safe_name(name)
        except InvalidRequest:
            return
        assert 0 < len(safe) <= 255
        assert not set(safe) & set("/\\\0\r\n\t")
        assert safe_name(safe) == safe
