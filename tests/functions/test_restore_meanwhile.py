"""Restores while the tenants are at work, twice at once, and again after an interruption."""

from dataclasses import replace

import pytest

from modulo.domain.tenancy.identity import external_id
from modulo.runtime.worker import function
from tests.doubles.memory_blobs import MemoryBlobs
from tests.functions.conftest import as_user, deliver_queued, ingest, ref_of, s3_event, sqs_event
from tests.functions.test_data_command import QUESTION, answer, chunks_of, file, filled, modulo

__all__ = ["file", "filled"]


class Killed(BaseException):
    """What ends a process from outside."""


class Restoring(MemoryBlobs):
    """A store that does something before it puts the object of that number."""

    def __init__(self, stored, number, meanwhile):
        vars(self).update(vars(stored))
        self._left, self._meanwhile = number, meanwhile

    def put(self, *args, **kwargs):
        self._left -= 1
        if self._left == 0:
            self._meanwhile()
        return super().put(*args, **kwargs)


def restored(services, file, meanwhile, number=1, code=0):
    """Restore the archive, and do something when it puts the object of that number."""
    services.blobs = Restoring(services.blobs, number, meanwhile)
    return modulo("data", "restore", file, "--replace", code=code)


def state(api, collections):
    return [(chunks_of(api, one), answer(api, one)) for one in collections]


@pytest.fixture
def backed_up(api, filled, file):
    """The collections of a backup, with what they held."""
    modulo("data", "backup", file)
    collections = [one for one, _ in filled]
    return collections, state(api, collections)


def change(api, collection, text="It burned down in 1999.", name="fire-0.txt"):
    receipt = api.try_upload(collection, text, name, "new").json
    assert ingest(api, collection, receipt) == []


def test_what_is_written_meanwhile_is_replaced(api, services, backed_up, file):
    collections, before = backed_up

    def work():
        change(api, collections[0])
        change(api, collections[1], name="new.txt")
        api.upload(collections[1], "It never burned.", "waiting.txt")
        made = api.create_collection("new")
        change(api, made, name="other.txt")
        assert api("DELETE", f"/collections/{collections[1]}").status == 202

    restored(services, file, work)
    deliver_queued(services)
    assert state(api, collections) == before
    assert {one["id"] for one in api("GET", "/collections").json["items"]} == set(collections)


@pytest.mark.parametrize("changes", [0, 1, 2, 3])
def test_what_is_searched_meanwhile_is_not_answered_from_the_cache_afterwards(api, services, backed_up, file, changes):
    collections, before = backed_up

    def work():
        for _ in range(changes):
            change(api, collections[0], f"It burned down in 199{changes}.")
        answer(api, collections[0])

    restored(services, file, work)
    answer(api, collections[0])
    deliver_queued(services)
    assert state(api, collections) == before


def test_other_tenants_go_on(api, services, backed_up, file):
    other = as_user("eve", "other")

    def work():
        work.made = other.create_collection("theirs")
        receipt = other.upload(work.made, "The archive burned down in 1666.", "fire-0.txt")
        ref = replace(ref_of(other, work.made, receipt), tenant_id=external_id("modulo", "tenant:other"))
        assert function("ingest_file").handler(sqs_event(s3_event(ref)), None) == {"batchItemFailures": []}

    restored(services, file, work)
    found = other("POST", "/search", json={**QUESTION, "collection_id": work.made}).json["query_results"]
    assert [one["chunk"]["text"] for one in found] == ["The archive burned down in 1666."]
    assert chunks_of(other, work.made) == {"fire-0.txt": ("ready", 1)}


def test_a_second_restore_is_refused_while_the_first_is_under_way(api, services, backed_up, file):
    collections, before = backed_up
    told = []
    restored(services, file, lambda: told.append(modulo("data", "restore", file, "--replace", code=1)))
    assert "Another restore is under way" in told[0]
    deliver_queued(services)
    assert state(api, collections) == before
    modulo("data", "restore", file, "--replace")
    deliver_queued(services)
    assert state(api, collections) == before


@pytest.mark.parametrize("number", [1, 2])
def test_a_restore_that_is_killed_among_the_objects_is_done_again(api, services, backed_up, file, number):
    collections, before = backed_up

    def kill():
        raise Killed

    with pytest.raises(Killed):
        restored(services, file, kill, number)
    assert "1900" in answer(api, collections[0]), "until it is done again, what was there is found"
    modulo("data", "restore", file, "--replace")
    deliver_queued(services)
    assert state(api, collections) == before


@pytest.mark.parametrize(
    "step", ["modulo.adapters.postgres.backups._begin_anew", "modulo.usecases.restore_backup.queue_first"]
)
def test_a_restore_that_is_killed_later_is_done_again(api, services, backed_up, file, step, monkeypatch):
    collections, before = backed_up

    def kill(*_args, **_kwargs):
        raise Killed

    with monkeypatch.context() as killing:
        killing.setattr(step, kill)
        with pytest.raises(Killed):
            modulo("data", "restore", file, "--replace")
    modulo("data", "restore", file, "--replace")
    deliver_queued(services)
    assert state(api, collections) == before


def test_what_was_not_queued_is_queued_by_a_sweep(api, services, clock, backed_up, file, monkeypatch):
    collections, before = backed_up
    monkeypatch.setattr("modulo.usecases.restore_backup.queue_first", lambda *_: None)
    modulo("data", "restore", file, "--replace")
    assert function("sweep").handler({}, None)["requeued"] == 2
    deliver_queued(services)
    assert state(api, collections) == before
