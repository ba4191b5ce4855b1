"""One successful call of every method of every role but backups, which read everything."""

from dataclasses import replace
from functools import partial
from typing import Any
from uuid import uuid4

from modulo.domain.collections.reembedding import ReembeddingDraft, ReembeddingState
from modulo.domain.conversations.conversation import (
    ConversationChange,
    ConversationDraft,
    Feedback,
    MessageDraft,
    MessageRole,
    Rating,
)
from modulo.domain.documents.document import Part
from modulo.domain.files.file import DocumentInfo, FileChange, OnDuplicate, Stage
from modulo.domain.files.file_batch import BatchDraft
from modulo.domain.files.subscription import StreamPosition
from modulo.domain.files.user_file import Purpose, UserFile, UserFileRef
from modulo.domain.files.web import ContentInfo, KnownContent, Validators
from modulo.domain.ingestion.claim import PartResult
from modulo.domain.operations.dead_letter import DeadLetterQuery
from modulo.domain.operations.deletion import Inventory, deletion_id
from modulo.domain.operations.messages import IngestRequest
from modulo.domain.pagination import Cursor, Window
from modulo.domain.retrieval.filter_language import parse_filters
from modulo.domain.tenancy.identity import Role, api_key_hash
from modulo.domain.tenancy.quota import Reservation
from tests.metadata_world import (
    FINAL,
    HOUR,
    MODEL,
    NOW,
    PASSING,
    PERIOD,
    QUOTAS,
    World,
    dead_letter_draft,
    key_of,
    subscription_draft,
)

PARTS = (Part(0, 0, 1), Part(1, 1, 2))
EVERYTHING = {
    "source": "a.pdf",
    "title": "On Growth",
    "author": {"contains": "Ada"},
    "language": ["en", "de"],
    "creation_date": {"gte": "2020", "lt": "2021"},
    "mod_date": "2020-05",
    "created_at": {"gt": "2020", "lte": "2030"},
}
ARRIVAL = ContentInfo(5, "00" * 32, "text/html")


def calls(world: World) -> dict[str, partial[Any]]:
    """One successful call of each method, in an order that lets each succeed."""
    store, owner = world.metadata, world.user()
    member, collection = world.user(), world.collection(owner)
    key = key_of(owner)
    for number in range(5):
        world.ready(owner, collection, f"{number}.pdf", 10)
        world.collection(owner, f"c{number}")
    world.ready(owner, collection, "0.pdf", 10)
    at, files = collection.id, store.files.list_files(owner, collection.id, after=None, limit=9, stage=None).items
    first, second = (world.claim(world.file(owner, collection, name, 10)) for name in ("x", "y"))
    fresh = world.file(owner, collection, "z", 10)
    secret = api_key_hash(str(key.id))
    dropped = [world.collection(owner, name) for name in ("dropped", "gone")]
    for number, gone in enumerate(dropped):
        world.ready(owner, gone, f"{number}.pdf", 10)
        store.collections.tombstone_collection(owner, gone.id, now=NOW)
    deleted = world.found(dropped[0])
    empty = world.found(dropped[1])
    assert deleted.receipt
    assert empty.receipt
    proven = replace(
        empty, receipt=store.deletions.record_removal(world.tenant_id, empty.receipt, Inventory(), cached=0, now=NOW)
    )
    living, gone = World(store), World(store)
    living.user()
    gone.ready(gone_owner := gone.user(), gone.collection(gone_owner))
    store.tenants.tombstone_tenant(gone.tenant_id, now=NOW)
    ending = World(store)
    ending.user()
    store.tenants.tombstone_tenant(ending.tenant_id, now=NOW)
    step = store.tenants.dismantle(ending.tenant_id, now=NOW, limit=9)
    assert step
    assert step.receipt
    ended = store.deletions.record_removal(ending.tenant_id, step.receipt, Inventory(), cached=0, now=NOW)
    large = world.collection(owner, "large")
    whole, divided = (world.claim(world.file(owner, large, name, 10)) for name in ("p", "q"))
    held = world.claim(world.file(owner, large, "a.zip", 10))
    lease: dict[str, Any] = {"lease_until": NOW + HOUR, "now": NOW}
    assert store.parts.divide(divided, PARTS, pages_total=2, deadline=NOW + HOUR, **lease)
    part = store.parts.claim_part(divided.ref, 0, **lease)
    assert part is not None
    pages = [world.addressed(owner, large, name) for name in ("a.html", "b.html")]
    known = KnownContent(1, ARRIVAL.checksum_sha256, Validators('"1"'))
    first_page = world.addressed(owner, large, "c.html")
    assert store.fetching.arrive(world.ref(first_page), ARRIVAL, before=None, now=NOW)
    assert world.publish(world.claim(first_page))
    pages.append(world.addressed(owner, large, "c.html"))
    unreachable = world.addressed(owner, large, "d.html")
    assert store.fetching.refuse(world.ref(unreachable), PASSING, now=NOW)
    listing: dict[str, Any] = {"after": None, "limit": 3}
    rebuilt = world.collection(owner, "rebuilt")
    leaving: dict[str, Any] = {"leave_out": True, "now": NOW}
    draft = ReembeddingDraft(uuid4(), MODEL, None, auto_switch=False, keep_seconds=60)
    world.ready(owner, rebuilt, "rebuilt.pdf", 10)
    tokens = Reservation(PERIOD, 5, 10)
    alias = partial(store.uploads.reserve_file, owner, at, quotas=QUOTAS, now=NOW)
    named = alias(world.upload("one", 10, checksum_sha256="01" * 32))
    alias(world.upload("other", 10, checksum_sha256="01" * 32, on_duplicate=OnDuplicate.alias))
    letter = dead_letter_draft(IngestRequest(world.ref(fresh)))
    assert store.subscriptions.add_subscription(owner, large.id, subscription_draft(), limit=9, now=NOW)
    (watching,) = store.subscriptions.lease_subscriptions(
        world.tenant_id, large.id, since=None, lease_until=NOW, now=NOW
    )
    return {
        "tenants.add_tenant": partial(world.user),
        "identities.add_api_key": partial(store.identities.add_api_key, key, secret_hash=secret),
        "identities.list_api_keys": partial(store.identities.list_api_keys, world.tenant_id),
        "identities.principal_of": partial(store.identities.principal_of, secret, now=NOW),
        "identities.revoke_api_key": partial(store.identities.revoke_api_key, world.tenant_id, key.id, now=NOW),
        "collections.create_collection": partial(world.collection, owner, "new"),
        "collections.list_collections": partial(store.collections.list_collections, owner, name="c", **listing),
        "collections.get_collection": partial(store.collections.get_collection, owner, at),
        "collections.update_collection": partial(
            store.collections.update_collection, owner, at, name="renamed", chunking=None, now=NOW
        ),
        "reembeddings.start_reembedding": partial(
            store.reembeddings.start_reembedding, owner, rebuilt.id, draft, now=NOW
        ),
        "reembeddings.list_owned": partial(store.reembeddings.list_owned, world.tenant_id, after=None, limit=3),
        "reembeddings.get_reembedding": partial(store.reembeddings.get_reembedding, owner, rebuilt.id, now=NOW),
        "reembeddings.move_reembedding": partial(
            store.reembeddings.move_reembedding, owner, rebuilt.id, ReembeddingState.switched, **leaving
        ),
        "reembeddings.cancel_reembedding": partial(store.reembeddings.cancel_reembedding, owner, rebuilt.id, now=NOW),
        "members.set_member": partial(store.members.set_member, owner, at, member.user_id, Role.viewer),
        "members.list_members": partial(store.members.list_members, owner, at, after=None, limit=3),
        "members.remove_member": partial(store.members.remove_member, owner, at, member.user_id),
        "grants.matching": partial(store.grants.matching, owner, [at], parse_filters(EVERYTHING), limit=3),
        "files.change_file": partial(
            store.files.change_file, owner, at, fresh.id, FileChange(attributes={"a": 1}), now=NOW
        ),
        "files.remove_alias": partial(store.files.remove_alias, owner, at, named.id, "other", now=NOW),
        "uploads.reserve_file": partial(world.file, owner, collection, "0.pdf", 10),
        "files.list_files": partial(store.files.list_files, owner, at, stage=None, **listing),
        "files.changes": partial(store.files.changes, owner, at, after=Cursor(NOW, fresh.id), limit=3),
        "files.get_file": partial(store.files.get_file, owner, at, fresh.id),
        "files.get_stored_file": partial(store.files.get_stored_file, owner, at, fresh.id),
        "fetching.begin_fetch": partial(store.fetching.begin_fetch, world.ref(pages[0]), now=NOW),
        "fetching.arrive": partial(store.fetching.arrive, world.ref(pages[0]), ARRIVAL, before=None, now=NOW),
        "fetching.unchanged": partial(
            store.fetching.unchanged, world.ref(pages[2]), known, known.validators, before=None, now=NOW
        ),
        "fetching.postpone_fetch": partial(
            store.fetching.postpone_fetch, world.ref(pages[1]), FINAL, until=NOW + HOUR, now=NOW
        ),
        "fetching.restart_fetch": partial(
            store.fetching.restart_fetch, world.ref(unreachable), deadline=NOW + 99 * HOUR, now=NOW
        ),
        "fetching.refuse": partial(store.fetching.refuse, world.ref(pages[1]), FINAL, now=NOW),
        "ingestion.claim": partial(world.claim, fresh),
        "ingestion.advance": partial(
            store.ingestion.advance, first, Stage.embedding, pages_done=1, lease_until=NOW + HOUR, now=NOW
        ),
        "ingestion.publish": partial(world.publish, first),
        "ingestion.release": partial(
            store.ingestion.release, world.claim(world.file(owner, collection, "w", 10)), now=NOW
        ),
        "ingestion.reset_attempts": partial(store.ingestion.reset_attempts, world.ref(fresh)),
        "parts.divide": partial(store.parts.divide, whole, PARTS, pages_total=2, deadline=NOW + HOUR, **lease),
        "parts.parts": partial(store.parts.parts, divided.ref),
        "parts.claim_part": partial(store.parts.claim_part, divided.ref, 1, **lease),
        "parts.finish_part": partial(store.parts.finish_part, part, PartResult(1, "ab" * 32, DocumentInfo()), **lease),
        "ingestion.viable": partial(store.ingestion.viable, world.ref(fresh)),
        "ingestion.fail": partial(store.ingestion.fail, second, FINAL, now=NOW),
        "sweeping.overdue_unclaimed": partial(store.sweeping.overdue_unclaimed, now=NOW, created_since=NOW, limit=50),
        "sweeping.postpone_deadlines": partial(
            store.sweeping.postpone_deadlines, [world.ref(fresh)], deadline=NOW + HOUR, now=NOW, queued=True
        ),
        "sweeping.sweep": partial(store.sweeping.sweep, now=NOW + 2 * HOUR, limit=50),
        "purging.find_purge": partial(store.purging.find_purge, world.tenant_id, at, None),
        "deletions.record_removal": partial(
            store.deletions.record_removal, world.tenant_id, deleted.receipt, Inventory(), cached=0, now=NOW
        ),
        "purging.mark_purged": partial(store.purging.mark_purged, proven, now=NOW + HOUR),
        "deletions.list_deletions": partial(store.deletions.list_deletions, owner, **listing),
        "deletions.get_deletion": partial(store.deletions.get_deletion, owner, deletion_id(dropped[0].id)),
        "deletions.find_deletion": partial(store.deletions.find_deletion, world.tenant_id, deletion_id(dropped[0].id)),
        "tenants.list_tenants": partial(store.tenants.list_tenants, after=world.tenant_id, limit=3),
        "tenants.tenant_deleted": partial(store.tenants.tenant_deleted, world.tenant_id),
        "tenants.tombstone_tenant": partial(store.tenants.tombstone_tenant, living.tenant_id, now=NOW),
        "tenants.dismantle": partial(store.tenants.dismantle, gone.tenant_id, now=NOW, limit=9),
        "tenants.end_tenant": partial(store.tenants.end_tenant, ending.tenant_id, ended, now=NOW),
        "deletions.forget_deletions": partial(store.deletions.forget_deletions, before=NOW - HOUR, limit=10),
        "dead_letters.record_dead_letter": partial(store.dead_letters.record_dead_letter, letter, now=NOW),
        "dead_letters.list_dead_letters": partial(store.dead_letters.list_dead_letters, owner, at, DeadLetterQuery(3)),
        "dead_letters.list_all_dead_letters": partial(store.dead_letters.list_all_dead_letters, DeadLetterQuery(3)),
        "dead_letters.mark_retried": partial(store.dead_letters.mark_retried, world.tenant_id, [letter.id], now=NOW),
        "dead_letters.discard_dead_letters": partial(
            store.dead_letters.discard_dead_letters, world.tenant_id, [letter.id]
        ),
        "grants.grant": partial(store.grants.grant, owner, at),
        "grants.grants": partial(store.grants.grants, owner, [at]),
        "grants.live_documents": partial(
            store.grants.live_documents, owner, [at], [file.id for file in files], reservation=tokens
        ),
        "usage.get_usage": partial(world.usage, owner),
        "usage.settle_tokens": partial(store.usage.settle_tokens, owner, period=PERIOD, reserved=5, used=1),
        "usage.open_period": partial(store.usage.open_period, PERIOD, keep_from=PERIOD),
        "database.ping": partial(store.database.ping),
        "uploads.reserve_archived": partial(
            store.uploads.reserve_archived, held, world.upload("a.zip/b", 1), quotas=QUOTAS, now=NOW
        ),
        "uploads.drop_archived": partial(store.uploads.drop_archived, held, keep=[], now=NOW),
        "files.tombstone_file": partial(store.files.tombstone_file, owner, at, fresh.id, now=NOW),
        "collections.tombstone_collection": partial(store.collections.tombstone_collection, owner, at, now=NOW),
        "subscriptions.add_subscription": partial(
            store.subscriptions.add_subscription, owner, large.id, subscription_draft(), limit=9, now=NOW
        ),
        "subscriptions.lease_subscriptions": partial(
            store.subscriptions.lease_subscriptions, world.tenant_id, large.id, since=NOW, **lease
        ),
        "subscriptions.release_subscription": partial(
            store.subscriptions.release_subscription, watching, StreamPosition(NOW), delivered_at=NOW
        ),
        "subscriptions.forget_subscription": partial(store.subscriptions.forget_subscription, "nobody"),
        "subscriptions.pending_pushes": partial(store.subscriptions.pending_pushes, now=NOW - HOUR, limit=9),
        **_calls_of_conversations(world),
        **_calls_of_user_files(world),
        **_calls_of_operators(world),
    }


def _calls_of_conversations(world: World) -> dict[str, partial[Any]]:
    """Of what the conversations of a user are reached by, and the user's account."""
    store, user = world.metadata, world.user()
    at = world.conversation(user, "Leave", "How long is leave?", "30 days.").id
    asked, answered = store.conversation_messages.list_messages(user, at, after=None, limit=9).items
    said, chats = store.conversation_messages, store.conversations
    more = MessageDraft(uuid4(), MessageRole.user, "And in May?")
    rated = (at, answered.message.id, Feedback(rating=Rating.up))
    return {
        "identities.get_account": partial(store.identities.get_account, user),
        "usage.reserve_tokens": partial(store.usage.reserve_tokens, user, Reservation(PERIOD, 1, 100)),
        "conversations.create_conversation": partial(
            chats.create_conversation, user, ConversationDraft(uuid4(), "more", messages=(more,)), limit=9, now=NOW
        ),
        "conversations.list_conversations": partial(
            chats.list_conversations, user, after=None, limit=9, archived=False
        ),
        "conversations.get_conversation": partial(chats.get_conversation, user, at),
        "conversations.update_conversation": partial(
            chats.update_conversation, user, at, ConversationChange(title="Holidays"), now=NOW
        ),
        "conversation_messages.add_messages": partial(
            said.add_messages, user, at, [replace(more, id=uuid4())], limit=9, now=NOW
        ),
        "conversation_messages.list_messages": partial(said.list_messages, user, at, after=asked.message.id, limit=9),
        "conversation_messages.get_message": partial(said.get_message, user, asked.message.id),
        "conversation_messages.set_feedback": partial(said.set_feedback, user, *rated, now=NOW),
        "conversation_messages.delete_message": partial(said.delete_message, user, at, asked.message.id, now=NOW),
        "conversations.delete_conversation": partial(chats.delete_conversation, user, at, now=NOW),
        "conversations.expire_conversations": partial(chats.expire_conversations, before=NOW - HOUR, limit=9),
    }


def _calls_of_user_files(world: World) -> dict[str, partial[Any]]:
    """Of what OpenAI's clients reach files and stores by."""
    store, user = world.metadata, world.user()
    collection, kept = world.collection(user, "store"), world.user_file(user)
    file, gone = world.ready(user, collection), world.user_file(user, "gone.txt")
    store.user_files.tombstone_user_file(user, gone.id, now=NOW)
    new = UserFile(
        id=uuid4(), name="n.txt", purpose=Purpose.assistants, media_type="text/plain", size_bytes=1, created_at=NOW
    )
    batch = BatchDraft(uuid4(), (kept.id,), NOW + HOUR)
    at: dict[str, Any] = {"collection_id": collection.id, "batch_id": batch.id, "now": NOW}
    opened, begun, joined, completed, unwanted = (new.model_copy(update={"id": uuid4()}) for _ in range(5))
    part_uploads = store.part_uploads
    opening: dict[str, Any] = {"expires_at": NOW + 99 * HOUR, "file_seconds": None, "quotas": QUOTAS}
    for upload in (begun, joined, completed, unwanted):
        part_uploads.open_upload(user, upload, **opening)
    lease: dict[str, Any] = {"until": NOW + HOUR, "now": NOW}
    for upload in (joined, completed):
        part_uploads.begin_completion(user, upload.id, **lease)
    ending: dict[str, Any] = {"completed_with": "digest", "media_type": "text/plain", "now": NOW}
    part_uploads.end_completion(user, completed.id, **ending)
    return {
        "part_uploads.open_upload": partial(part_uploads.open_upload, user, opened, **opening),
        "part_uploads.get_upload": partial(part_uploads.get_upload, user, begun.id, now=NOW),
        "part_uploads.add_part": partial(part_uploads.add_part, user, begun.id, uuid4(), 1, now=NOW),
        "part_uploads.begin_completion": partial(part_uploads.begin_completion, user, begun.id, **lease),
        "part_uploads.release_completion": partial(part_uploads.release_completion, user, begun.id),
        "part_uploads.end_completion": partial(part_uploads.end_completion, user, joined.id, **ending),
        "part_uploads.cancel_upload": partial(part_uploads.cancel_upload, user, unwanted.id, now=NOW),
        "part_uploads.forget_parts": partial(
            part_uploads.forget_parts, UserFileRef(world.tenant_id, user.user_id, completed.id)
        ),
        "file_batches.open_batch": partial(store.file_batches.open_batch, user, collection.id, batch, now=NOW),
        "file_batches.close_batch": partial(store.file_batches.close_batch, user, problems={kept.id: FINAL}, **at),
        "file_batches.get_batch": partial(store.file_batches.get_batch, user, **at),
        "file_batches.cancel_batch": partial(store.file_batches.cancel_batch, user, **at),
        "collections.list_entries": partial(store.collections.list_entries, user, name=None, limit=9),
        "collections.page_collections": partial(store.collections.page_collections, user, Window(9)),
        "files.find_file": partial(store.files.find_file, user, file.id),
        "files.list_copies": partial(store.files.list_copies, user, kept.id),
        "files.page_files": partial(store.files.page_files, user, collection.id, Window(9, after=file.id)),
        "user_files.add_user_file": partial(store.user_files.add_user_file, user, new, quotas=QUOTAS),
        "user_files.get_user_file": partial(store.user_files.get_user_file, user, kept.id, now=NOW),
        "user_files.page_user_files": partial(
            store.user_files.page_user_files, user, Window(9), purpose=Purpose.assistants, now=NOW
        ),
        "user_files.tombstone_user_file": partial(store.user_files.tombstone_user_file, user, kept.id, now=NOW),
        "user_files.forget_user_file": partial(
            store.user_files.forget_user_file, UserFileRef(world.tenant_id, user.user_id, gone.id)
        ),
    }


def _calls_of_operators(world: World) -> dict[str, partial[Any]]:
    """Of what operators remove users and rebuild vectors by."""
    store, owner, leaving, left = world.metadata, world.user(), world.user(), world.user()
    rebuilt, abandoned = world.collection(owner, "lost"), world.collection(leaving, "abandoned")
    world.ready(owner, rebuilt)
    world.ready(leaving, abandoned)
    users, rebuilds = store.user_deletions, store.vector_rebuilds
    users.remove_user(world.tenant_id, left.user_id, now=NOW)
    return {
        "user_deletions.list_users": partial(users.list_users, world.tenant_id, after=None, limit=9),
        "user_deletions.remove_user": partial(users.remove_user, world.tenant_id, leaving.user_id, now=NOW),
        "user_deletions.complete_removal": partial(users.complete_removal, world.tenant_id, left.user_id, now=NOW),
        "vector_rebuilds.list_collections": partial(rebuilds.list_collections, after=None, limit=9),
        "vector_rebuilds.rebuild_vectors": partial(rebuilds.rebuild_vectors, world.tenant_id, rebuilt.id, now=NOW),
    }
