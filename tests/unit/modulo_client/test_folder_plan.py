from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from modulo_client.folder_plan import held_of, is_awaited, is_gone, names_in, plan_of
from modulo_client.models import File, FileProblem
from modulo_client.sources import Source

NOW = datetime(2026, 3, 14, tzinfo=UTC)
BYTES = {"a.txt": "aa", "b.txt": "bb", "copy of b.txt": "bb"}
SOURCES = [Source(name, Path(name)) for name in BYTES]


def file(name: str, checksum: str | None = None, stage: str = "ready", **more: Any) -> File:
    ids = {"id": uuid4(), "collection_id": uuid4(), "created_by": uuid4()}
    sizes = {"generation": 1, "media_type": "text/plain", "size_bytes": 2, "created_at": NOW, "updated_at": NOW}
    return File(name=name, stage=stage, checksum_sha256=checksum, **ids, **sizes, **more)


def plan(*files: File, sources: list[Source] = SOURCES, exclude: tuple[str, ...] = ()) -> dict[str, list[str]]:
    made = plan_of(sources, files, exclude=exclude, checksum=lambda path: BYTES[path.name])
    return {what: names for what, names in names_in(made).items() if names}


def test_of_equal_files_the_others_become_aliases_of_the_first() -> None:
    made = plan_of(SOURCES, [], checksum=lambda path: BYTES[path.name])
    assert [(one.name, one.on_duplicate) for one in made.new] == [
        ("a.txt", "new"),
        ("b.txt", "new"),
        ("copy of b.txt", "alias"),
    ]


def test_files_are_compared_by_name_and_checksum() -> None:
    assert plan(file("a.txt", "aa"), file("b.txt", "old", aliases=("copy of b.txt",)), file("z.txt", "zz")) == {
        "unchanged": ["a.txt"],
        "changed": ["b.txt", "copy of b.txt"],
        "gone": ["z.txt"],
    }
    assert plan(file("a.txt", "aa"), file("b.txt", "bb", aliases=("copy of b.txt",))) == {
        "unchanged": ["a.txt", "b.txt", "copy of b.txt"]
    }


@pytest.mark.parametrize(
    ("there", "what"),
    [
        (file("a.txt", "aa", "awaiting_upload"), "awaited"),
        (file("a.txt", "other", "awaiting_upload"), "changed"),
        (file("a.txt", None, "queued"), "changed"),
        (file("a.txt", "aa", "embedding"), "under_way"),
        (file("a.txt", "aa", "failed", problem=FileProblem(code="x", detail="x", retryable=True)), "to_retry"),
        (file("a.txt", "aa", "failed", problem=FileProblem(code="x", detail="x", retryable=False)), "failed"),
    ],
)
def test_what_is_unfinished_or_failed_is_gone_on_with(there: File, what: str) -> None:
    assert plan(there, sources=SOURCES[:1]) == {what: ["a.txt"]}


def test_a_file_that_cannot_be_read_is_told_and_not_gone() -> None:
    def locked(path: Path) -> str:
        raise PermissionError("locked")

    made = plan_of(SOURCES[:1], [file("a.txt", "aa")], checksum=locked)
    assert [str(one.error) for one in made.unreadable] == ["locked"]
    assert made.gone == []


def test_what_no_folder_brought_is_never_gone() -> None:
    wanted = {"guides.zip", "a.txt"}
    assert is_gone(file("other.txt"), wanted)
    assert is_gone(file("other.zip/deep/one.txt"), wanted)
    assert not is_gone(file("guides.zip/deep/one.txt"), wanted)
    assert not is_gone(file("z.txt", aliases=("a.txt",)), wanted)
    assert not is_gone(file("page", source_url="https://example.org"), wanted)
    assert not is_gone(file("logs - today.log"), wanted, exclude=["*.log"])
    assert not is_gone(file("logs - today.txt"), wanted, exclude=["logs/"])


def held(*files: File) -> dict[str, bool]:
    made = held_of([*SOURCES, Source("https://example.org", url="https://example.org")], files, checksum=checksum)
    return {one.source.name: is_awaited(one) for one in made}


def checksum(path: Path) -> str:
    return BYTES[path.name]


def test_what_a_collection_has_by_name_and_checksum_is_held() -> None:
    assert held() == {}
    assert held(file("a.txt", "aa"), file("b.txt", "other"), file("copy of b.txt", None)) == {"a.txt": False}
    assert held(file("b.txt", "bb", aliases=("copy of b.txt",))) == {"b.txt": False, "copy of b.txt": False}
    assert held(file("a.txt", "aa", "embedding"), file("b.txt", "bb", "awaiting_upload")) == {
        "a.txt": False,
        "b.txt": True,
    }


def test_what_failed_or_cannot_be_read_is_not_held() -> None:
    assert held(file("a.txt", "aa", "failed")) == {}

    def locked(path: Path) -> str:
        raise PermissionError("locked")

    assert held_of(SOURCES, [file("a.txt", "aa")], checksum=locked) == []


def test_what_is_there_sent_again_changes_nothing() -> None:
    awaited = file("a.txt", "aa", "awaiting_upload")
    made = plan_of(SOURCES[:1], [awaited], checksum=checksum)
    assert [(one.source.on_duplicate, one.duplicate_of) for one in made.awaited] == [("existing", "a.txt")]
    assert [one.source.on_duplicate for one in held_of(SOURCES, [awaited], checksum=checksum)] == ["existing"]
    assert made.total == 1
