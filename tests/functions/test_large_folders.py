"""Folders of many files by the Python client and the command: what is asked, sent and printed."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from modulo_client import Collection, Modulo, NotReady, NotSent, Throttled
from modulo_client.models import File
from modulo_client.sources import checksum_of
from tests.functions.conftest import Api, ingest_all
from tests.functions.served import SECONDS, key_of
from tests.functions.test_modulo_command import Command, ingestion, modulo
from tests.functions.test_python_client import url

__all__ = ["modulo", "url"]

COUNT = 14
ROOM = 5
"""In a quota that is too small for the folder."""
AT_ONCE = 4
PAGE = 5
NAMES = ("report", "Übersicht", "сводка", "ملخص", "概要", "요약", "सारांश", "🦉 owl")
ANY_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "docs"
    for number in range(COUNT):
        path = made / NAMES[number % 3] / f"{NAMES[number % len(NAMES)]} {number:02}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"Buoy {number} lies {number * 7} metres off the dike.")
    return made


@pytest.fixture
def asked() -> Counter[str]:
    """The requests of the client, by method and path."""
    return Counter()


@pytest.fixture
def papers(url: str, api: Api, asked: Counter[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Collection]:
    """A collection of a client that reads small pages and does not wait between its looks."""
    for module in ("transport", "uploads", "files"):
        monkeypatch.setattr(f"modulo_client.sync.{module}.PAGE", PAGE)
    monkeypatch.setattr("modulo_client.sync.uploads.PAUSE_A_PAGE", 0.0)
    with Modulo(url, key_of(api), timeout=SECONDS) as client:
        collection = client.collections.create("papers")
        client._transport._http.event_hooks["request"].append(
            lambda request: asked.update([f"{request.method} {ANY_ID.sub('*', request.url.path)}"])
        )
        yield collection


LISTED, SENT, ONE = "GET /api/collections/*/files", "POST /api/collections/*/files", "GET /api/collections/*/files/*"


def files_of(collection: Collection) -> list[File]:
    return list(collection.files.list())


def interrupted(collection: Collection, folder: Path) -> None:
    """Everything is sent, and nothing of it is read yet."""
    with pytest.raises(NotReady):
        collection.add(folder, max_wait=0)


@pytest.mark.parametrize("call", ["add", "sync"])
def test_what_is_there_is_not_sent_again(
    call: str, api: Api, folder: Path, papers: Collection, asked: Counter[str]
) -> None:
    interrupted(papers, folder)
    assert asked[SENT] == COUNT
    ingest_all(api, str(papers.id))
    asked.clear()
    getattr(papers, call)(folder, max_wait=SECONDS)
    assert dict(asked) == {LISTED: -(-COUNT // PAGE)}


def test_what_is_there_is_told_as_known_before(api: Api, folder: Path, papers: Collection) -> None:
    interrupted(papers, folder)
    ingest_all(api, str(papers.id))
    added = papers.add(folder, max_wait=SECONDS)
    assert [one.ready for one in added] == [True] * COUNT
    assert [one.duplicate_of for one in added] == [one.source.name for one in added]
    assert [one.source.name for one in added] == sorted(one.source.name for one in added)


@pytest.mark.parametrize("call", ["add", "sync"])
def test_what_waits_to_be_read_is_followed_and_only_the_last_are_sent_again(
    call: str, api: Api, folder: Path, papers: Collection, asked: Counter[str]
) -> None:
    interrupted(papers, folder)
    asked.clear()
    with ingestion(api):
        getattr(papers, call)(folder, max_wait=4 * SECONDS)
    assert 0 < asked[SENT] <= 10
    assert {(file.stage, file.generation) for file in files_of(papers)} == {("ready", 1)}


@pytest.mark.parametrize("call", ["add", "sync"])
def test_bytes_that_never_came_are_sent_once_nothing_moves(
    call: str, api: Api, folder: Path, papers: Collection, asked: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("modulo_client.sync.uploads.PATIENCE", 0.0)
    for path in sorted(folder.rglob("*.txt")):
        announced = {
            "name": " - ".join(path.relative_to(folder).parts),
            "size_bytes": path.stat().st_size,
            "checksum_sha256": checksum_of(path),
        }
        assert api("POST", f"/collections/{papers.id}/uploads", json=announced).status == 201
    with ingestion(api):
        getattr(papers, call)(folder, max_wait=4 * SECONDS)
    assert asked[SENT] == COUNT
    assert {(file.stage, file.generation) for file in files_of(papers)} == {("ready", 1)}


def test_changed_files_and_those_that_failed_are_sent(api: Api, folder: Path, papers: Collection) -> None:
    changed, broken, *_ = sorted(folder.rglob("*.txt"))
    broken.write_text(" \n" * 20)
    interrupted(papers, folder)
    ingest_all(api, str(papers.id))
    assert [file.stage for file in files_of(papers)].count("failed") == 1
    changed.write_text("This buoy was moved.")
    broken.write_text("This buoy was mended.")
    with ingestion(api):
        added = papers.add(folder, max_wait=4 * SECONDS)
    assert [one.ready for one in added] == [True] * COUNT
    assert sum(one.duplicate_of is None for one in added) == 2


def test_files_are_looked_for_among_the_newest(
    api: Api, folder: Path, papers: Collection, asked: Counter[str], tmp_path: Path
) -> None:
    interrupted(papers, folder)
    ingest_all(api, str(papers.id))
    more = tmp_path / "more"
    more.mkdir()
    for number in range(12):
        (more / f"{number}.txt").write_text(f"Lamp {number} is lit at dusk.")
    asked.clear()
    interrupted(papers, more)
    before = asked[LISTED]
    with ingestion(api):
        papers.add(more, max_wait=4 * SECONDS)
    looks = asked[LISTED] - before
    assert asked[ONE] >= 12
    assert before == -(-COUNT // PAGE)
    assert looks


def test_a_collection_that_is_larger_than_the_folder_is_not_read_to_its_end(
    api: Api, folder: Path, papers: Collection, asked: Counter[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted(papers, folder)
    more = tmp_path / "more"
    more.mkdir()
    for number in range(11):
        (more / f"{number}.txt").write_text(f"Lamp {number} is lit at dusk.")
    for module in ("transport", "uploads", "files"):
        monkeypatch.setattr(f"modulo_client.sync.{module}.PAGE", 1)
    asked.clear()
    interrupted(papers, more)
    assert asked[LISTED] == 11, "reading more pages would cost more than sending the files"


@pytest.mark.parametrize("settings", [{"quotas": {"files": ROOM}}], indirect=True)
def test_a_full_quota_is_told_in_a_few_lines_and_asked_for_once(
    modulo: Command, api: Api, folder: Path, papers: Collection, asked: Counter[str]
) -> None:
    with ingestion(api):
        added = papers.add(folder, max_wait=4 * SECONDS)
        assert asked[SENT] <= ROOM + AT_ONCE, "files were sent in vain"
        kinds = Counter(type(one.error) for one in added)
        assert kinds == {type(None): ROOM, Throttled: 1, NotSent: COUNT - ROOM - 1}
        done = modulo.run("add", "papers", str(folder))
    assert done.returncode == 4
    assert f"{ROOM} of {COUNT} files are there and are waited for; the others are not sent." in done.stderr
    assert f"{ROOM} ready, 1 failed, {ROOM} known before, {COUNT - ROOM - 1} not sent" in done.stdout
    assert len((done.stdout + done.stderr).splitlines()) <= 6


def test_many_failures_are_counted_and_not_listed(
    modulo: Command, api: Api, papers: Collection, tmp_path: Path
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    for number in range(30):
        (empty / f"{number:02}.txt").write_text("")
    done = modulo.run("add", "papers", str(empty))
    assert "… and 10 more that failed" in done.stderr
    assert len(done.stderr.splitlines()) == 21
    told = json.loads(modulo.run("add", "papers", str(empty), "--json").stdout)
    assert len(told["added"]) == 30
