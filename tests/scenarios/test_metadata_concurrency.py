"""What holds when many ask at the same moment, whichever metadata is asked."""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from random import Random
from threading import Barrier

import pytest

from modulo.domain.errors import Conflict, NotFound, QuotaExceeded
from modulo.domain.files.file import Stage
from modulo.domain.operations.dead_letter import DeadLetterQuery
from modulo.domain.operations.deletion import Inventory
from modulo.domain.operations.messages import IngestRequest
from modulo.domain.tenancy.identity import Role
from modulo.domain.tenancy.quota import Quotas, Reservation
from tests.metadata_world import (
    FINAL,
    HOUR,
    NOW,
    PERIOD,
    Metadata,
    MetadataContract,
    World,
    dead_letter_draft,
    exchange,
)

MANY = 100
THREADS = 20


def at_once(calls: Sequence[Callable[[], object]]) -> Counter[str]:
    """How often each kind of answer came: a problem's name, or that of the answer's type."""
    threads = min(THREADS, len(calls))
    together = Barrier(threads)

    def one(call: Callable[[], object]) -> str:
        try:
            return type(call()).__name__
        except (Conflict, NotFound, QuotaExceeded) as error:
            return type(error).__name__

    with ThreadPoolExecutor(threads, initializer=together.wait, initargs=(10,)) as pool:
        return Counter(pool.map(one, calls))


class TestConcurrency(MetadataContract):
    def test_one_place_for_a_collection_is_given_once(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        world.collection(owner, "first")
        drafts = [world.draft(f"c{n}") for n in range(MANY)]
        answers = at_once(
            [partial(metadata.collections.create_collection, owner, draft, limit=2, now=NOW) for draft in drafts]
        )
        assert answers == {"Collection": 1, "QuotaExceeded": MANY - 1}
        assert world.usage(owner).collections == 2
        assert len(metadata.collections.list_collections(owner, after=None, limit=MANY, name=None).items) == 2

    def test_one_place_for_a_file_is_given_once(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        quotas = Quotas(files=3, storage_bytes=10**9)
        for name in ("a", "b"):
            metadata.uploads.reserve_file(owner, collection.id, world.upload(name), quotas=quotas, now=NOW)
        drafts = [world.upload(f"{n}.pdf", 1) for n in range(MANY)]
        answers = at_once(
            [partial(metadata.uploads.reserve_file, owner, collection.id, d, quotas=quotas, now=NOW) for d in drafts]
        )
        assert answers == {"File": 1, "QuotaExceeded": MANY - 1}
        assert metadata.collections.get_collection(owner, collection.id).files == {Stage.awaiting_upload: 3}

    def test_the_last_bytes_are_given_once_over_all_collections(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        places = [world.collection(owner, f"c{n}") for n in range(4)]
        quotas = Quotas(files=MANY, storage_bytes=299)
        metadata.uploads.reserve_file(owner, places[0].id, world.upload("first", 100), quotas=quotas, now=NOW)
        drafts = [world.upload(f"{n}.pdf", 100) for n in range(MANY)]
        answers = at_once(
            [
                partial(metadata.uploads.reserve_file, owner, places[n % 4].id, draft, quotas=quotas, now=NOW)
                for n, draft in enumerate(drafts)
            ]
        )
        assert answers == {"File": 1, "QuotaExceeded": MANY - 1}
        assert world.usage(owner).storage_bytes == 200

    def test_the_last_tokens_are_given_once(self, metadata: Metadata, world: World) -> None:
        user = world.user()
        collection = world.collection(user)
        assert world.reserve(user, collection, 89)
        given = at_once([lambda: world.reserve(user, collection, 11) or None] * MANY)
        assert given == {"bool": 1, "NoneType": MANY - 1}
        assert world.usage(user).tokens_reserved == 100

    def test_the_first_reservations_of_a_period_hold_too(self, metadata: Metadata, world: World) -> None:
        user = world.user()
        collection = world.collection(user)
        given = at_once([lambda: world.reserve(user, collection, 30) or None] * 20)
        assert given == {"bool": 3, "NoneType": 17}

    def test_the_same_draft_creates_one_collection(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        for number in range(1, 41):  # one in 25 went wrong while only one unique index was looked at
            draft = world.draft(f"c{number}")
            create = partial(metadata.collections.create_collection, owner, draft, limit=MANY, now=NOW)
            assert at_once([create] * 6) == {"Collection": 6}
            assert world.usage(owner).collections == number

    def test_the_same_name_is_given_once(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        create = [
            partial(metadata.collections.create_collection, owner, world.draft("Same"), limit=100, now=NOW)
            for _ in range(THREADS)
        ]
        assert at_once(create) == {"Collection": 1, "Conflict": THREADS - 1}
        assert world.usage(owner).collections == 1

    def test_uploads_of_one_name_leave_one_of_them_charged(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        assert at_once([lambda: world.file(owner, collection)] * THREADS) == {"File": THREADS}
        (file,) = metadata.files.list_files(owner, collection.id, after=None, limit=9, stage=None).items
        assert (file.generation, world.usage(owner).storage_bytes) == (THREADS, 100)

    def test_an_upload_and_its_replacement_do_not_both_go_on(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        for number in range(10):
            first = world.file(owner, collection, f"{number}.pdf", 10)
            again = partial(world.file, owner, collection, f"{number}.pdf", 10)
            answers = at_once([partial(world.try_claim, first), again])
            assert answers in ({"Claim": 1, "Conflict": 1}, {"NoneType": 1, "File": 1})
        assert world.usage(owner).storage_bytes == 100

    def test_a_generation_is_claimed_by_one(self, world: World) -> None:
        owner = world.user()
        file = world.file(owner, world.collection(owner))
        assert at_once([lambda: world.try_claim(file)] * THREADS) == {"Claim": 1, "NoneType": THREADS - 1}

    def test_a_failed_generation_is_retried_by_one(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        claim = world.claim(world.file(owner, collection))
        passing = FINAL.model_copy(update={"retryable": True})
        assert metadata.ingestion.fail(claim, passing, now=NOW)
        file = metadata.files.get_file(owner, collection.id, claim.ref.file_id)
        assert at_once([lambda: world.try_claim(file)] * THREADS) == {"Claim": 1, "NoneType": THREADS - 1}
        assert world.usage(owner).storage_bytes == 100

    def test_however_it_ends_the_bytes_come_back_once(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collections = [world.collection(owner, f"c{n}") for n in range(4)]
        files = [world.file(owner, collection, f"{n}.pdf", 25) for n in range(5) for collection in collections]
        claims = [world.claim(file) for file in files]
        calls: list[Callable[[], object]] = []
        for file, claim in zip(files, claims, strict=True):
            calls += [
                partial(metadata.ingestion.fail, claim, FINAL, now=NOW),
                partial(world.publish, claim),
                partial(metadata.files.tombstone_file, owner, file.collection_id, file.id, now=NOW),
            ]
        calls += [lambda: metadata.sweeping.sweep(now=NOW + 2 * HOUR, limit=100)] * 4
        calls += [partial(metadata.collections.tombstone_collection, owner, c.id, now=NOW) for c in collections[:2]]
        Random(7).shuffle(calls)
        assert at_once(calls).total() == len(calls)
        for collection in collections:
            metadata.collections.tombstone_collection(owner, collection.id, now=NOW)
        purges = [metadata.purging.find_purge(world.tenant_id, collection.id, None) for collection in collections]
        proven = [
            replace(
                purge,
                receipt=metadata.deletions.record_removal(
                    world.tenant_id, purge.receipt, Inventory(), cached=0, now=NOW
                ),
            )
            for purge in purges
            if purge is not None and purge.receipt is not None
        ]
        made = at_once([partial(metadata.purging.mark_purged, purge, now=NOW) for purge in proven * 5])
        assert made == {"bool": 20}
        usage = world.usage(owner)
        assert (usage.storage_bytes, usage.collections) == (0, 0)

    def test_one_dead_letter_of_a_subject_is_left(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        for number in range(5):  # all were left while each deleted only those that it saw
            request = IngestRequest(world.ref(world.file(owner, collection, f"{number}.pdf", 1)))
            letters = [dead_letter_draft(request) for _ in range(6)]
            record = [partial(metadata.dead_letters.record_dead_letter, letter, now=NOW) for letter in letters]
            assert at_once(record) == {"bool": 6}
            found = metadata.dead_letters.list_dead_letters(owner, collection.id, DeadLetterQuery(limit=MANY))
            assert len(found.items) == number + 1

    def test_a_user_may_be_removed_while_at_work(self, metadata: Metadata, world: World) -> None:
        """Each of these waits for some of the others; in a circle, before all of them locked in one order."""
        world.user()
        for number in range(8):
            user = world.user(f"user {number}")
            collection, kept = world.collection(user, f"c{number}"), world.user_file(user)
            conversation = world.conversation(user, "t", "question", "answer")
            asked = metadata.conversation_messages.list_messages(user, conversation.id, after=None, limit=1).items[0]
            remove = partial(metadata.user_deletions.remove_user, world.tenant_id, user.user_id, now=NOW)
            calls: list[Callable[[], object]] = [
                remove,
                remove,
                partial(world.file, user, collection, "new.txt", 1),
                partial(metadata.collections.tombstone_collection, user, collection.id, now=NOW),
                partial(metadata.user_files.tombstone_user_file, user, kept.id, now=NOW),
                partial(
                    metadata.conversation_messages.delete_message, user, conversation.id, asked.message.id, now=NOW
                ),
                partial(metadata.conversations.delete_conversation, user, conversation.id, now=NOW),
            ]
            assert at_once(calls)["tuple"] == 2
            usage = world.usage(user)
            assert usage.collections <= 1
            assert metadata.conversations.list_conversations(user, after=None, limit=9, archived=None).items == ()

    def test_a_conversation_with_a_message_just_added_is_not_deleted_as_empty(
        self, metadata: Metadata, world: World
    ) -> None:
        user, conversations = world.user(), metadata.conversations
        made = [world.conversation(user, f"c{number}") for number in range(10)]
        calls: list[Callable[[], object]] = []
        for one in made:
            add = partial(metadata.conversation_messages.add_messages, user, one.id, exchange("How long?"))
            calls.append(partial(add, limit=9, now=NOW))
            calls.append(partial(conversations.delete_conversation, user, one.id, only_empty=True, now=NOW))
        answers = at_once(calls)
        assert answers["tuple"] + answers["NotFound"] == len(made)
        kept = conversations.list_conversations(user, after=None, limit=99, archived=None).items
        assert [one.message_count for one in kept] == [1] * answers["tuple"]

    @pytest.mark.parametrize("comes_back", ["asks", "is invited"])
    def test_the_removal_of_a_user_who_came_back_is_completed(
        self, metadata: Metadata, world: World, comes_back: str
    ) -> None:
        host, user = world.user(), world.user()
        metadata.user_deletions.remove_user(world.tenant_id, user.user_id, now=NOW)
        if comes_back == "asks":
            assert metadata.usage.reserve_tokens(user, Reservation(PERIOD, 5, 100))
        else:
            collection = world.collection(host)
            metadata.members.set_member(host, collection.id, user.user_id, Role.viewer)
        assert metadata.user_deletions.complete_removal(world.tenant_id, user.user_id, now=NOW)
        listed = metadata.user_deletions.list_users(world.tenant_id, after=None, limit=9)
        assert {host.user_id, user.user_id} == {one.id for one in listed}

    def test_a_publication_and_a_deletion_leave_nothing_live(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        files = [world.file(owner, collection, f"{n}.pdf", 1) for n in range(THREADS // 2)]
        claims = [world.claim(file) for file in files]
        calls: list[Callable[[], object]] = []
        for file, claim in zip(files, claims, strict=True):
            calls.append(partial(world.publish, claim))
            calls.append(partial(metadata.files.tombstone_file, owner, collection.id, file.id, now=NOW))
        at_once(calls)
        assert world.live(owner, collection, *(file.id for file in files)) == {}
        assert metadata.files.list_files(owner, collection.id, after=None, limit=99, stage=None).items == ()
