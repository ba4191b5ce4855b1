"""What changed in a collection, whichever metadata keeps it."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import event, text

from modulo.domain.errors import NotFound
from modulo.domain.files.file import File, Stage
from modulo.domain.pagination import Cursor
from modulo.domain.tenancy.identity import Role
from tests.metadata_world import (
    FINAL,
    NOW,
    QUOTAS,
    Metadata,
    MetadataContract,
    World,
    postgres_metadata,
    settings_of,
)

SECOND = timedelta(seconds=1)
BEGINNING = Cursor(NOW - SECOND, UUID(int=0))


def names(files: list[File]) -> list[str]:
    return [file.name for file in files]


class TestChanges(MetadataContract):
    def test_they_come_in_their_order(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        first, second, third = (world.file(owner, collection, name) for name in ("first", "second", "third"))
        changed = metadata.files.changes(owner, collection.id, after=BEGINNING, limit=10)
        assert names(changed) == ["first", "second", "third"]
        assert metadata.files.changes(owner, collection.id, after=Cursor(third.updated_at, third.id), limit=10) == []
        claim = world.claim(first, now=third.updated_at + SECOND)
        after = Cursor(second.updated_at, second.id)
        changed = metadata.files.changes(owner, collection.id, after=after, limit=10)
        assert [(file.name, file.stage) for file in changed] == [
            ("third", Stage.awaiting_upload),
            ("first", Stage.parsing),
        ]
        lease = {"lease_until": NOW + timedelta(hours=1)}
        later = third.updated_at + 2 * SECOND
        assert metadata.ingestion.advance(claim, Stage.embedding, pages_done=2, pages_total=5, now=later, **lease)
        (told,) = metadata.files.changes(owner, collection.id, after=Cursor(later - SECOND, UUID(int=0)), limit=1)[-1:]
        found = metadata.files.changes(owner, collection.id, after=Cursor(later - SECOND, first.id), limit=10)
        assert (told.name, found[0].pages_done, found[0].pages_total) == ("first", 2, 5)
        assert found == [metadata.files.get_file(owner, collection.id, first.id)]

    def test_a_page_ends_at_its_limit_and_goes_on_behind_it(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        for name in ("a", "b", "c", "d", "e"):
            metadata.uploads.reserve_file(owner, collection.id, world.upload(name), quotas=QUOTAS, now=NOW)
        page = metadata.files.changes(owner, collection.id, after=BEGINNING, limit=3)
        rest = metadata.files.changes(owner, collection.id, after=Cursor(page[-1].updated_at, page[-1].id), limit=3)
        assert sorted(names(page + rest)) == ["a", "b", "c", "d", "e"]
        assert [file.id for file in page + rest] == sorted(file.id for file in page + rest)

    def test_without_a_cursor_it_is_what_lives_and_changed_last(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        assert metadata.files.changes(owner, collection.id, after=None, limit=10) == []
        for name in ("a", "b", "c"):
            world.file(owner, collection, name)
        gone = world.file(owner, collection, "gone")
        metadata.files.tombstone_file(owner, collection.id, gone.id, now=gone.updated_at + SECOND)
        assert names(metadata.files.changes(owner, collection.id, after=None, limit=10)) == ["a", "b", "c"]
        assert names(metadata.files.changes(owner, collection.id, after=None, limit=2)) == ["b", "c"]

    def test_what_is_deleted_is_told_to_who_goes_on(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        file = world.file(owner, collection)
        metadata.files.tombstone_file(owner, collection.id, file.id, now=file.updated_at + SECOND)
        changed = metadata.files.changes(owner, collection.id, after=Cursor(file.updated_at, file.id), limit=10)
        assert [(found.id, found.stage) for found in changed] == [(file.id, Stage.deleting)]

    def test_ends_are_changes(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        ready, failed = world.ready(owner, collection, "ready"), world.failed(owner, collection, FINAL, "failed")
        changed = metadata.files.changes(owner, collection.id, after=None, limit=10)
        assert {file.id: (file.stage, file.chunk_count, file.problem) for file in changed} == {
            ready.id: (Stage.ready, 7, None),
            failed.id: (Stage.failed, None, FINAL),
        }

    def test_only_the_newest_generation_of_a_file_is_told(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        world.ready(owner, collection)
        again = world.file(owner, collection)
        changed = metadata.files.changes(owner, collection.id, after=BEGINNING, limit=10)
        assert [(file.id, file.generation) for file in changed] == [(again.id, 2)]

    def test_other_collections_change_apart(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection, other = world.collection(owner), world.collection(owner, "other")
        world.file(owner, other)
        foreign = World(metadata)
        stranger = foreign.user()
        foreign.file(stranger, foreign.collection(stranger))
        assert metadata.files.changes(owner, collection.id, after=BEGINNING, limit=10) == []
        assert metadata.files.changes(owner, collection.id, after=None, limit=10) == []

    @pytest.mark.parametrize("after", [None, BEGINNING], ids=["at first", "later"])
    def test_only_members_are_told(self, metadata: Metadata, world: World, after: Cursor | None) -> None:
        owner = world.user()
        collection = world.collection(owner)
        viewer = world.member(owner, collection, Role.viewer)
        world.file(owner, collection)
        assert len(metadata.files.changes(viewer, collection.id, after=after, limit=10)) == 1
        metadata.members.remove_member(owner, collection.id, viewer.user_id)
        stranger = World(metadata).user()
        for user, known in [(viewer, collection.id), (stranger, collection.id), (owner, uuid4())]:
            with pytest.raises(NotFound):
                metadata.files.changes(user, known, after=after, limit=10)
        metadata.collections.tombstone_collection(owner, collection.id, now=NOW)
        with pytest.raises(NotFound):
            metadata.files.changes(owner, collection.id, after=after, limit=10)


def test_looking_for_changes_reads_the_changes_only(postgres: dict[str, str]) -> None:
    """In a collection of 20,000 files what changed lately is found by its index; no table is read through."""
    with postgres_metadata(settings_of(postgres)) as metadata:
        world = World(metadata)
        owner = world.user()
        collection = world.collection(owner)
        file = world.file(owner, collection)
        given = {"tenant": world.tenant_id, "collection": collection.id, "user": owner.user_id, "now": NOW}
        with metadata.pools.writer.begin() as connection:
            connection.execute(text(MANY), given)
        with metadata.pools.writer.begin() as connection:
            connection.execute(text("ANALYZE files, generations, collections, members"))
        asked: list[tuple[str, Any]] = []
        event.listen(
            metadata.pools.reader,
            "before_cursor_execute",
            lambda _c, _k, said, parameters, *_: asked.append((said, parameters)),
        )
        after = Cursor(file.updated_at - SECOND, UUID(int=0))
        assert metadata.files.changes(owner, collection.id, after=after, limit=100) == [file]
        ((statement, parameters),) = asked
        with metadata.pools.writer.begin() as connection:
            plan = connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
            told = "\n".join(plan.scalars())
    assert "ix_generations_changes" in told
    assert "Seq Scan on generations" not in told
    assert "Seq Scan on files" not in told


MANY = """
WITH numbers AS (SELECT n, gen_random_uuid() AS id FROM generate_series(1, 20000) AS n),
added AS (
  INSERT INTO files (tenant_id, id, collection_id, name, generation, created_by, created_at)
  SELECT :tenant, id, :collection, 'file ' || n, 1, :user, CAST(:now AS timestamptz) FROM numbers
)
INSERT INTO generations (tenant_id, file_id, number, source, draft_id, stage, media_type, size_bytes, storage_limit,
  charged, deadline, created_at, updated_at, chunk_count, content_hash)
SELECT :tenant, id, 1, 1, id, 'ready', 'text/plain', 1, 1, true, :now, :now,
  CAST(:now AS timestamptz) - n * interval '1 minute', 1, 'none' FROM numbers
"""
