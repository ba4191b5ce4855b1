"""The small values of the domain."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modulo.domain import errors
from modulo.domain.collections.collection import Chunking, CollectionStatus, EmbeddingModel, Space, status_of
from modulo.domain.documents.chunk import Chunk, ContentHash, content_hash
from modulo.domain.errors import InvalidRequest, ModuloError, QuotaExceeded, explanation
from modulo.domain.files.file import File, FileRef, Stage
from modulo.domain.operations.messages import IngestRequest
from modulo.domain.operations.purge import Purge, PurgeRequest
from modulo.domain.pagination import CURSOR_PATTERN, Cursor
from modulo.domain.tenancy.identity import Role, api_key_hash, external_id, new_api_key
from modulo.domain.tenancy.quota import period_of, quota_exceeded, resets_at

REF = FileRef(UUID(int=1), UUID(int=2), UUID(int=3), 4)


def every_error(root=ModuloError):
    tree = [root, *(found for child in root.__subclasses__() for found in every_error(child))]
    return [error for error in tree if error.__module__ == ModuloError.__module__]  # adapters may have their own


@pytest.mark.parametrize("error", every_error(), ids=lambda error: error.__name__)
def test_every_error_explains_itself(error):
    made = error()
    assert 400 <= made.status < 600
    assert made.title
    assert explanation(error) == made.detail
    assert made.detail.endswith(".")
    assert error.code() == error.code().lower()


def test_codes_are_unique():
    alike = {errors.TimedOut: errors.Unavailable, errors.NameTaken: errors.Conflict}
    own = [error for error in every_error() if error not in alike]
    assert len({error.code() for error in own}) == len(own)
    assert all(one.code() == other.code() for one, other in alike.items()), "clients need not tell them apart"
    assert errors.QuotaExceeded.code() == "quota-exceeded"


def test_a_field_problem_names_the_field():
    problem = InvalidRequest.field("name", "is too long")
    assert problem.extra["errors"] == [{"field": "name", "message": "is too long"}]


@given(st.uuids(), st.uuids(), st.uuids(), st.integers(1, 10**6))
def test_a_key_names_its_generation_and_nothing_else_does(tenant, collection, file, generation):
    ref = FileRef(tenant, collection, file, generation)
    assert FileRef.of_key(ref.key) == ref
    assert ref.key.startswith(ref.object_prefix(generation))
    assert not FileRef(tenant, collection, file, generation * 10).key.startswith(ref.object_prefix(generation))


@given(st.text())
def test_no_other_key_is_taken_for_an_upload(text):
    assert FileRef.of_key(text) is None
    assert FileRef.of_key(REF.key + text) in (None, REF)


@pytest.mark.parametrize(
    "key",
    [
        REF.key.replace("/4/", "/04/"),
        REF.key.replace("/4/", "/x/"),
        REF.key.upper(),
        REF.key.replace("content", "other"),
        "/" + REF.key,
    ],
)
def test_a_key_has_one_spelling(key):
    assert FileRef.of_key(key) is None


def test_chunk_and_task_ids_are_deterministic():
    chunk = Chunk(0, "text", 1, 0, 4, heading="Title")
    assert chunk.id_in(REF) == chunk.id_in(REF)
    assert chunk.id_in(REF) != chunk.id_in(FileRef(REF.tenant_id, REF.collection_id, REF.file_id, 5))
    assert chunk.embedded_text == "Title\ntext"
    assert Chunk(0, "text", 1, 0, 4).embedded_text == "text"
    assert REF.task_id == REF.task_id


@given(st.lists(st.text()), st.lists(st.text()))
def test_content_hashes_tell_texts_apart(one, other):
    digest = ContentHash()
    for text in one:
        digest.add(text)
    assert (digest.hexdigest(), digest.count) == (content_hash(one), len(one))
    assert (content_hash(one) == content_hash(other)) == (one == other)


@given(st.dictionaries(st.sampled_from(Stage), st.integers(0, 3)))
def test_a_bad_file_never_spoils_a_collection(files):
    status = status_of(files)
    if any(files.get(stage) for stage in Stage if stage.unfinished):
        assert status is CollectionStatus.processing
    elif files.get(Stage.ready):
        assert status is CollectionStatus.completed
    else:
        assert status is (CollectionStatus.error if files.get(Stage.failed) else CollectionStatus.created)


def test_a_space_is_shared_by_model_or_the_users_own():
    model = EmbeddingModel(name="bge/small en:v1.5", dimensions=384)
    shared = Space(UUID(int=1), UUID(int=2), UUID(int=3), model, dedicated=False)
    own = Space(UUID(int=1), UUID(int=2), UUID(int=3), model, dedicated=True)
    assert shared.name == "chunks_bge_small_en_v1_5_384"
    analysed = replace(shared, model=model.model_copy(update={"analysis": 2}))
    assert analysed.name == f"{shared.name}_a2"
    assert own.name == f"user_{UUID(int=3).hex}_collection_{UUID(int=2).hex}"
    assert own.name.replace("_", "").isalnum()
    assert replace(shared, index=2).name == shared.name
    assert replace(own, index=2).name == f"{own.name}_2"


def test_a_purge_goes_to_each_place_once():
    other = EmbeddingModel(name="other", dimensions=8)
    first = Space(UUID(int=1), UUID(int=2), UUID(int=3), EmbeddingModel(name="one", dimensions=4), dedicated=False)
    older = (replace(first, index=2), replace(first, index=3, model=other))
    assert [space.name for space in Purge(first, None, None, older=older).spaces] == ["chunks_one_4", "chunks_other_8"]


def test_roles_include_those_after_them():
    assert Role.owner.allows(Role.viewer)
    assert Role.editor.allows(Role.editor)
    assert not Role.viewer.allows(Role.editor)


def test_api_keys_are_long_and_never_the_same():
    one, other = new_api_key(), new_api_key()
    assert one != other
    assert len(one) > 40
    assert api_key_hash(one) != api_key_hash(other)


def test_two_issuers_never_name_the_same_identity():
    assert external_id("https://a", "x") != external_id("https://b", "x")
    assert external_id("https://a", "x") == external_id("https://a", "x")


def test_periods_are_days_in_utc():
    late = datetime(2026, 3, 14, 23, 30, tzinfo=UTC) + timedelta(hours=1)
    assert period_of(late).isoformat() == "2026-03-15"
    assert resets_at(period_of(late)) == datetime(2026, 3, 16, tzinfo=UTC)


def test_only_timed_quotas_say_when_to_come_back():
    timed, held = quota_exceeded("tokens a day", 5, retry_after=60), quota_exceeded("files", 5)
    assert isinstance(timed, QuotaExceeded)
    assert (timed.retry_after, held.retry_after) == (60, None)


@given(st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)), st.uuids())
def test_cursors_come_back_as_they_went(moment, identity):
    cursor = Cursor(moment, identity)
    assert Cursor.decode(cursor.encode()) == cursor


@given(st.text())
def test_no_other_text_is_a_cursor(text):
    with pytest.raises(InvalidRequest):
        Cursor.decode(text)


@given(st.from_regex(CURSOR_PATTERN.removesuffix("$") + r"\Z"))
def test_every_text_of_its_form_is_a_cursor(text):
    assert Cursor.decode(text).encode().partition(".")[2] == text.partition(".")[2]


@pytest.mark.parametrize("file", [None, UUID(int=9)])
def test_purge_requests_come_back_as_they_went(file):
    request = PurgeRequest(UUID(int=1), UUID(int=2), file)
    assert PurgeRequest.of(request.body()) == request


def test_ingest_requests_name_the_key():
    assert IngestRequest(REF).body() == {"ingest": REF.key}
    assert IngestRequest(replace(REF, source=REF.generation)).body() == {"ingest": REF.key}


def test_a_generation_made_from_anothers_bytes_names_that_one():
    twin = replace(REF, generation=REF.generation + 1, source=REF.generation)
    assert (twin.key, twin == replace(twin, source=None)) == (REF.key, True)
    assert IngestRequest(twin, 2).body() == {
        "ingest": replace(twin, source=None).key,
        "part": 2,
        "source": REF.generation,
    }


def test_a_file_knows_where_its_live_bytes_are():
    times = {"created_at": NOON, "updated_at": NOON}
    more = {"media_type": "text/plain", "size_bytes": 1, "created_by": uuid4(), "stage": Stage.queued, **times}
    file = File(id=UUID(int=3), collection_id=UUID(int=2), name="a.txt", generation=4, source=4, **more)
    assert file.live_ref(UUID(int=1)) == file.ref(UUID(int=1)) == FileRef(UUID(int=1), UUID(int=2), UUID(int=3), 4)
    replaced = file.model_copy(update={"live_generation": 3, "live_source": 1})
    assert replaced.live_ref(UUID(int=1)).key == FileRef(UUID(int=1), UUID(int=2), UUID(int=3), 1).key


def test_chunking_keeps_the_overlap_small():
    assert Chunking(max_tokens=100, overlap_tokens=50)
    with pytest.raises(ValueError, match="half"):
        Chunking(max_tokens=100, overlap_tokens=51)


NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changed", "minutes"),
    [
        ({}, 30),
        ({"pages_done": 4}, 0),
        ({"pages_done": 5}, 0),
        ({"pages_done": 0}, None),
        ({"pages_total": None}, None),
        ({"started_at": None}, None),
        ({"stage": Stage.queued}, None),
        ({"stage": Stage.ready}, None),
    ],
)
def test_a_file_tells_when_it_will_be_ready(changed: dict[str, object], minutes: int | None) -> None:
    usual = {"pages_done": 1, "pages_total": 4, "started_at": NOON - timedelta(minutes=10), "stage": Stage.embedding}
    file = File(
        id=uuid4(),
        collection_id=uuid4(),
        name="a.pdf",
        generation=1,
        source=1,
        media_type="application/pdf",
        size_bytes=1,
        created_by=uuid4(),
        created_at=NOON,
        updated_at=NOON,
        **(usual | changed),
    )
    assert file.estimated_ready_at == (None if minutes is None else NOON + timedelta(minutes=minutes))
