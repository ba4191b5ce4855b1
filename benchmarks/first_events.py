"""The first event of every function."""

import base64
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

from modulo.domain.files.file import FileRef
from modulo.domain.files.subscription import SubscriptionDraft
from modulo.domain.files.upload import FileDraft
from modulo.domain.operations.deletion import deletion_id
from modulo.domain.operations.messages import Delivery, FetchRequest, IngestRequest, PushRequest
from modulo.domain.operations.purge import PurgeRequest
from modulo.domain.tenancy.identity import Principal, Scope, external_id
from modulo.runtime.admin.keys import LOCAL, create_key
from modulo.runtime.openai.door import is_of_v1
from modulo.runtime.queue import record_of
from modulo.runtime.worker import function
from modulo.services import services
from modulo.settings import BGE_SMALL

Event = dict[str, Any]
PARTED = {"filename": "more.txt", "purpose": "assistants", "bytes": 3, "mime_type": "text/plain"}
"""A file of one part, which holds `new`."""
QUESTION = "How tall is the lighthouse of Tarnby?"
TEXT = "The lighthouse of Tarnby was built in 1868. It is 41 metres tall and has 212 steps."
MCP_CALL = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/call",
    "params": {"name": "rag_list_collections", "arguments": {}},
}
GATEWAYS: dict[str, tuple[Any, Event]] = {
    "list_methods": (None, {"httpMethod": "OPTIONS"}),
    "mcp_exchange": (MCP_CALL, {"httpMethod": "POST", "path": "/"}),
}
MCP_TYPES = "application/json, text/event-stream"
SCENELESS: Mapping[str, Event] = {
    **{name: {"source": "aws.scheduler"} for name in ("migrate", "reset_quotas", "sweep")},
    "admin": {"command": "keys.list", "arguments": {"tenant": "acme"}},
}
"""Events that nothing has to be made for."""


class Scene:
    """A new tenant with a collection and a file that can be searched; makes events, as often as asked.

    The services of this process must be those that the functions are to use.
    """

    def __init__(self) -> None:
        tenant = f"tenant-{uuid4()}"
        self.key = create_key(tenant, "ada", "first events")
        create_key(tenant, "ben", "first events")
        self._tenant, self._ben = external_id(LOCAL, f"tenant:{tenant}"), external_id(LOCAL, f"user:{tenant}:ben")
        self._ada = Principal(self._tenant, external_id(LOCAL, f"user:{tenant}:ada"), frozenset(Scope))
        self.collection = self._empty = ""
        self.collection = self._new_collection()
        self._file = self._ingested("notes.txt", TEXT.encode())

    def event(self, name: str) -> Event:
        """A function's event; what answering it uses up is made anew."""
        if name in SCENELESS:
            return SCENELESS[name]
        if name in ("ingest_file", "fetch_url"):
            asked = self._ref(self._uploaded("more.txt", _unique())) if name == "ingest_file" else self._addressed()
            return _message((IngestRequest if name == "ingest_file" else FetchRequest)(asked).body())
        if name in ("record_dead_letter", "push_events"):
            return self._given_up() if name == "record_dead_letter" else self._watched()
        if name == "purge":
            file = self._deleted()
            return _message(PurgeRequest(self._tenant, UUID(self.collection), UUID(file)).body())
        if name in GATEWAYS:
            body, event = GATEWAYS[name]
            return self._request("list_collections", body=body) | event
        return self._request(name, **self._asked(name))

    def _asked(self, name: str) -> dict[str, Any]:
        ask: dict[str, Callable[[], dict[str, Any]]] = {
            "ask_conversation": lambda: {**self._talk(), "body": {"question": f"{QUESTION} {uuid4()}"}},
            "create_conversation": lambda: {"body": {"collection_id": self.collection}},
            "delete_conversation": self._talk,
            "get_conversation": self._talk,
            "list_messages": self._talk,
            "rate_answer": lambda: {**self._answer(), "body": {"rating": "up"}},
            "update_conversation": lambda: {**self._talk(), "body": {"archived": True}},
            "add_document": lambda: {"body": {"name": "more.txt", "text": _unique().decode()}},
            "add_documents": lambda: {"body": {"documents": [{"name": "more.txt", "text": _unique().decode()}]}},
            "add_url": lambda: {"body": {"url": "https://docs.example.org/notes.txt"}},
            "create_collection": lambda: {"body": {"name": f"collection {uuid4()}"}},
            "create_upload": lambda: {"body": {"name": "more.txt", "size_bytes": 100}},
            "delete_collection": lambda: {"collection_id": self._new_collection()},
            "delete_file": lambda: {"file_id": self._ingested("more.txt", _unique())},
            "discard_dead_letter": lambda: {"letter_id": self._letter()},
            "download_file": lambda: {"file_id": self._file},
            "cancel_reembedding": lambda: {"collection_id": self._reembedded("start_reembedding")},
            "get_deletion": lambda: {"deletion_id": deletion_id(UUID(self._deleted()))},
            "get_file": lambda: {"file_id": self._file},
            "get_reembedding": lambda: {"collection_id": self._reembedded("start_reembedding")},
            "list_chunks": lambda: {"file_id": self._file},
            "remove_alias": self._alias,
            "remove_member": lambda: {"user_id": self._member()},
            "retry_dead_letter": lambda: {"letter_id": self._letter()},
            "retry_dead_letters": lambda: {"letter_id": self._letter()},
            "retry_file": lambda: {"file_id": self._ingested("broken.pdf", b"%PDF-1.7 " + _unique())},
            "roll_back_reembedding": lambda: {
                "collection_id": self._reembedded("start_reembedding", "switch_reembedding"),
                "body": {},
            },
            "search": lambda: {"body": {"question": f"{QUESTION} {uuid4()}", "collection_id": self.collection}},
            "set_member": lambda: {"user_id": self._ben, "body": {"role": "viewer"}},
            "start_reembedding": lambda: {"collection_id": self._reembedded(), "body": {}},
            "stream_conversation": lambda: {**self._talk(), "body": {"question": f"{QUESTION} {uuid4()}"}},
            "stream_search": lambda: {"body": {"question": f"{QUESTION} {uuid4()}", "collection_id": self.collection}},
            "switch_reembedding": lambda: {"collection_id": self._reembedded("start_reembedding"), "body": {}},
            "v1_create_chat_completion": lambda: {
                "body": {
                    "model": self.collection,
                    "messages": [{"role": "user", "content": f"{QUESTION} {uuid4()}"}],
                }
            },
            "v1_cancel_response": self._response,
            "v1_create_conversation": lambda: {"body": {"metadata": {"topic": "lighthouses"}}},
            "v1_create_conversation_items": lambda: {
                **self._talk(),
                "body": {"items": [{"role": "user", "content": QUESTION}]},
            },
            "v1_create_response": lambda: {"body": {"model": self.collection, "input": f"{QUESTION} {uuid4()}"}},
            "v1_create_embedding": lambda: {"body": {"model": BGE_SMALL.name, "input": f"{QUESTION} {uuid4()}"}},
            "v1_cancel_file_batch": self._batch,
            "v1_create_file_batch": lambda: {"body": {"file_ids": [self._kept()]}},
            "v1_get_file_batch": self._batch,
            "v1_list_batch_files": self._batch,
            "v1_add_upload_part": lambda: {**self._begun(), "file": ("data", b"new")},
            "v1_cancel_upload": self._begun,
            "v1_complete_upload": self._sent,
            "v1_create_upload": lambda: {"body": PARTED},
            "v1_create_file": lambda: {"file": ("more.txt", _unique())},
            "v1_create_vector_store": lambda: {"body": {"file_ids": [self._kept()]}},
            "v1_create_vector_store_file": lambda: {"body": {"file_id": self._kept()}},
            "v1_delete_conversation": self._talk,
            "v1_delete_conversation_item": self._item,
            "v1_delete_response": self._response,
            "v1_get_conversation": self._talk,
            "v1_get_conversation_item": self._item,
            "v1_get_response": self._response,
            "v1_list_conversation_items": self._talk,
            "v1_list_response_input_items": self._response,
            "v1_update_conversation": lambda: {**self._talk(), "body": {"metadata": {"topic": "lamps"}}},
            "v1_delete_file": lambda: {"file_id": self._kept()},
            "v1_delete_vector_store": lambda: {"vector_store_id": self._new_collection()},
            "v1_delete_vector_store_file": lambda: {"file_id": self._ingested("more.txt", _unique())},
            "v1_get_file": lambda: {"file_id": self._kept()},
            "v1_get_file_content": lambda: {"file_id": self._kept()},
            "v1_get_model": lambda: {"model": f"modulo/{self.collection}"},
            "v1_get_vector_store_file": lambda: {"file_id": self._file},
            "v1_get_vector_store_file_content": lambda: {"file_id": self._file},
            "v1_search_vector_store": lambda: {"body": {"query": f"{QUESTION} {uuid4()}"}},
            "v1_update_vector_store_file": lambda: {"file_id": self._file, "body": {"attributes": {"year": 2026}}},
            "v1_update_vector_store": lambda: {"body": {"name": f"collection {uuid4()}"}},
            "update_file": lambda: {"file_id": self._file, "body": {"attributes": {"year": 2026}}},
            "update_collection": lambda: {"body": {"name": f"collection {uuid4()}"}},
            "upload_file": lambda: {"file": ("more.txt", _unique())},
        }
        return {"collection_id": self.collection, "vector_store_id": self.collection, **ask.get(name, dict)()}

    def _begun(self) -> dict[str, Any]:
        return {"upload_id": self._call("v1_create_upload")["id"]}

    def _sent(self) -> dict[str, Any]:
        """An upload whose only part is there."""
        part = self._call("v1_add_upload_part")
        return {"upload_id": part["upload_id"], "body": {"part_ids": [part["id"]]}}

    def _batch(self) -> dict[str, Any]:
        return {"batch_id": self._call("v1_create_file_batch")["id"]}

    def _talk(self) -> dict[str, Any]:
        return {"conversation_id": self._call("create_conversation")["id"]}

    def _answer(self) -> dict[str, Any]:
        """An answer in a conversation."""
        asked = self._call("ask_conversation")
        return {"conversation_id": asked["conversation_id"], "message_id": asked["answer_id"]}

    def _response(self) -> dict[str, Any]:
        return {"response_id": self._call("v1_create_response")["id"]}

    def _item(self) -> dict[str, Any]:
        """A message of a conversation."""
        answer = self._answer()
        return {"conversation_id": answer["conversation_id"], "item_id": answer["message_id"]}

    def _alias(self) -> dict[str, Any]:
        """A file with another name, and that."""
        content, alias = _unique(), f"{uuid4()}.txt"
        file = self._uploaded("more.txt", content)
        same = {"name": alias, "size_bytes": len(content), "checksum_sha256": sha256(content).hexdigest()}
        event = self._request("create_upload", collection_id=self.collection, body=same | {"on_duplicate": "alias"})
        function("create_upload").handler(event, None)
        return {"file_id": file, "alias": alias}

    def _kept(self) -> str:
        """A file that the user keeps."""
        return str(self._call("v1_create_file")["id"])

    def _member(self) -> UUID:
        self._call("set_member")
        return self._ben

    def _reembedded(self, *names: str) -> str:
        """An empty collection whose last re-embedding was ended, behind these requests about another."""
        self._empty = self._empty or self._new_collection()
        for name in ("cancel_reembedding", *names):
            function(name).handler(self._request(name, body={}, collection_id=self._empty), None)
        return self._empty

    def _request(self, name: str, *, body: Any = None, file: tuple[str, bytes] | None = None, **ids: Any) -> Event:
        (route,) = function(name).router.routes
        (method,) = route.methods
        headers = {"x-api-key": self.key, "content-type": "application/json", "accept": MCP_TYPES}
        raw = json.dumps(body).encode() if body is not None else b""
        if file:
            field = "data" if name == "v1_add_upload_part" else "file"
            disposition = f'form-data; name="{field}"; filename="{file[0]}"'
            raw = b"--b\r\nContent-Disposition: " + disposition.encode() + b"\r\n\r\n" + file[1] + b"\r\n"
            if is_of_v1(name) and field == "file":
                raw += b'--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nassistants\r\n'
            raw += b"--b--\r\n"
            headers["content-type"] = "multipart/form-data; boundary=b"
        return {
            "resource": route.path,
            "path": route.path_format.format(**ids),
            "httpMethod": method,
            "headers": headers,
            "multiValueHeaders": {name: [value] for name, value in headers.items()},
            "queryStringParameters": None,
            "multiValueQueryStringParameters": None,
            "requestContext": {
                "requestId": str(uuid4()),
                "identity": {"sourceIp": "127.0.0.1"},
                "domainName": "abc123.execute-api.us-east-1.amazonaws.com",
                "stage": "api",
            },
            "body": base64.b64encode(raw).decode() if raw else None,
            "isBase64Encoded": bool(raw),
        }

    def _call(self, name: str) -> Any:
        answer = function(name).handler(self.event(name), None)
        if answer.get("batchItemFailures") or answer.get("statusCode", 200) >= 400:
            raise RuntimeError(f"{name}: {answer}")
        return json.loads(answer.get("body") or "null")

    def _new_collection(self) -> str:
        return str(self._call("create_collection")["id"])

    def _uploaded(self, name: str, content: bytes) -> str:
        event = self._request("upload_file", collection_id=self.collection, file=(name, content))
        return str(json.loads(function("upload_file").handler(event, None)["body"])["file_id"])

    def _ingested(self, name: str, content: bytes) -> str:
        file = self._uploaded(name, content)
        function("ingest_file").handler(_message(IngestRequest(self._ref(file)).body()), None)
        return file

    def _addressed(self) -> FileRef:
        """A generation that waits for its bytes from an address which will be refused: benchmarks fetch nothing."""
        deadline = datetime.now(UTC) + timedelta(hours=1)
        draft = FileDraft(uuid4(), f"{uuid4()}.txt", "text/plain", 0, None, deadline, source_url="http://127.0.0.1/")
        made = services()
        now, quotas = made.clock.now(), made.settings.quotas
        file = made.uploads.reserve_file(self._ada, UUID(self.collection), draft, quotas=quotas, now=now)
        return FileRef(self._tenant, file.collection_id, file.id, file.generation)

    def _watched(self) -> Event:
        """The collection, which somebody began to watch; nobody is at the other end of the connection."""
        made = services()
        now = made.clock.now()
        watcher = SubscriptionDraft(str(uuid4()), None, None, None, now + timedelta(hours=2))
        made.subscriptions.add_subscription(self._ada, UUID(self.collection), watcher, limit=1_000_000, now=now)
        return _message(PushRequest(self._tenant, UUID(self.collection)).body())

    def _given_up(self) -> Event:
        return _message(IngestRequest(self._ref(self._uploaded(f"{uuid4()}.txt", _unique()))).body())

    def _letter(self) -> str:
        """A dead letter that can be retried."""
        function("record_dead_letter").handler(self._given_up(), None)
        event = self._request("list_dead_letters", collection_id=self.collection)
        return str(json.loads(function("list_dead_letters").handler(event, None)["body"])["items"][0]["id"])

    def _deleted(self) -> str:
        event = self.event("delete_file")
        function("delete_file").handler(event, None)
        return str(event["path"]).rpartition("/")[2]

    def _ref(self, file: str) -> FileRef:
        return FileRef(self._tenant, UUID(self.collection), UUID(file), 1)


def _message(body: Mapping[str, object]) -> Event:
    return {"Records": [record_of(Delivery(str(uuid4()), "none", json.dumps(body), 1))]}


def _unique() -> bytes:
    return f"{TEXT} {uuid4()}".encode()
