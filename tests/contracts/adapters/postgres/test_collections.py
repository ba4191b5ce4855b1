"""Collections and their members, whichever metadata keeps them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from modulo.domain.collections.collection import Chunking, Collection, CollectionStatus
from modulo.domain.collections.member import Member
from modulo.domain.collections.member_cursor import MemberCursor
from modulo.domain.errors import Conflict, Forbidden, NotFound, QuotaExceeded
from modulo.domain.files.file import Stage
from modulo.domain.pagination import Cursor
from modulo.domain.tenancy.identity import Principal, Role, Scope
from tests.metadata_world import FINAL, HOUR, MODEL, NOW, Metadata, MetadataContract, World


class TestCollections(MetadataContract):
    def test_it_is_what_was_created(self, metadata: Metadata, world: World) -> None:
        owner, draft = world.user(), world.draft("Papers", chunking=Chunking(max_tokens=100), dedicated=True)
        created = metadata.collections.create_collection(owner, draft, limit=1, now=NOW)
        assert (created.id, created.name, created.owner_id) == (draft.id, "Papers", owner.user_id)
        assert (created.role, created.status, created.version) == (Role.owner, CollectionStatus.created, 1)
        assert (created.embedding_model, created.dedicated, created.files) == (MODEL.name, True, {})
        assert created.chunking == Chunking(max_tokens=100)
        assert created.created_at == created.updated_at == NOW
        assert metadata.collections.get_collection(owner, draft.id) == created
        grant = metadata.grants.grant(owner, draft.id)
        assert (grant.version, grant.space.model, grant.space.dedicated) == (1, MODEL, True)
        assert (grant.space.tenant_id, grant.space.collection_id) == (world.tenant_id, draft.id)
        assert grant.space.owner_id == owner.user_id

    def test_a_caller_known_only_to_an_identity_provider_may_create(self, metadata: Metadata, world: World) -> None:
        caller = Principal(world.tenant_id, uuid4(), frozenset(Scope))
        created = world.collection(caller)
        member = Member(user_id=caller.user_id, name=str(caller.user_id), role=Role.owner)
        assert metadata.members.list_members(caller, created.id, after=None, limit=100).items == (member,)

    def test_the_same_draft_creates_once(self, metadata: Metadata, world: World) -> None:
        owner, draft = world.user(), world.draft()
        first = metadata.collections.create_collection(owner, draft, limit=1, now=NOW)
        assert metadata.collections.create_collection(owner, draft, limit=1, now=NOW + HOUR) == first
        assert world.usage(owner).collections == 1

    def test_an_id_is_not_used_for_something_else(self, metadata: Metadata, world: World) -> None:
        owner, draft = world.user(), world.draft()
        metadata.collections.create_collection(owner, draft, limit=9, now=NOW)
        with pytest.raises(Conflict):
            metadata.collections.create_collection(owner, replace(draft, name="other"), limit=9, now=NOW)
        with pytest.raises(Conflict):
            metadata.collections.create_collection(world.user(), draft, limit=9, now=NOW)
        metadata.collections.tombstone_collection(owner, draft.id, now=NOW)
        with pytest.raises(Conflict):
            metadata.collections.create_collection(owner, draft, limit=9, now=NOW)
        assert world.usage(owner).collections == 0

    def test_the_same_id_in_another_tenant_is_another_collection(self, metadata: Metadata, world: World) -> None:
        draft, other = world.draft(), World(metadata)
        mine, theirs = world.user(), other.user()
        metadata.collections.create_collection(mine, draft, limit=9, now=NOW)
        metadata.collections.create_collection(theirs, draft, limit=9, now=NOW)
        metadata.collections.tombstone_collection(theirs, draft.id, now=NOW)
        assert metadata.collections.get_collection(mine, draft.id).owner_id == mine.user_id

    @pytest.mark.parametrize(
        ("first", "second"),
        [("Papers", "papers"), ("STRASSE", "straße"), ("Caf\u00e9", "cafe\u0301"), ("ΣΊΣΥΦΟΣ", "σίσυφος")],
    )
    def test_a_name_is_unique_however_it_is_written(
        self, metadata: Metadata, world: World, first: str, second: str
    ) -> None:
        owner = world.user()
        world.collection(owner, first)
        with pytest.raises(Conflict, match="name"):
            world.collection(owner, second)
        assert world.collection(world.user(), second).name == second
        other = World(metadata)
        assert other.collection(other.user(), second).name == second

    def test_a_deleted_collection_frees_its_name_and_its_place(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        first = metadata.collections.create_collection(owner, world.draft(), limit=1, now=NOW)
        with pytest.raises(QuotaExceeded) as caught:
            metadata.collections.create_collection(owner, world.draft("more"), limit=1, now=NOW)
        assert (caught.value.extra["resource"], caught.value.extra["limit"]) == ("collections", 1)
        metadata.collections.tombstone_collection(owner, first.id, now=NOW)
        assert metadata.collections.create_collection(owner, world.draft(), limit=1, now=NOW).id != first.id

    def test_a_refused_creation_leaves_nothing(self, metadata: Metadata, world: World) -> None:
        owner, draft = world.user(), world.draft()
        with pytest.raises(QuotaExceeded):
            metadata.collections.create_collection(owner, draft, limit=0, now=NOW)
        assert metadata.collections.list_collections(owner, after=None, limit=9, name=None).items == ()
        assert metadata.collections.create_collection(owner, draft, limit=1, now=NOW).id == draft.id

    def test_pages_hold_every_membership_once_newest_first(self, metadata: Metadata, world: World) -> None:
        owner, guest = world.user(), world.user()
        made = [world.collection(owner, f"c{n}") for n in range(5)]
        at_once = [
            metadata.collections.create_collection(owner, world.draft(f"d{n}"), limit=9, now=NOW) for n in range(2)
        ]
        for collection in (*made[:4], *at_once):
            metadata.members.set_member(owner, collection.id, guest.user_id, Role.viewer)
        seen: list[Collection] = []
        after = None
        while True:
            page = metadata.collections.list_collections(guest, after=after, limit=2, name=None)
            seen += page.items
            assert len(page.items) <= 2
            if page.next is None:
                break
            after = Cursor.decode(page.next)
        expected = [c.id for c in made[3::-1]] + sorted((c.id for c in at_once), reverse=True)
        assert [collection.id for collection in seen] == expected
        assert {collection.role for collection in seen} == {Role.viewer}

    def test_a_listing_may_be_narrowed_to_names_that_contain_a_text(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        for name in ("Annual reports", "100% sure", "snake_case", "back\\slash"):
            world.collection(owner, name)

        def found(text: str) -> list[str]:
            return [c.name for c in metadata.collections.list_collections(owner, after=None, limit=9, name=text).items]

        assert found("REPORT") == ["Annual reports"]
        assert found("%") == ["100% sure"]
        assert found("_") == ["snake_case"]
        assert found("\\") == ["back\\slash"]
        assert found("' OR 1=1 --") == []
        assert len(found("")) == 4

    def test_what_is_not_none_is_changed(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        before = world.collection(owner)
        later = NOW + HOUR
        named = metadata.collections.update_collection(owner, before.id, name="Letters", chunking=None, now=later)
        assert named == before.model_copy(update={"name": "Letters", "updated_at": later})
        chunking = Chunking(max_tokens=64, overlap_tokens=8)
        cut = metadata.collections.update_collection(owner, before.id, name=None, chunking=chunking, now=later + HOUR)
        assert cut == named.model_copy(update={"chunking": chunking, "updated_at": later + HOUR})
        assert (
            metadata.collections.update_collection(owner, before.id, name=None, chunking=None, now=later + 2 * HOUR)
            == cut
        )
        assert metadata.collections.get_collection(owner, before.id) == cut

    def test_a_new_name_must_be_free(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        world.collection(owner, "letters")
        papers = world.collection(owner, "papers")
        with pytest.raises(Conflict, match="name"):
            metadata.collections.update_collection(owner, papers.id, name="LETTERS", chunking=None, now=NOW)
        again = metadata.collections.update_collection(owner, papers.id, name="PAPERS", chunking=None, now=NOW)
        assert again.name == "PAPERS"

    def test_the_status_follows_the_files(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        world.failed(owner, collection, FINAL, "bad.pdf")
        assert metadata.collections.get_collection(owner, collection.id).status is CollectionStatus.error
        world.ready(owner, collection, "good.pdf")
        assert metadata.collections.get_collection(owner, collection.id).status is CollectionStatus.completed
        world.file(owner, collection, "coming.pdf", 50)
        gone = world.ready(owner, collection, "gone.pdf")
        metadata.files.tombstone_file(owner, collection.id, gone.id, now=NOW)
        now = metadata.collections.get_collection(owner, collection.id)
        assert now.status is CollectionStatus.processing
        assert now.files == {Stage.failed: 1, Stage.ready: 1, Stage.awaiting_upload: 1}
        assert now.storage_bytes == 250  # the deleted file counts until it is purged
        assert metadata.collections.list_collections(owner, after=None, limit=9, name=None).items == (now,)

    def test_a_deleted_collection_is_gone_for_everyone(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        file = world.ready(owner, collection)
        viewer = world.member(owner, collection, Role.viewer)
        metadata.collections.tombstone_collection(owner, collection.id, now=NOW)
        for member in (owner, viewer):
            assert metadata.collections.list_collections(member, after=None, limit=9, name=None).items == ()
            for ask in (metadata.collections.get_collection, metadata.grants.grant):
                with pytest.raises(NotFound):
                    ask(member, collection.id)
            with pytest.raises(NotFound):
                metadata.members.list_members(member, collection.id, after=None, limit=9)
            with pytest.raises(NotFound):
                world.live(member, collection, file.id)
            with pytest.raises(NotFound):
                metadata.files.get_file(member, collection.id, file.id)

    def test_deleting_again_changes_nothing(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        viewer = world.member(owner, collection, Role.viewer)
        for now in (NOW, NOW + HOUR):
            metadata.collections.tombstone_collection(owner, collection.id, now=now)
        assert world.usage(owner).collections == 0
        with pytest.raises(NotFound):
            metadata.collections.tombstone_collection(viewer, collection.id, now=NOW)


class TestMembers(MetadataContract):
    def test_members_are_listed_by_role_and_name(self, metadata: Metadata, world: World) -> None:
        owner = world.user("zoe")
        collection = world.collection(owner)
        for name, role in (("cy", Role.viewer), ("bo", Role.editor), ("al", Role.viewer)):
            user = world.user(name)
            given = metadata.members.set_member(owner, collection.id, user.user_id, role)
            assert given == Member(user_id=user.user_id, name=name, role=role)
        listed = metadata.members.list_members(owner, collection.id, after=None, limit=100)
        names = [(m.name, m.role) for m in listed.items]
        assert names == [("zoe", Role.owner), ("bo", Role.editor), ("al", Role.viewer), ("cy", Role.viewer)]

    @pytest.mark.parametrize("limit", [1, 2, 4])
    def test_pages_hold_each_member_once(self, metadata: Metadata, world: World, limit: int) -> None:
        owner = world.user()
        at = world.collection(owner).id
        for name in ("same", "same", "Émile", "émile", "\U0001f600", "z" * 90):
            metadata.members.set_member(owner, at, world.user(name).user_id, Role.viewer)
        whole = metadata.members.list_members(owner, at, after=None, limit=100)
        assert len(whole.items) == 7
        assert whole.next is None
        found: list[Member] = []
        after = None
        while True:
            page = metadata.members.list_members(owner, at, after=after, limit=limit)
            assert len(page.items) <= limit
            found += page.items
            if page.next is None:
                break
            after = MemberCursor.decode(page.next)
        assert tuple(found) == whole.items

    def test_a_page_begins_behind_a_member_who_left(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        at = world.collection(owner).id
        al, bo = (world.user(name) for name in ("al", "bo"))
        for user in (al, bo):
            metadata.members.set_member(owner, at, user.user_id, Role.viewer)
        next_page = metadata.members.list_members(owner, at, after=None, limit=2).next
        assert next_page is not None
        for gone, rest in ((al, ["bo"]), (bo, [])):
            metadata.members.remove_member(owner, at, gone.user_id)
            page = metadata.members.list_members(owner, at, after=MemberCursor.decode(next_page), limit=2)
            assert [member.name for member in page.items] == rest
            assert page.next is None
        with pytest.raises(NotFound):
            metadata.members.list_members(world.user(), at, after=MemberCursor.decode(next_page), limit=2)

    def test_a_role_may_be_changed_and_ended(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        user = world.member(owner, collection, Role.viewer)
        assert metadata.collections.get_collection(user, collection.id).role is Role.viewer
        metadata.members.set_member(owner, collection.id, user.user_id, Role.editor)
        assert metadata.collections.get_collection(user, collection.id).role is Role.editor
        metadata.members.remove_member(owner, collection.id, user.user_id)
        with pytest.raises(NotFound):
            metadata.collections.get_collection(user, collection.id)
        with pytest.raises(NotFound):
            metadata.members.remove_member(owner, collection.id, user.user_id)

    def test_only_users_of_the_tenant_become_members(self, metadata: Metadata, world: World) -> None:
        owner, foreign = world.user(), World(metadata).user()
        collection = world.collection(owner)
        for user_id in (uuid4(), foreign.user_id):
            with pytest.raises(NotFound):
                metadata.members.set_member(owner, collection.id, user_id, Role.viewer)

    def test_there_is_one_owner_who_stays(self, metadata: Metadata, world: World) -> None:
        owner, user = world.user(), world.user()
        collection = world.collection(owner)
        for role in Role:
            with pytest.raises(Conflict):
                metadata.members.set_member(owner, collection.id, owner.user_id, role)
        with pytest.raises(Conflict):
            metadata.members.remove_member(owner, collection.id, owner.user_id)
        with pytest.raises(Conflict):
            metadata.members.set_member(owner, collection.id, user.user_id, Role.owner)
        listed = metadata.members.list_members(owner, collection.id, after=None, limit=100)
        assert [m.role for m in listed.items] == [Role.owner]


class TestRoles(MetadataContract):
    @pytest.mark.parametrize("role", [Role.editor, Role.viewer])
    def test_a_role_that_does_not_suffice_is_refused(self, metadata: Metadata, world: World, role: Role) -> None:
        owner = world.user()
        collection = world.collection(owner)
        file = world.ready(owner, collection)
        member = world.member(owner, collection, role)
        at = collection.id
        for_editors: list[Callable[[], object]] = [
            lambda: metadata.collections.update_collection(member, at, name=None, chunking=Chunking(), now=NOW),
            lambda: world.file(member, collection, "more.pdf"),
            lambda: metadata.files.tombstone_file(member, at, file.id, now=NOW),
        ]
        for_owners: list[Callable[[], object]] = [
            lambda: metadata.collections.update_collection(member, at, name="new", chunking=None, now=NOW),
            lambda: metadata.members.set_member(member, at, owner.user_id, Role.viewer),
            lambda: metadata.members.remove_member(member, at, owner.user_id),
            lambda: metadata.collections.tombstone_collection(member, at, now=NOW),
        ]
        for call in for_owners + (for_editors if role is Role.viewer else []):
            with pytest.raises(Forbidden, match=f"'{role}'"):
                call()
        if role is Role.editor:
            for call in for_editors:
                call()
        assert metadata.collections.get_collection(member, at).role is role
        assert len(metadata.members.list_members(member, at, after=None, limit=100).items) == 2
        assert metadata.files.list_files(member, at, after=None, limit=9, stage=None).next is None
        assert metadata.grants.grant(member, at).space.owner_id == owner.user_id

    def test_ages_are_told_to_the_microsecond_in_utc(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        now = NOW + timedelta(microseconds=1)
        created = metadata.collections.create_collection(owner, world.draft(), limit=9, now=now)
        found = metadata.collections.get_collection(owner, created.id)
        assert found.created_at == now
        assert found.created_at.utcoffset() == timedelta(0)
