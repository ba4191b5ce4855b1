from unittest.mock import Mock

import pytest

from modulo.domain.errors import Unavailable
from tests.functions.conftest import (
    RETRIES,
    as_user,
    deliver_queued,
    give_up_file,
    ingest,
    ref_of,
    retry_by,
    upload_failed,
)


def failing(services, *, times):
    """Have the embedder be down so many times."""
    down = [Unavailable("busy", dependency="embedder")] * times
    working = services.embedder.embed
    services.embedder = Mock(embed=Mock(side_effect=lambda *asked: _next(down, working, asked)))


def _next(down, working, asked):
    if down:
        raise down.pop()
    return working(*asked)


def test_a_failed_file_is_ingested_again_without_its_bytes(api, services, collection):
    receipt = upload_failed(api, services, collection, "vault.txt")
    path = f"/collections/{collection}/files/{receipt['file_id']}"
    assert api("GET", path).json["problem"]["retryable"] is True
    reply = api("POST", f"{path}/retry")
    assert (reply.status, reply.json) == (202, receipt)
    assert api("POST", f"{path}/retry").status == 202
    deliver_queued(services)
    assert api("GET", path).json["stage"] == "ready"
    assert api("GET", "/usage").json["storage_bytes"] == len("The vault.txt opens at noon.")


def test_what_a_retry_cannot_help_is_refused(api, services, collection):
    ready = api.upload(collection, "The vault opens at noon.", "ready.txt")
    ingest(api, collection, ready)
    broken = api.upload(collection, b"%PDF-1.7 broken", "broken.pdf")
    ingest(api, collection, broken)
    for receipt in (ready, broken):
        reply = api("POST", f"/collections/{collection}/files/{receipt['file_id']}/retry")
        assert (reply.status, reply.json["type"]) == (409, "urn:modulo:problem:conflict")


def test_bytes_that_are_gone_are_asked_for_again(api, services, collection):
    receipt = upload_failed(api, services, collection, "vault.txt")
    ref = ref_of(api, collection, receipt)
    services.blobs.delete(ref.tenant_id, ref.prefix)
    reply = api("POST", f"/collections/{collection}/files/{receipt['file_id']}/retry")
    assert reply.status == 409
    assert "upload them, or add its address, again" in reply.json["detail"]


def test_a_viewer_may_not_retry(api, services, collection):
    receipt = upload_failed(api, services, collection, "vault.txt")
    bob = as_user("bob")
    bob.create_collection("his")
    bob_id = bob("GET", "/collections").json["items"][0]["owner_id"]
    assert api("PUT", f"/collections/{collection}/members/{bob_id}", json={"role": "viewer"}).status == 200
    for path in (f"files/{receipt['file_id']}/retry", "retry"):
        assert bob("POST", f"/collections/{collection}/{path}").status == 403


@pytest.mark.parametrize("by", RETRIES)
def test_a_retry_has_as_many_attempts_as_an_upload(api, queues, services, collection, by):
    receipt = give_up_file(api, queues, collection)
    failing(services, times=3)
    retry_by(by, api, collection, receipt["file_id"])
    assert queues.give_up() == 0
    assert api("GET", f"/collections/{collection}/files/{receipt['file_id']}").json["stage"] == "ready"


def test_what_comes_again_by_itself_has_no_more_attempts(api, queues, services, collection):
    receipt = give_up_file(api, queues, collection)
    failing(services, times=1)
    ingest(api, collection, receipt)
    file = api("GET", f"/collections/{collection}/files/{receipt['file_id']}").json
    assert (file["stage"], file["problem"]["code"]) == ("failed", "unavailable")
