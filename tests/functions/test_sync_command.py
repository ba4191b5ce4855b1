"""`modulo sync` and `modulo add --watch` against the product, and with what goes wrong."""

import json
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Queue

import pytest

from modulo_client import Modulo, NotSent, Progress, Throttled, Unauthenticated
from tests.functions.conftest import Api, as_user, ingest_all
from tests.functions.served import SECONDS, key_of, served
from tests.functions.test_modulo_command import PROGRAM, Command, folder, ingestion, modulo
from tests.functions.test_python_client import SEA, url

__all__ = ["folder", "modulo", "url"]


@pytest.fixture
def papers(modulo: Command, folder: Path) -> Callable[[], dict[str, str]]:
    """A folder without bad files, a collection, and what that holds by name."""
    (folder / "empty.txt").unlink()
    modulo("new", "papers")
    return lambda: {one["name"]: one["checksum_sha256"] for one in json.loads(modulo("ls", "papers", "--json"))}


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_a_collection_follows_its_folder(modulo: Command, api: Api, folder: Path, papers) -> None:
    planned = modulo("sync", str(folder), "papers", "--dry-run")
    assert planned.split() == ["new", "deep", "-", "land.md", "new", "sea.txt"]
    assert papers() == {}
    with ingestion(api):
        assert "2 ready, 0 failed" in modulo("sync", str(folder), "papers")
        first = papers()
        assert "0 ready, 0 failed, 2 unchanged" in modulo("sync", str(folder), "papers")
        write(folder / "sea.txt", "The sea is 12 kilometres deep.")
        write(folder / "copy.txt", "The sea is 12 kilometres deep.")
        (folder / "deep" / "land.md").rename(folder / "deep" / "mountains.md")
        write(folder / "drafts" / "x.txt", "Not yet.")
        done = modulo.run("sync", str(folder), "papers", "--exclude", "drafts")
    assert "3 ready, 0 failed" in done.stdout
    assert ": 1 file of papers; --delete removes them." in done.stderr
    assert set(papers()) == {"sea.txt", "deep - land.md", "deep - mountains.md"}, "the copy is an alias"
    assert papers()["sea.txt"] != first["sea.txt"]
    refused = modulo.run("sync", str(folder), "papers", "--delete", "-x", "drafts", typed="n\n")
    assert (refused.returncode, "deep - land.md" in refused.stderr) == (1, True)
    assert len(papers()) == 3
    told = json.loads(modulo("sync", str(folder), "papers", "--delete", "-x", "drafts", "--json", typed="y\n"))
    assert [one["id"] for one in told["deleted"]]
    assert set(told["unchanged"]) == {"sea.txt", "copy.txt", "deep - mountains.md"}
    assert set(papers()) == {"sea.txt", "deep - mountains.md"}


def test_an_empty_folder_deletes_nothing(modulo: Command, api: Api, folder: Path, papers) -> None:
    with ingestion(api):
        modulo("sync", str(folder), "papers")
    write(folder / "elsewhere" / ".keep", "")
    assert "holds no files, so nothing is deleted" in modulo(
        "sync", str(folder / "elsewhere"), "papers", "--delete", "--yes", code=1
    )
    assert len(papers()) == 2
    assert "is no folder" in modulo("sync", str(folder / "none"), "papers", code=1)


def test_bad_files_stop_no_others_and_names_of_every_script_are_kept(
    modulo: Command, api: Api, folder: Path, papers
) -> None:
    write(folder / "大小 größe.txt", "The largest wave was 34 metres high.")
    write(folder / os.fsdecode(b"caf\xe9.txt"), "Coffee is drunk at the harbour.")
    write(folder / "empty.txt", "")
    (folder / "program.exe").write_bytes(b"MZ\x90\x00")
    (folder / "damaged.pdf").write_bytes(b"%PDF-1.7 damaged")
    with ingestion(api):
        told = modulo("sync", str(folder), "papers", code=4)
        assert "4 ready, 3 failed" in told
        assert "empty.txt: " in told
        assert "program.exe: " in told
        again = modulo("sync", str(folder), "papers", code=4)
    assert "0 ready, 3 failed, 4 unchanged" in again
    assert "damaged.pdf: " in again, "it is not sent again, but told"
    assert {"大小 größe.txt", "caf\ufffd.txt"} <= set(papers())


@pytest.mark.parametrize("settings", [{"quotas": {"files": 2}}], indirect=True)
def test_a_full_quota_stops_the_rest_and_room_lets_it_go_on(modulo: Command, api: Api, folder: Path, papers) -> None:
    with ingestion(api):
        modulo("sync", str(folder), "papers")
        for name in ("a.txt", "b.txt", "c.txt"):
            write(folder / name, f"The {name} opens at noon.")
        done = modulo.run("sync", str(folder), "papers")
        assert done.returncode == 4
        assert "a.txt: Quota exceeded for files" in done.stderr
        assert "0 ready, 1 failed, 2 unchanged, 2 not sent" in done.stdout
        assert "again goes on with what was not sent" in done.stderr
        (folder / "sea.txt").unlink()
        (folder / "deep" / "land.md").unlink()
        (folder / "c.txt").unlink()
        assert "2 ready, 0 failed, 2 deleted" in modulo("sync", str(folder), "papers", "--delete", "--yes")
    assert set(papers()) == {"a.txt", "b.txt"}


def revoking(api: Api, user: str) -> Callable[[Progress], None]:
    """Revokes the user's keys once the first file was sent."""

    def step(progress: Progress) -> None:
        from modulo.runtime.admin.keys import list_keys, revoke_key

        for key in list_keys("acme"):
            if key.name == user:
                revoke_key("acme", key.id)

    return step


@pytest.mark.parametrize("settings", [{"api_key_cache_seconds": 0}], indirect=True)
def test_a_key_that_expires_stops_the_rest(url: str, api: Api, folder: Path, papers, modulo: Command) -> None:
    from modulo.runtime.admin.keys import create_key

    steps: list[Progress] = []
    with Modulo(url, create_key("acme", "ada", "short-lived"), timeout=SECONDS) as client:
        collection = client.collections.get("papers")
        revoke = revoking(api, "short-lived")

        def step(progress: Progress) -> None:
            steps.append(progress)
            if len(steps) == 1:
                revoke(progress)

        write(folder / "z.txt", "The last one.")
        with pytest.raises(Unauthenticated):
            collection.add(folder, on_progress=step, max_wait=SECONDS)
    assert [type(one.added.error) for one in steps] == [type(None), Unauthenticated, NotSent]
    with ingestion(api):
        assert ", 0 failed" in modulo("sync", str(folder), "papers"), "with another key it goes on"
    assert len(papers()) == 3


def test_a_server_that_goes_away_stops_the_rest(services, api: Api, folder: Path) -> None:
    api.create_collection("papers")
    with served() as address:
        first = Command(folder, MODULO_URL=address, MODULO_API_KEY=key_of(api))
        gone = Modulo(address, key_of(api), timeout=SECONDS, max_retries=0)
        collection = gone.collections.get("papers")
    steps: list[Progress] = []
    from modulo_client import ConnectionFailed

    [added, *others] = collection.add(folder, on_progress=steps.append, max_wait=SECONDS)
    assert isinstance(added.error, ConnectionFailed)
    assert {type(one.error) for one in others} == {NotSent}
    assert "does not answer" in first("sync", str(folder), "papers", code=3)


def test_ctrl_c_tells_what_was_done(modulo: Command, api: Api, folder: Path, papers) -> None:
    with started(modulo, "add", "papers", str(folder)) as (process, lines):
        while len(papers()) < 2 and process.poll() is None:
            pass  # asking takes its time
        process.send_signal(signal.SIGINT)
        assert process.wait(SECONDS) == 130
    told = "".join(lines())
    assert "0 ready, 0 failed, 2 still being read" in told
    assert "again goes on from here" in told
    with ingestion(api):
        assert ", 0 failed" in modulo("sync", str(folder), "papers")
    assert len(papers()) == 2


@contextmanager
def started(modulo: Command, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], Callable[[], Iterator[str]]]]:
    """A running command, and a function that iterates over the lines it prints from now on."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # what runs in the background ignores it
    process = subprocess.Popen(
        [PROGRAM, *arguments],
        cwd="/",
        env=modulo.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    printed: Queue[str | None] = Queue()

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            printed.put(line)
        printed.put(None)

    reader = threading.Thread(target=read)
    reader.start()

    def lines() -> Iterator[str]:
        while (line := printed.get(timeout=2 * SECONDS)) is not None:
            yield line

    try:
        yield process, lines
    finally:
        process.kill()
        process.wait(SECONDS)
        reader.join(SECONDS)
        assert process.stdout is not None
        process.stdout.close()


@pytest.mark.parametrize("settings", [{"quotas": {"files": 4}}], indirect=True)
def test_what_changes_is_added_while_it_is_watched(modulo: Command, api: Api, folder: Path, papers) -> None:
    with (
        ingestion(api),
        started(modulo, "add", "papers", str(folder), "--watch", "-x", "*.tmp") as (process, lines),
    ):
        told = iter(lines())
        assert "2 ready, 0 failed" in next(told)
        assert f"Watching {folder}" in next(told)
        write(folder / "x.tmp", "nothing")
        write(folder / "empty.txt", "")
        assert "empty.txt: " in next(told)
        write(folder / "new" / "tides.txt", "The tide rises by 3 metres.")
        assert "new - tides.txt: ready" in next(told)
        write(folder / "sea.txt", "The sea is 13 kilometres deep.")
        assert "sea.txt: ready" in next(told)
        process.send_signal(signal.SIGINT)
        assert "Stopped watching: " in "".join(told)
        assert process.wait(SECONDS) == 0
    assert set(papers()) == {"deep - land.md", "new - tides.txt", "sea.txt"}


def test_only_addresses_cannot_be_watched(modulo: Command, papers) -> None:
    told = modulo("add", "papers", "https://example.org/a.html", "--watch", "--max-wait", "0", code=1)
    assert "still being read" in told


@pytest.mark.parametrize("settings", [{"quotas": {"files": 1}}], indirect=True)
def test_the_client_tells_what_was_not_sent(url: str, api: Api, folder: Path, papers) -> None:
    with Modulo(url, key_of(api), timeout=SECONDS) as client:
        collection = client.collections.get("papers")
        steps: list[Progress] = []

        def step(progress: Progress) -> None:
            steps.append(progress)
            if progress.added.file is not None and progress.added.file.stage == "awaiting_upload":
                ingest_all(api, str(collection.id))

        write(folder / "z.txt", "The last one.")
        report = collection.sync(folder, on_progress=step, max_wait=SECONDS)
    assert {type(one.error) for one in report.added} == {type(None), Throttled, NotSent}
    assert sum(one.ready for one in report.added) == 1
    assert as_user("ada")("GET", f"/collections/{collection.id}/files").json["items"][0]["stage"] == "ready"


def test_more_files_than_are_asked_for_singly_are_followed_by_pages(url: str, api: Api, folder: Path, papers) -> None:
    for number in range(12):
        write(folder / f"{number}.txt", f"Wave {number} was {number} metres high.")
    with Modulo(url, key_of(api), timeout=SECONDS) as client, ingestion(api):
        collection = client.collections.get("papers")
        report = collection.sync(folder, max_wait=4 * SECONDS)
        assert [one.ready for one in report.added] == [True] * 14
        assert collection.ask("How deep is the sea?").answer is not None
        assert SEA in {one.chunk.text for one in collection.search("sea")}
