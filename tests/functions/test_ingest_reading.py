"""How well a file could be read, as its uploader is told."""

import pytest

from tests import documents
from tests.functions.conftest import deliver_queued, ingest
from tests.raw_pdf import RawPdf, shown

SENTENCE = "The pump of the valley station runs at 40 bar and stops at 60 bar."
NO_MEANINGS = b"begincmap endcmap"
IN_PARTS = pytest.mark.parametrize("settings", [{"ingest_part_pages": 2}], indirect=True)


def glyphs(text: str) -> str:
    return "".join(chr(ord(sign) - 29) for sign in text)


def garbled_pdf(*pages: bool) -> bytes:
    """Pages of text, of which those marked are in a font that does not say which characters it shows."""
    content = [
        shown(glyphs(SENTENCE) if page else SENTENCE, 72, 700, font="U" if page else "L", size=8) for page in pages
    ]
    return RawPdf(content, meanings=NO_MEANINGS).content()


def upload(api, collection, content, name):
    receipt = api.upload(collection, content, name)
    assert ingest(api, collection, receipt) == []
    return api("GET", f"/collections/{collection}/files/{receipt['file_id']}").json


def test_a_file_that_was_read_well_has_no_warnings(api, collection):
    file = upload(api, collection, documents.pdf(), "report.pdf")
    assert (file["stage"], file["document"].get("warnings")) == ("ready", None)
    reading = file["document"]["reading"]
    assert reading["words"] > 50
    assert (reading["odd_characters"], reading["unmapped_glyphs"], reading["pages_without_text"]) == (0, 0, 0)


def test_a_page_that_cannot_be_read_is_named_and_counted(api, collection, services):
    file = upload(api, collection, garbled_pdf(False, True, False), "letter.pdf")
    assert file["stage"] == "ready"
    (warning,) = file["document"]["warnings"]
    assert (warning["code"], warning["pages"]) == ("unknown-glyphs", [2])
    assert "page 2" in warning["detail"]
    assert "upload that" in warning["detail"]
    told = api("GET", f"/collections/{collection}/events").text
    assert '"warnings":[{"code":"unknown-glyphs","pages":[2]' in told
    assert services.metrics.counts["rag_reading_warnings_total", (("code", "unknown-glyphs"),)] == 1


def test_a_text_that_fell_apart_fails(api, collection):
    file = upload(api, collection, " ".join(SENTENCE * 3).encode(), "apart.txt")
    assert (file["stage"], file["problem"]["code"]) == ("failed", "garbled-file")


def test_a_text_with_some_bad_characters_warns(api, collection):
    file = upload(api, collection, (SENTENCE + " Größe für Müller".encode().decode("cp1252")).encode(), "bad.txt")
    assert file["stage"] == "ready"
    assert [warning["code"] for warning in file["document"]["warnings"]] == ["odd-characters"]


@IN_PARTS
def test_parts_of_a_document_are_judged_together(api, collection, services):
    file = upload(api, collection, garbled_pdf(True, True, False, False, True), "long.pdf")
    deliver_queued(services)
    file = api("GET", f"/collections/{collection}/files/{file['id']}").json
    assert file["stage"] == "ready"
    assert [(each["code"], each["pages"]) for each in file["document"]["warnings"]] == [("unknown-glyphs", [1, 2, 5])]


@IN_PARTS
def test_parts_that_are_all_garbled_fail(api, collection, services):
    file = upload(api, collection, garbled_pdf(True, True, True), "long.pdf")
    deliver_queued(services)
    file = api("GET", f"/collections/{collection}/files/{file['id']}").json
    assert (file["stage"], file["problem"]["code"]) == ("failed", "garbled-file")
