"""Large files: divided, ingested part by part, published once."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from modulo.domain.documents.chunk import CHUNKS_PER_PART, EmbeddedChunk
from modulo.domain.documents.document import Extent, Page
from modulo.domain.errors import Unavailable
from modulo.domain.files.file import DocumentInfo
from modulo.domain.operations.messages import IngestRequest
from modulo.runtime.queue import record_of
from modulo.runtime.worker import function
from tests import documents
from tests.functions.conftest import ingest, principal_of, ref_of

TEXT = "".join(f"Station {number} reports rain at noon.\n\n" for number in range(200))

pytestmark = pytest.mark.parametrize("settings", [{"ingest_part_bytes": 2_048, "ingest_part_pages": 2}], indirect=True)


def found(api, collection, receipt):
    return api("GET", f"/collections/{collection}/files/{receipt['file_id']}").json


def queued(services):
    return services.ingests.receive(limit=10, wait_seconds=0)


def handle(*deliveries):
    event = {"Records": [record_of(delivery) for delivery in deliveries]}
    return function("ingest_file").handler(event, None)["batchItemFailures"]


def texts(services, api, collection, receipt):
    space = services.grants.grant(principal_of("ada"), UUID(collection)).space
    return services.vectors.texts(space, ref_of(api, collection, receipt))


class Wrapped:
    """A port of which something was replaced."""

    def __init__(self, real, **replaced):
        self._real = real
        self.__dict__.update(replaced)

    def __getattr__(self, name):
        return getattr(self._real, name)


def test_long_text_is_ready_once_all_its_parts_are(api, collection, services):
    receipt = api.upload(collection, TEXT)
    assert ingest(api, collection, receipt) == []
    deliveries = queued(services)
    assert len(deliveries) == 4
    assert found(api, collection, receipt)["pages_total"] == 4
    assert handle(*reversed(deliveries[1:])) == []
    assert (found(api, collection, receipt)["stage"], found(api, collection, receipt)["pages_done"]) == ("embedding", 3)
    assert handle(deliveries[0], *deliveries) == []
    file = found(api, collection, receipt)
    assert (file["stage"], file["pages_done"]) == ("ready", 4)
    stored = texts(services, api, collection, receipt)
    assert len(stored) == file["chunk_count"]
    lines = [line for text in stored for line in text.split("\n") if line]
    assert [line.split()[1] for line in dict.fromkeys(lines)] == [str(number) for number in range(200)]


def test_a_long_pdf_keeps_its_page_numbers(api, collection, services):
    receipt = api.upload(collection, documents.pdf(pages=5), "long.pdf")
    assert ingest(api, collection, receipt) == []
    assert handle(*queued(services)) == []
    file = found(api, collection, receipt)
    assert (file["stage"], file["pages_done"], file["pages_total"]) == ("ready", 5, 5)


def test_lost_messages_are_sent_again(api, collection, services, clock):
    receipt = api.upload(collection, TEXT)
    assert ingest(api, collection, receipt) == []
    lost, *others = queued(services)
    assert handle(*others) == []
    assert ingest(api, collection, receipt) == []  # the lease holds: a duplicate changes nothing
    assert queued(services) == []
    clock.advance(timedelta(hours=0.3))
    assert ingest(api, collection, receipt) == []
    (again,) = queued(services)
    assert again.body == lost.body
    assert handle(again, lost) == []
    assert found(api, collection, receipt)["stage"] == "ready"


def test_who_publishes_may_die(api, collection, services, clock):
    receipt = api.upload(collection, TEXT)
    assert ingest(api, collection, receipt) == []
    vectors = services.vectors

    def lost(space):
        raise Unavailable("gone", dependency="milvus")

    services.vectors = Wrapped(vectors, flush=lost)
    assert len(handle(*queued(services))) == 1
    services.vectors = vectors
    assert found(api, collection, receipt)["stage"] == "queued"
    function("sweep").handler({}, None)
    assert handle(*queued(services)) == []
    assert found(api, collection, receipt)["stage"] == "ready"


def test_chunks_that_are_missing_are_noticed(api, collection, services):
    receipt = api.upload(collection, TEXT)
    assert ingest(api, collection, receipt) == []
    vectors = services.vectors
    services.vectors = Wrapped(vectors, count=lambda *given, **more: 1)
    assert len(handle(*queued(services))) == 1
    assert found(api, collection, receipt)["stage"] == "queued"


def test_chunks_that_the_store_counts_twice_after_a_crash_are_all_there(api, collection, services):
    receipt = api.upload(collection, TEXT)
    assert ingest(api, collection, receipt) == []
    vectors = services.vectors
    services.vectors = Wrapped(vectors, count=lambda *given, **more: 2 * vectors.count(*given, **more))
    assert handle(*queued(services)) == []
    assert found(api, collection, receipt)["stage"] == "ready"


def test_chunks_that_nobody_wrote_are_noticed(api, collection, services):
    receipt = api.upload(collection, TEXT)
    assert ingest(api, collection, receipt) == []
    *others, last = queued(services)
    assert handle(*others) == []
    space, ref = services.grants.grant(principal_of("ada"), UUID(collection)).space, ref_of(api, collection, receipt)
    [chunk] = services.vectors.chunks(space, ref, range(1))
    stray = replace(chunk, number=CHUNKS_PER_PART - 1, text="stray")
    vector = [1.0] * space.model.dimensions
    services.vectors.upsert(space, [EmbeddedChunk(ref, stray, vector, "sea.txt", "text/plain")])
    assert len(handle(last)) == 1
    assert found(api, collection, receipt)["stage"] == "queued"


def test_a_part_that_fails_is_tried_again_and_then_ends_the_file(api, collection, services):
    receipt = api.upload(collection, TEXT)
    assert ingest(api, collection, receipt) == []
    part, *others = queued(services)

    def refuse(model, given):
        raise Unavailable("busy", dependency="embedder")

    services.embedder = Wrapped(services.embedder, embed=refuse)
    for attempt in range(4):
        assert found(api, collection, receipt)["stage"] == "embedding", attempt
        assert len(handle(part)) == 1
    file = found(api, collection, receipt)
    assert (file["stage"], file["problem"]["retryable"]) == ("failed", True)
    assert handle(*others) == []
    assert texts(services, api, collection, receipt) == []


def test_a_part_that_was_taken_over_changes_nothing(api, collection, services, clock):
    receipt = api.upload(collection, TEXT)
    assert ingest(api, collection, receipt) == []
    part = queued(services)[0]
    vectors = services.vectors

    def slow(*given):
        services.vectors = vectors
        clock.advance(timedelta(hours=0.3))
        assert handle(part) == []
        return vectors.texts(*given)

    services.vectors = Wrapped(vectors, texts=slow)
    assert handle(part) == []
    states = services.parts.parts(ref_of(api, collection, receipt))
    assert [state.result is not None for state in states] == [True, False, False, False]


def test_a_file_that_is_deleted_before_it_is_divided_is_left(api, collection, services):
    receipt = api.upload(collection, TEXT)
    parts = services.parts

    def divide(*given, **more):
        assert api("DELETE", f"/collections/{collection}/files/{receipt['file_id']}").status < 300
        return parts.divide(*given, **more)

    services.parts = Wrapped(parts, divide=divide)
    assert ingest(api, collection, receipt) == []
    assert queued(services) == []


@pytest.mark.parametrize(("scanned", "code"), [(True, "scanned-file"), (False, "empty-file")])
def test_parts_without_any_text_end_the_file(api, collection, services, scanned, code):
    class Pictures:
        extent = Extent("pages", 3)

        def parse(self, content):
            self.info = DocumentInfo(total_pages=3, scanned_pages=(1,) if scanned else None)
            return self

        def pages(self, part=None):
            return iter([Page(1, (), scanned=scanned)])

    services.parser_for = lambda media_type: Pictures()
    receipt = api.upload(collection, TEXT)
    assert ingest(api, collection, receipt) == []
    assert handle(*queued(services)) == []
    assert found(api, collection, receipt)["problem"]["code"] == code


def test_a_part_that_does_not_exist_is_passed_over(api, collection, services):
    receipt = api.upload(collection, TEXT)
    ref = ref_of(api, collection, receipt)
    services.ingests.send(IngestRequest(ref, 7).body())
    assert handle(*queued(services)) == []
    assert found(api, collection, receipt)["stage"] == "awaiting_upload"
