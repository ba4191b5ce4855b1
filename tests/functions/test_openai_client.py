"""The unmodified client of OpenAI, given another address and a key of ours."""

import asyncio
import base64
import struct
from collections.abc import Iterator

import openai
import pytest

from modulo.domain.errors import Throttled
from tests.functions.conftest import as_user, ingest_all, run_async
from tests.functions.served import SECONDS, key_of, served


@pytest.fixture
def address(services) -> Iterator[str]:
    with served() as url:
        yield f"{url}/v1"


@pytest.fixture
def client(address, api) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=address, api_key=key_of(api), timeout=SECONDS, max_retries=2) as made:
        yield made


def test_the_quickstart_of_file_search_needs_no_other_change(api, client):
    file = client.files.create(file=("sea.txt", b"The sea is 11 kilometres deep."), purpose="assistants")
    assert (file.object, file.filename, file.bytes) == ("file", "sea.txt", 30)
    store = client.vector_stores.create(name="knowledge_base")
    attached = client.vector_stores.files.create(vector_store_id=store.id, file_id=file.id)
    assert (attached.id, attached.status) == (file.id, "in_progress")
    ingest_all(api, store.id)
    polled = client.vector_stores.files.poll(file.id, vector_store_id=store.id, poll_interval_ms=10)
    assert polled.status == "completed"
    assert client.vector_stores.retrieve(store.id).file_counts.completed == 1
    found = client.vector_stores.search(store.id, query="How deep is the sea?", max_num_results=2)
    assert [(one.file_id, one.filename) for one in found.data] == [(file.id, "sea.txt")]
    assert found.data[0].content[0].text == "The sea is 11 kilometres deep."
    assert [part.text for part in client.vector_stores.files.content(file.id, vector_store_id=store.id)] == [
        "The sea is 11 kilometres deep."
    ]
    assert client.vector_stores.files.delete(file.id, vector_store_id=store.id).deleted
    assert client.files.retrieve(file.id).id == file.id
    assert client.files.delete(file.id).deleted
    assert client.vector_stores.update(store.id, name="renamed", metadata={"a": "b"}).metadata == {"a": "b"}
    assert client.vector_stores.delete(store.id).deleted


def test_upload_and_poll_is_one_call(api, client, services):
    store = client.vector_stores.create(name="papers", expires_after={"anchor": "last_active_at", "days": 7})
    assert store.expires_after is not None
    assert store.expires_at == (store.last_active_at or 0) + 7 * 86_400
    file = client.vector_stores.files.upload(vector_store_id=store.id, file=("sea.txt", b"The sea is deep."))
    assert file.status == "in_progress"
    ingest_all(api, store.id)
    [listed] = client.vector_stores.files.list(store.id, filter="completed")
    assert listed.id == file.id


def test_batches_of_files_are_made_watched_and_cancelled(api, client, monkeypatch):
    store = client.vector_stores.create(name="papers")
    kept = [client.files.create(file=(f"{name}.txt", b"The sea is deep."), purpose="assistants").id for name in "ab"]

    def ingested_meanwhile(_seconds):
        ingest_all(api, store.id)

    monkeypatch.setattr(client.vector_stores.file_batches, "_sleep", ingested_meanwhile)
    batches = client.vector_stores.file_batches
    done = batches.create_and_poll(vector_store_id=store.id, file_ids=kept)
    assert (done.status, done.file_counts.completed, done.file_counts.total) == ("completed", 2, 2)
    assert {file.id for file in batches.list_files(done.id, vector_store_id=store.id, limit=1)} == set(kept)
    sent = batches.upload_and_poll(store.id, files=[(f"{name}.txt", b"The hill is high.") for name in "cd"])
    assert sent.file_counts.completed == 2
    file = client.files.create(file=("e.txt", b"The wood is dark."), purpose="assistants").id
    waiting = batches.create(store.id, files=[{"file_id": file, "attributes": {"year": 2026}}])
    assert batches.retrieve(waiting.id, vector_store_id=store.id).status == "in_progress"
    cancelled = batches.cancel(waiting.id, vector_store_id=store.id)
    assert (cancelled.status, cancelled.file_counts.cancelled) == ("cancelled", 1)
    assert client.vector_stores.retrieve(store.id).file_counts.total == 4


def test_a_large_file_is_uploaded_in_parts(api, client, services, tmp_path):
    path = tmp_path / "sea.txt"
    path.write_bytes(b"The sea is 11 kilometres deep. " * 9)
    upload = client.uploads.upload_file_chunked(file=path, mime_type="text/plain", purpose="assistants", part_size=100)
    assert (upload.status, upload.bytes) == ("completed", path.stat().st_size)
    assert upload.file is not None
    assert client.files.retrieve(upload.file.id).filename == "sea.txt"
    store = client.vector_stores.create(name="papers")
    client.vector_stores.files.create(vector_store_id=store.id, file_id=upload.file.id)
    ingest_all(api, store.id)
    (text,) = client.vector_stores.files.content(upload.file.id, vector_store_id=store.id)
    assert text.text == path.read_text().strip()
    begun = client.uploads.create(filename="b.txt", purpose="assistants", bytes=3, mime_type="text/plain")
    assert client.uploads.cancel(begun.id).status == "cancelled"


def test_models_and_embeddings(api, client):
    api.create_collection("papers")
    assert [model.id for model in client.models.list()] == ["modulo/papers", "bge-small-en-v1.5"]
    assert client.models.retrieve("modulo/papers").owned_by == "modulo"
    made = client.embeddings.create(model="bge-small-en-v1.5", input=["sea", "hill"])  # asks for base64
    assert [len(one.embedding) for one in made.data] == [384, 384]
    plain = client.embeddings.create(model="bge-small-en-v1.5", input="sea", encoding_format="float")
    packed = base64.b64encode(struct.pack("<384f", *plain.data[0].embedding))
    assert struct.unpack("<384f", base64.b64decode(packed)) == pytest.approx(made.data[0].embedding, rel=1e-6)
    assert made.usage.total_tokens > 0


def test_lists_are_paged_by_the_client(client):
    kept = [client.files.create(file=(f"{n}.txt", b"text"), purpose="assistants").id for n in range(5)]
    assert {file.id for file in client.files.list(limit=2)} == set(kept)
    stores = [client.vector_stores.create(name=f"store {n}").id for n in range(3)]
    assert {store.id for store in client.vector_stores.list(limit=1)} == set(stores)


def test_errors_are_of_the_clients_classes(client, address, api):
    with pytest.raises(openai.NotFoundError) as missing:
        client.vector_stores.retrieve("00000000-0000-0000-0000-000000000000")
    assert (missing.value.code, missing.value.param, missing.value.type) == (
        "not_found",
        None,
        "invalid_request_error",
    )
    with pytest.raises(openai.BadRequestError) as wrong:
        client.vector_stores.search("vs_1", query="What?")
    assert wrong.value.param == "vector_store_id"
    with pytest.raises(openai.BadRequestError) as purpose:
        client.files.create(file=("a.jsonl", b"{}"), purpose="batch")
    assert purpose.value.param == "purpose"
    client.vector_stores.create(name="papers")
    with pytest.raises(openai.ConflictError):
        client.vector_stores.create(name="papers")
    with openai.OpenAI(base_url=address, api_key="mod_wrong") as stranger:
        with pytest.raises(openai.AuthenticationError) as unknown:
            stranger.models.list()
        assert unknown.value.code == "invalid_api_key"
        with pytest.raises(openai.NotFoundError):
            stranger.get("/nowhere", cast_to=object)


def test_a_passing_error_is_tried_again_and_a_lasting_one_is_not(client, services, monkeypatch):
    calls, embed = [], services.embedder.embed

    def throttled(model, texts, **more):
        calls.append(len(calls))
        if len(calls) < 2:
            raise Throttled(retry_after=0)
        return embed(model, texts, **more)

    monkeypatch.setattr(services.embedder, "embed", throttled)
    assert client.embeddings.create(model="bge-small-en-v1.5", input="sea").data
    assert len(calls) == 2


@pytest.mark.parametrize("settings", [{"quotas": {"user_files": 0}}], indirect=True)
def test_a_used_up_quota_is_told_at_once(client):
    with pytest.raises(openai.RateLimitError) as used_up:
        client.files.create(file=("a.txt", b"text"), purpose="assistants")
    assert used_up.value.code == "insufficient_quota"


def test_the_asynchronous_client_is_served_alike(api, address):
    async def ask() -> list[str]:
        async with openai.AsyncOpenAI(base_url=address, api_key=key_of(api), timeout=SECONDS) as client:
            store = await client.vector_stores.create(name="papers")
            names = ("a.txt", "b.txt")
            files = await asyncio.gather(
                *(client.files.create(file=(name, b"text"), purpose="user_data") for name in names)
            )
            for file in files:
                await client.vector_stores.files.create(vector_store_id=store.id, file_id=file.id)
            return sorted([file.id async for file in client.vector_stores.files.list(store.id, limit=1)])

    found = run_async(ask())
    assert len(found) == 2
    assert as_user("bob")("GET", "/v1/files").json["data"] == []


@pytest.fixture
def model(api) -> str:
    collection = api.create_collection("papers")
    api.attach(collection, api.keep_file("The sea is 11 kilometres deep.", "sea.txt"))
    ingest_all(api, collection)
    return "modulo/papers"


QUESTION = [{"role": "user", "content": "How deep is the sea?"}]


def test_any_chat_client_answers_from_a_collection(client, model):
    found = client.chat.completions.create(model=model, messages=QUESTION)
    message = found.choices[0].message
    assert "11 kilometres" in (message.content or "")
    [annotation] = message.annotations or []
    assert annotation.url_citation.title == "sea.txt"
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(model=model, messages=QUESTION, n=2)
    assert refused.value.param == "n"


def test_a_streamed_answer_is_read_by_the_client(client, model):
    options = {"include_usage": True}
    stream = client.chat.completions.create(model=model, messages=QUESTION, stream=True, stream_options=options)
    told = list(stream)
    text = "".join(part.choices[0].delta.content or "" for part in told if part.choices)
    assert "11 kilometres" in text
    assert told[-1].usage is not None
    assert [part.choices[0].finish_reason for part in told if part.choices][-1] == "stop"


def test_an_answer_that_breaks_off_is_an_error_of_the_client(client, model, services, monkeypatch):
    def broken(prompt):
        raise Throttled("The model is busy.")
        yield

    monkeypatch.setattr(services.generator, "stream", broken)
    with pytest.raises(openai.APIError, match="The model is busy"):
        list(client.chat.completions.create(model=model, messages=QUESTION, stream=True))


def test_a_conversation_is_carried_on_by_sending_its_messages_again(client, model):
    messages = [{"role": "system", "content": "Be brief."}, *QUESTION]
    first = client.chat.completions.create(model=model, messages=messages)
    messages += [first.choices[0].message, {"role": "user", "content": "How many kilometres is it?"}]
    second = client.chat.completions.create(model=model, messages=messages, temperature=0.5, max_completion_tokens=200)
    assert "11 kilometres" in (second.choices[0].message.content or "")
    short = client.chat.completions.create(model=model, messages=messages, max_tokens=1)
    assert short.choices[0].finish_reason == "length"


def test_collections_are_chosen_beside_the_model(api, client, model):
    stores = [store.id for store in client.vector_stores.list()] + [client.vector_stores.create(name="empty").id]
    found = client.chat.completions.create(
        model="gpt-5", messages=QUESTION, extra_body={"vector_store_ids": stores}, stream=False
    )
    assert "11 kilometres" in (found.choices[0].message.content or "")
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(model=model, messages=QUESTION * 1_001)
    assert refused.value.param == "messages"


@pytest.fixture
def tools(client, model) -> list[dict[str, object]]:
    [store] = client.vector_stores.list()
    return [{"type": "file_search", "vector_store_ids": [store.id], "max_num_results": 2}]


def test_the_quickstart_of_responses_needs_no_other_change(client, tools):
    ask = {"model": "gpt-5", "tools": tools, "include": ["file_search_call.results"]}
    first = client.responses.create(input="How deep is the sea?", **ask)
    assert "11 kilometres" in first.output_text
    search, message = first.output
    assert (search.type, search.status) == ("file_search_call", "completed")
    assert [one.filename for one in search.results or []] == ["sea.txt"]
    assert [one.filename for one in message.content[0].annotations] == ["sea.txt"]
    second = client.responses.create(input="How many kilometres is it?", previous_response_id=first.id, **ask)
    assert client.responses.retrieve(second.id).output_text == second.output_text
    assert [item.content[0].text for item in client.responses.input_items.list(second.id)] == [
        "How many kilometres is it?"
    ]
    with pytest.raises(openai.BadRequestError, match="background"):
        client.responses.cancel(first.id)
    client.responses.delete(first.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(first.id)
    with pytest.raises(openai.BadRequestError) as refused:
        client.responses.create(model="gpt-5", input="a", tools=[{"type": "web_search"}])
    assert refused.value.param == "tools.0.type"


def test_a_streamed_response_is_put_together_by_the_client(client, tools):
    with client.responses.stream(model="gpt-5", tools=tools, input="How deep is the sea?") as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_response()
    assert (kinds[0], kinds[-1]) == ("response.created", "response.completed")
    assert "response.output_text.annotation.added" in kinds
    assert "11 kilometres" in final.output_text
    plain = client.responses.create(model="gpt-5", tools=tools, input="How deep is the sea?", stream=True, store=False)
    assert "".join(event.delta for event in plain if event.type == "response.output_text.delta") == final.output_text


def test_conversations_are_kept_and_paged(client, tools):
    items = [{"type": "message", "role": "user", "content": str(number)} for number in range(4)]
    conversation = client.conversations.create(items=items, metadata={"topic": "numbers"})
    answer = client.responses.create(model="gpt-5", tools=tools, input="How deep?", conversation=conversation.id)
    listed = list(client.conversations.items.list(conversation.id, limit=2, order="asc"))
    assert [item.content[0].text for item in listed] == ["0", "1", "2", "3", "How deep?", answer.output_text]
    more = client.conversations.items.create(conversation.id, items=items[:1])
    assert client.conversations.items.retrieve(more.data[0].id, conversation_id=conversation.id).role == "user"
    client.conversations.items.delete(more.data[0].id, conversation_id=conversation.id)
    assert client.conversations.update(conversation.id, metadata={"topic": "depths"}).metadata == {"topic": "depths"}
    assert client.conversations.retrieve(conversation.id).id == conversation.id
    assert client.conversations.delete(conversation.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.conversations.retrieve(conversation.id)


def test_responses_are_asked_for_asynchronously_too(api, address, tools):
    async def ask() -> list[str]:
        async with openai.AsyncOpenAI(base_url=address, api_key=key_of(api), timeout=SECONDS) as client:
            whole = await client.responses.create(model="gpt-5", tools=tools, input="How deep is the sea?")
            stream = await client.responses.create(
                model="gpt-5", tools=tools, input="How deep is the sea?", conversation=None, stream=True
            )
            told = [event.delta async for event in stream if event.type == "response.output_text.delta"]
            items = [item async for item in client.responses.input_items.list(whole.id)]
            return [whole.output_text, "".join(told), items[0].content[0].text]

    with asyncio.Runner() as runner:
        whole, streamed, question = runner.get_loop().run_until_complete(ask())
    assert (whole, question) == (streamed, "How deep is the sea?")


def test_a_response_that_breaks_off_says_so_in_its_last_event(client, tools, services, monkeypatch):
    def broken(prompt):
        raise Throttled("The model is busy.")
        yield

    monkeypatch.setattr(services.generator, "stream", broken)
    *_, last = client.responses.create(model="gpt-5", tools=tools, input="How deep?", stream=True)
    assert (last.type, last.response.error.code) == ("response.failed", "rate_limit_exceeded")


def test_attributes_are_given_changed_and_filtered_by(api, client):
    store = client.vector_stores.create(name="papers")
    for year in (2024, 2026):
        file = client.files.create(file=(f"{year}.txt", f"The sea rose in {year}.".encode()), purpose="assistants")
        client.vector_stores.files.create(store.id, file_id=file.id, attributes={"year": year, "draft": True})
    changed = client.vector_stores.files.update(
        file.id, vector_store_id=store.id, attributes={"year": 2026, "draft": False}
    )
    assert changed.attributes == {"year": 2026, "draft": False}
    ingest_all(api, store.id)
    filters = {"type": "and", "filters": [{"type": "eq", "key": "draft", "value": False}]}
    [found] = client.vector_stores.search(store.id, query="When did the sea rise?", filters=filters).data
    assert (found.filename, found.attributes) == ("2026.txt", {"year": 2026, "draft": False})
