"""The Python client against the product, served as `modulo serve` does."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from modulo_client import (
    AsyncModulo,
    Conflict,
    ConnectionFailed,
    InvalidRequest,
    Modulo,
    NotFound,
    NotReady,
    Progress,
    Throttled,
    Unauthenticated,
)
from tests.functions.conftest import Api, as_user, ingest, ingest_all, run_async
from tests.functions.served import SECONDS, key_of, served

SEA = "The sea is 11 kilometres deep."


@pytest.fixture
def url(services) -> Iterator[str]:
    with served() as address:
        yield address


@pytest.fixture
def modulo(url: str, api: Api) -> Iterator[Modulo]:
    with Modulo(url, key_of(api), timeout=SECONDS) as made:
        yield made


def ingesting(api: Api, seen: list[Progress]) -> Callable[[Progress], None]:
    """What a worker does meanwhile: each file that was sent is read."""

    def step(progress: Progress) -> None:
        seen.append(progress)
        file = progress.added.file
        if file is not None and file.stage == "awaiting_upload":
            ingest(api, str(file.collection_id), {"file_id": str(file.id), "generation": file.generation})

    return step


def test_a_folder_is_added_asked_and_deleted(modulo: Modulo, api: Api, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "sea.txt").write_text(SEA)
    (tmp_path / "land.md").write_text("# Land\n\nThe highest mountain is 8,849 metres high.")
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / ".hidden").write_text("not this")
    papers = modulo.collections.create("papers", description="of the earth")
    seen: list[Progress] = []
    added = papers.add(tmp_path, attributes={"year": 2026}, on_progress=ingesting(api, seen), max_wait=SECONDS)
    assert [(one.source.name, one.ready) for one in added] == [
        ("deep - sea.txt", True),
        ("empty.txt", False),
        ("land.md", True),
    ]
    assert isinstance(added[1].error, InvalidRequest)
    assert (seen[-1].done, seen[-1].total) == (3, 3)
    answer = papers.ask("How deep is the sea?")
    assert "11 kilometres" in (answer.answer or "")
    assert answer.citations[0].excerpt in SEA
    found = papers.search("mountain", filters={"attributes.year": 2026})
    assert found[0].chunk.metadata.source == "land.md"
    again = papers.add(tmp_path / "deep" / "sea.txt", on_duplicate="existing", max_wait=SECONDS)
    assert [(one.ready, one.duplicate_of) for one in again] == [(True, "deep - sea.txt")]
    sea = papers.files.named("deep - sea.txt")
    assert sea is not None
    assert sea.attributes == {"year": 2026}
    assert papers.files.set_attributes(sea.id, {"year": 2027}).attributes == {"year": 2027}
    gone = papers.files.delete(sea.id)
    assert modulo.deletions.get(gone.deletion_id).target_id == sea.id
    assert papers.refresh().files["ready"] == 1
    papers.delete()
    assert [one.name for one in modulo.collections.list()] == []
    assert {one.kind for one in modulo.deletions.list()} == {"file", "collection"}


def test_pages_are_read_to_their_end(modulo: Modulo, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modulo_client.sync.transport.PAGE", 2)
    names = [f"c{number}" for number in range(5)]
    for name in names:
        modulo.collections.create(name)
    assert sorted(one.name for one in modulo.collections.list()) == names
    assert modulo.collections.get("c3").name == "c3"
    assert modulo.collections.get(modulo.collections.get("c3").id).name == "c3"


def test_an_answer_is_read_while_it_is_written(modulo: Modulo, api: Api) -> None:
    papers = modulo.collections.get(api.create_collection("papers"))
    api.upload(str(papers.id), SEA, "sea.txt")
    ingest_all(api, str(papers.id))
    with papers.ask("How deep is the sea?", stream=True) as stream:
        text = "".join(stream)
    assert stream.answer is not None
    assert text == stream.answer.answer
    assert stream.read() is stream.answer, "nothing is asked again"
    assert [one.mark for one in stream.citations] == [one.mark for one in stream.answer.citations]
    assert papers.ask("How deep is the sea?", stream=True).read().answer == text
    assert {event.name for event in papers.ask("How deep?", stream=True).events()} >= {"passages", "done"}


def test_conversations_go_on(modulo: Modulo, api: Api) -> None:
    papers = modulo.collections.get(api.create_collection("papers"))
    api.upload(str(papers.id), SEA, "sea.txt")
    ingest_all(api, str(papers.id))
    talk = modulo.conversations.create(collection_id=papers.id, title="depths")
    answer = talk.ask("How deep is the sea?")
    assert "11 kilometres" in (answer.search.answer or "")
    assert [message.role for message in talk.messages()] == ["user", "assistant"]
    assert talk.rate(answer.answer_id, "up").id == answer.answer_id
    assert talk.update(archived=True).archived
    assert [one.id for one in modulo.conversations.list(archived=True)] == [talk.id]
    assert modulo.conversations.get(talk.id).info.title == "depths"
    talk.delete()
    with pytest.raises(NotFound):
        modulo.conversations.get(talk.id)


def test_members_come_and_go(modulo: Modulo, api: Api, url: str) -> None:
    papers = modulo.collections.create("papers")
    bob = as_user("bob")
    with Modulo(url, key_of(bob)) as of_bob:
        user = of_bob.me().user
        papers.members.set(user.id, "viewer")
        assert of_bob.collections.get(papers.id).info.role == "viewer"
        assert {one.role for one in papers.members.list()} == {"owner", "viewer"}
        papers.members.remove(user.id)
        with pytest.raises(NotFound):
            of_bob.collections.get(papers.id)
        with pytest.raises(NotFound, match="no collection is named 'papers'"):
            of_bob.collections.get("papers")


def test_problems_are_exceptions(modulo: Modulo, url: str, tmp_path: Path) -> None:
    papers = modulo.collections.create("papers")
    with pytest.raises(Conflict) as taken:
        modulo.collections.create("papers")
    assert (taken.value.status, taken.value.code) == (409, "conflict")
    assert taken.value.request_id
    with pytest.raises(InvalidRequest) as refused:
        papers.ask("")
    assert [error["field"] for error in refused.value.errors] == ["question"]
    with Modulo(url, "mod_guessed") as stranger, pytest.raises(Unauthenticated):
        stranger.me()
    with pytest.raises(FileNotFoundError):
        papers.add(tmp_path / "none.txt")
    with pytest.raises(FileNotFoundError, match=r"no file matches"):
        papers.add(str(tmp_path / "*.pdf"))
    assert modulo.usage().collections == 1
    with Modulo("http://127.0.0.1:9", "mod_x", max_retries=0) as nowhere, pytest.raises(ConnectionFailed):
        nowhere.me()


@pytest.mark.parametrize("settings", [{"quotas": {"collections": 1}}], indirect=True)
def test_a_quota_that_is_used_up_is_no_reason_to_wait(modulo: Modulo) -> None:
    modulo.collections.create("one")
    with pytest.raises(Throttled) as full:
        modulo.collections.create("two")
    assert full.value.code == "quota-exceeded"


def test_files_that_nobody_reads_are_not_awaited_for_ever(modulo: Modulo, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(SEA)
    papers = modulo.collections.create("papers")
    with pytest.raises(NotReady, match="1 of 1"):
        papers.add(tmp_path / "a.txt", max_wait=0)
    [file] = papers.files.list()
    assert not file.finished


def test_the_asynchronous_client_does_the_same(api: Api, url: str, tmp_path: Path) -> None:
    (tmp_path / "sea.txt").write_text(SEA)
    seen: list[Progress] = []

    async def use() -> tuple[Any, ...]:
        async with AsyncModulo(url, key_of(api), timeout=SECONDS) as modulo:
            papers = await modulo.collections.create("papers")
            added = await papers.add(str(tmp_path / "*.txt"), on_progress=ingesting(api, seen), max_wait=SECONDS)
            async with await papers.ask("How deep is the sea?", stream=True) as stream:
                text = "".join([piece async for piece in stream])
            names = [one.name async for one in modulo.collections.list()]
            return added, text, names, (await papers.ask("How deep is the sea?")).answer

    added, text, names, answer = run_async(use())
    assert [one.ready for one in added] == [True]
    assert names == ["papers"]
    assert text == answer
    assert "11 kilometres" in text
