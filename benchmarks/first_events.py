"""The first event of every function, and a fresh process that answers one, as Lambda has it."""

import base64
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from time import perf_counter
from typing import Any
from uuid import UUID, uuid4

from modulo.cli.keys import LOCAL, create_key
from modulo.domain.deletion import deletion_id
from modulo.domain.file import FileRef
from modulo.domain.identity import Principal, Scope, external_id
from modulo.domain.transfer import Delivery, FetchRequest, FileDraft, IngestRequest, PurgeRequest
from modulo.domain.watching import PushRequest, WatcherDraft
from modulo.runtime.queue import record_of
from modulo.runtime.worker import function
from modulo.services import services

Event = dict[str, Any]
QUESTION = "How tall is the lighthouse of Tarnby?"
TEXT = "The lighthouse of Tarnby was built in 1868. It is 41 metres tall and has 212 steps."
TICKED = ("migrate", "reset_quotas", "sweep")
PROGRAM = """
import importlib, json, sys
for name in json.loads(sys.argv[2]):
    importlib.import_module(name)
import app
imported = list(sys.modules)
with open(sys.argv[1]) as file:
    event = json.load(file)
answer = app.handler(event, None)
import os
status = answer.get("statusCode", 500 if answer.get("batchItemFailures") else 200)
result = {"status": status, "imported": imported, "loaded": list(sys.modules), "body": answer.get("body")}
sys.stdout.write("\\n" + json.dumps(result) + "\\n")
sys.stdout.flush()
os._exit(0)
"""


@dataclass(frozen=True, slots=True)
class Start:
    """A process from exec to its first answer: seconds of the processor and of the clock, and the modules it had."""

    cpu_seconds: float
    wall_seconds: float
    status: int
    imported: frozenset[str]
    loaded: frozenset[str]
    body: str


def start(
    folder: Path, event: Event, environment: Mapping[str, str], path: Sequence[Path], eager: Sequence[str] = ()
) -> Start:
    """Have a fresh interpreter import `app.py` of a folder and answer the event.

    It finds the folder, `path` and the standard library, nothing else; it first imports what `eager` names.
    It uses what bytecode there is and writes none.

    Raises:
        RuntimeError: it ended without an answer.
    """
    variables = {
        **environment,
        "PYTHONPATH": os.pathsep.join(map(str, [folder, *path])),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    interpreter = [str(getattr(sys, "_base_executable", sys.executable)), "-S", "-c", PROGRAM]
    with (
        tempfile.NamedTemporaryFile("w", suffix=".json") as file,
        tempfile.TemporaryFile("w+") as output,
        tempfile.TemporaryFile("w+") as errors,
    ):
        json.dump(event, file)
        file.flush()
        command = [*interpreter, file.name, json.dumps(list(eager))]
        started = perf_counter()
        process = subprocess.Popen(command, env=variables, cwd=folder, stdout=output, stderr=errors)
        _, status, used = os.wait4(process.pid, 0)
        wall = perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        for written in (output, errors):
            written.seek(0)
        if process.returncode:
            raise RuntimeError(f"{folder.name} did not answer:\n{errors.read()[-4000:]}")
        told = json.loads(output.read().splitlines()[-1])
    return Start(
        cpu_seconds=used.ru_utime + used.ru_stime,
        wall_seconds=wall,
        status=told["status"],
        imported=frozenset(told["imported"]),
        loaded=frozenset(told["loaded"]),
        body=told["body"] or "",
    )


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
        if name in TICKED:
            return {"source": "aws.scheduler"}
        if name == "ingest_file":
            return _message(IngestRequest(self._ref(self._uploaded("more.txt", _unique()))).body())
        if name == "fetch_url":
            return _message(FetchRequest(self._addressed()).body())
        if name in ("bury", "push_events"):
            return self._given_up() if name == "bury" else self._watched()
        if name == "purge":
            file = self._deleted()
            return _message(PurgeRequest(self._tenant, UUID(self.collection), UUID(file)).body())
        return self._request(name, **self._asked(name))

    def _asked(self, name: str) -> dict[str, Any]:
        ask: dict[str, Callable[[], dict[str, Any]]] = {
            "add_url": lambda: {"body": {"url": "https://docs.example.org/notes.txt"}},
            "create_collection": lambda: {"body": {"name": f"collection {uuid4()}"}},
            "create_upload": lambda: {"body": {"name": "more.txt", "size_bytes": 100}},
            "delete_collection": lambda: {"collection_id": self._new_collection()},
            "delete_file": lambda: {"file_id": self._ingested("more.txt", _unique())},
            "discard_dead_letter": lambda: {"letter_id": self._letter()},
            "download_file": lambda: {"file_id": self._file},
            "end_reembedding": lambda: {"collection_id": self._reembedded("start_reembedding")},
            "get_deletion": lambda: {"deletion_id": deletion_id(UUID(self._deleted()))},
            "get_file": lambda: {"file_id": self._file},
            "get_reembedding": lambda: {"collection_id": self._reembedded("start_reembedding")},
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
            "switch_reembedding": lambda: {"collection_id": self._reembedded("start_reembedding"), "body": {}},
            "update_collection": lambda: {"body": {"name": f"collection {uuid4()}"}},
            "upload_file": lambda: {"file": ("more.txt", _unique())},
        }
        return {"collection_id": self.collection, **ask.get(name, dict)()}

    def _alias(self) -> dict[str, Any]:
        """A file with another name, and that."""
        content, alias = _unique(), f"{uuid4()}.txt"
        file = self._uploaded("more.txt", content)
        same = {"name": alias, "size_bytes": len(content), "checksum_sha256": sha256(content).hexdigest()}
        event = self._request("create_upload", collection_id=self.collection, body=same | {"on_duplicate": "alias"})
        function("create_upload").handler(event, None)
        return {"file_id": file, "alias": alias}

    def _member(self) -> UUID:
        self._call("set_member")
        return self._ben

    def _reembedded(self, *names: str) -> str:
        """An empty collection whose last re-embedding was ended, behind these requests about another."""
        self._empty = self._empty or self._new_collection()
        for name in ("end_reembedding", *names):
            function(name).handler(self._request(name, body={}, collection_id=self._empty), None)
        return self._empty

    def _request(self, name: str, *, body: Any = None, file: tuple[str, bytes] | None = None, **ids: Any) -> Event:
        (route,) = function(name).router.routes
        (method,) = route.methods
        headers = {"x-api-key": self.key, "content-type": "application/json"}
        raw = json.dumps(body).encode() if body is not None else b""
        if file:
            disposition = f'form-data; name="file"; filename="{file[0]}"'
            raw = b"--b\r\nContent-Disposition: " + disposition.encode() + b"\r\n\r\n" + file[1] + b"\r\n--b--\r\n"
            headers["content-type"] = "multipart/form-data; boundary=b"
        return {
            "resource": route.path,
            "path": route.path.format(**ids),
            "httpMethod": method,
            "headers": headers,
            "multiValueHeaders": {name: [value] for name, value in headers.items()},
            "queryStringParameters": None,
            "multiValueQueryStringParameters": None,
            "requestContext": {"requestId": str(uuid4()), "identity": {"sourceIp": "127.0.0.1"}, "stage": "api"},
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
        file = made.metadata.reserve_file(self._ada, UUID(self.collection), draft, quotas=quotas, now=now)
        return FileRef(self._tenant, file.collection_id, file.id, file.generation)

    def _watched(self) -> Event:
        """The collection, which somebody began to watch; nobody is at the other end of the connection."""
        made = services()
        now = made.clock.now()
        watcher = WatcherDraft(str(uuid4()), None, None, None, now + timedelta(hours=2))
        made.metadata.add_watcher(self._ada, UUID(self.collection), watcher, limit=1_000_000, now=now)
        return _message(PushRequest(self._tenant, UUID(self.collection)).body())

    def _given_up(self) -> Event:
        return _message(IngestRequest(self._ref(self._uploaded(f"{uuid4()}.txt", _unique()))).body())

    def _letter(self) -> str:
        """A dead letter that can be retried."""
        function("bury").handler(self._given_up(), None)
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
