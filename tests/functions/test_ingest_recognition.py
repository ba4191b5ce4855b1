"""Scanned files, whose text is recognised while they are ingested."""

import pytest

from modulo.adapters.parsing.ocr.tesseract import RecognitionError, Tesseract
from modulo.cli.worker import work
from modulo.domain.documents.document import Block, BlockKind, Page
from modulo.domain.errors import Unavailable
from modulo.domain.files.file import DocumentInfo
from modulo.usecases.ingest_file import indexing
from tests import documents
from tests.functions.conftest import deliver_queued, ingest

ON = pytest.mark.parametrize("settings", [{"ocr_languages": "eng"}], indirect=True)
IN_PARTS = pytest.mark.parametrize("settings", [{"ocr_languages": "eng", "ingest_part_pages": 2}], indirect=True)
WITHOUT = "scans.pdf"


def found(api, collection, receipt):
    return api("GET", f"/collections/{collection}/files/{receipt['file_id']}").json


def book(*scanned: int) -> bytes:
    """Four chapters, of which the pages of these numbers are scanned; the third tells of an otter."""

    def draw(canvas):
        for number in range(1, 5):
            canvas.setFont("Helvetica", 14)
            canvas.drawString(72, 700, f"Chapter {number} is about the town and its bridge.")
            if number == 3:
                canvas.drawString(72, 660, "An otter lives below the old bridge.")
            canvas.showPage()

    return documents.scan(documents.drawn_pdf(draw), pages=scanned)


@pytest.fixture
def nothing_legible(monkeypatch):
    monkeypatch.setattr(Tesseract, "read", lambda *_: "")


@ON
def test_a_search_finds_the_text_of_a_scanned_page_and_cites_it(api, collection, services, tesseract_program):
    receipt = api.upload(collection, book(2, 3), "town.pdf")
    assert ingest(api, collection, receipt) == []
    file = found(api, collection, receipt)
    assert (file["stage"], file["pages_done"], file["pages_total"]) == ("ready", 4, 4)
    assert (file["document"]["recognised_pages"], file["document"].get("scanned_pages")) == ([2, 3], None)
    assert file["document"]["language"] == "en"
    asked = {"question": "Where does the otter live?", "collection_id": collection}
    answer = api("POST", "/search", json=asked).json
    assert "otter lives below the old bridge" in answer["answer"]
    assert answer["citations"][0]["page_number"] == 3


@IN_PARTS
def test_parts_know_which_pages_were_recognised(api, collection, services, tesseract_program):
    receipt = api.upload(collection, book(1, 4), "town.pdf")
    assert ingest(api, collection, receipt) == []
    assert found(api, collection, receipt)["stage"] == "embedding"
    deliver_queued(services)
    file = found(api, collection, receipt)
    assert (file["stage"], file["document"]["recognised_pages"]) == ("ready", [1, 4])


@ON
def test_those_who_watch_are_told(api, collection, services, tesseract_program):
    receipt = api.upload(collection, documents.partly_scanned_pdf(), "half.pdf")
    assert ingest(api, collection, receipt) == []
    told = api("GET", f"/collections/{collection}/events").text
    assert '"scanned_pages":[1,3],' in told


@ON
def test_nothing_legible(api, collection, services, tesseract_program, nothing_legible):
    receipt = api.upload(collection, documents.scanned_pdf(), WITHOUT)
    assert ingest(api, collection, receipt) == []
    problem = found(api, collection, receipt)["problem"]
    assert (problem["code"], problem["retryable"]) == ("scanned-file", False)
    assert "no text was recognised" in problem["detail"]


@IN_PARTS
def test_nothing_legible_in_any_part(api, collection, services, tesseract_program, nothing_legible):
    receipt = api.upload(collection, documents.scanned_pdf(4), WITHOUT)
    assert ingest(api, collection, receipt) == []
    deliver_queued(services)
    problem = found(api, collection, receipt)["problem"]
    assert problem["code"] == "scanned-file"
    assert "no text was recognised" in problem["detail"]


@ON
def test_a_page_that_fails_leaves_the_others(api, collection, services, tesseract_program, monkeypatch):
    real, failures = Tesseract.read, [RecognitionError("time")]

    def read(*given):
        if failures:
            raise failures.pop()
        return real(*given)

    monkeypatch.setattr(Tesseract, "read", read)
    receipt = api.upload(collection, book(2, 3), "town.pdf")
    assert ingest(api, collection, receipt) == []
    file = found(api, collection, receipt)
    assert (file["stage"], file["document"]["scanned_pages"]) == ("ready", [2])
    assert file["document"]["recognised_pages"] == [3]


@ON
def test_without_the_program_scanned_files_wait_and_others_do_not(api, collection, services, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    receipt = api.upload(collection, documents.scanned_pdf(), WITHOUT)
    for attempt in range(1, 4):
        assert len(ingest(api, collection, receipt, attempt=attempt)) == 1
        assert found(api, collection, receipt)["stage"] == "queued"
    assert len(ingest(api, collection, receipt, attempt=4)) == 1
    problem = found(api, collection, receipt)["problem"]
    assert (problem["code"], problem["retryable"]) == ("unavailable", True)
    assert "tesseract is not installed" in problem["detail"]
    other = api.upload(collection, documents.pdf(), "report.pdf")
    assert ingest(api, collection, other) == []
    assert found(api, collection, other)["stage"] == "ready"


@ON
def test_health_names_it_and_workers_do_not_start_without_it(api, services, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    reply = api("GET", "/health")
    assert reply.status == 503
    assert [part["name"] for part in reply.json["dependencies"] if part["status"] == "down"] == ["tesseract"]
    with pytest.raises(Unavailable, match="OCR_LANGUAGES"):
        work(["purge", "ingest_file"], 1, 1)


@ON
def test_health_names_it_as_ok_where_it_is_installed(api, services, tesseract_program):
    reply = api("GET", "/health")
    assert {part["name"]: part["status"] for part in reply.json["dependencies"]}["tesseract"] == "ok"


def test_off_costs_nothing(api, collection, services, monkeypatch):
    monkeypatch.setattr(Tesseract, "_run", lambda *_: pytest.fail("asked"))
    receipt = api.upload(collection, book(2), "town.pdf")
    assert ingest(api, collection, receipt) == []
    assert found(api, collection, receipt)["document"]["scanned_pages"] == [2]
    scanned = api.upload(collection, documents.scanned_pdf(), WITHOUT)
    assert ingest(api, collection, scanned) == []
    assert found(api, collection, scanned)["problem"]["detail"].endswith(
        "run text recognition on it and upload it again."
    )


class Slow:
    """A document whose pages take long, by the use case's own clock; `look` is called before each further one."""

    extent = None

    def __init__(self, look):
        self.info = DocumentInfo(total_pages=5)
        self.look = look

    def parse(self, content):
        return self

    def pages(self, part=None):
        for number in range(1, 6):
            yield Page(number, (Block(BlockKind.text, f"Page {number} tells of rain."),))
            self.look()


def test_slow_pages_are_told_of_and_keep_the_lease(api, collection, services, monkeypatch):
    monkeypatch.setattr(indexing, "PROGRESS_SECONDS", 0.0)
    seen = []
    receipt = api.upload(collection, "text", "slow.txt")
    slow = Slow(lambda: seen.append(found(api, collection, receipt)["pages_done"]))
    services.parser_for = lambda media_type: slow
    assert ingest(api, collection, receipt) == []
    assert seen == [1, 2, 3, 4, 5]
    assert found(api, collection, receipt)["stage"] == "ready"
