"""Starts the whole product on a temporary embedded stack for a benchmark."""

import json
import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import httpx

from benchmarks.machine import descendants
from modulo.cli.stack import Stack
from modulo.cli.stack.process import HOST, answers_http, free_port
from modulo.cli.up import HEALTH, SERVICES, modulo, product_environment
from modulo.services import Services, install
from modulo.settings import Settings

QUOTAS = {"QUOTAS__FILES": "1000000", "QUOTAS__COLLECTIONS": "1000000", "QUOTAS__TOKENS_PER_DAY": "1000000000"}
"""High quotas: a benchmark uses more in a minute than a user in a day."""
READY_SECONDS = 90.0
TIMEOUT_SECONDS = 240.0
POLL_SECONDS = 0.1


@dataclass(slots=True)
class Product:
    """A running product: its URL, an API key, and the settings (`environment`) of its processes."""

    stack: Stack
    environment: dict[str, str]
    url: str
    key: str

    def client(self) -> httpx.Client:
        """An HTTP client for the API, authenticated with the key."""
        headers = {"Authorization": f"Bearer {self.key}"}
        return httpx.Client(base_url=f"{self.url}/api", headers=headers, timeout=120, trust_env=False)

    def processes(self) -> dict[str, list[int]]:
        """Process ids of every running program and its descendants, by name."""
        found = (*self.stack._servers, *self.stack._clients)
        return {process.name: [process.pid, *descendants(process.pid)] for process in found}

    def new_key(self, tenant: str, user: str = "user") -> str:
        """Create an API key for another tenant."""
        return _new_key(self.environment, tenant, user)


@contextmanager
def start_product(
    *,
    services: Sequence[str] = SERVICES,
    settings: Mapping[str, str] | None = None,
    serve: Sequence[str] | None = (),
    workers: Sequence[str] = ("ingest_file",),
    prepare: Callable[[Stack], Mapping[str, str]] | None = None,
) -> Iterator[Product]:
    """Start a new, empty product and stop it at the end of the context.

    `serve` holds further options of `modulo serve`; None starts no server. `workers` names the event functions of one
    worker process; if empty, none starts. `prepare` is called once the schema is there, and returns further settings.
    """
    folder = Path(tempfile.mkdtemp(prefix="modulo-benchmark-"))
    try:
        with Stack(folder, services, durable=False) as stack:
            token = secrets.token_urlsafe(32)
            environment = {
                **product_environment(stack.environment),
                **QUOTAS,
                "HEALTH_TOKEN": token,
                "EXPECTED_WORKERS": json.dumps(list(workers)),
                **(settings or {}),
            }
            stack.run("migrate", modulo(environment, "migrate"))
            environment |= prepare(stack) if prepare else {}
            if workers:
                stack.spawn("worker", modulo(environment, "worker", *workers))
            port = free_port()
            if serve is not None:
                options = ("--host", HOST, "--port", str(port), *serve)
                api = stack.spawn("serve", modulo(environment, "serve", *options))
                api.await_ready(lambda: answers_http(port, HEALTH, bearer=token, timeout=10), timeout=READY_SECONDS)
            key = _new_key(environment, "benchmark", "user")
            yield Product(stack, environment, f"http://{HOST}:{port}", key)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def in_process_services(environment: Mapping[str, str]) -> Iterator[Services]:
    """Install the product's services in this process, configured like the product's own processes."""
    with mock.patch.dict(os.environ, environment, clear=True):
        made = Services(Settings())
        install(made)
        try:
            yield made
        finally:
            made.close()
            install(None)


def new_collection(client: httpx.Client, name: str, **more: Any) -> str:
    """Create a collection; its id."""
    answer = client.post("/collections", json={"name": name, **more})
    answer.raise_for_status()
    return str(answer.json()["id"])


def upload(client: httpx.Client, collection: str, name: str, content: bytes) -> str:
    """Upload a file of any size through a presigned form; its id."""
    body = {"name": name, "size_bytes": len(content)}
    answer = client.post(f"/collections/{collection}/uploads", json=body)
    answer.raise_for_status()
    form = answer.json()["upload"]
    sent = httpx.post(form["url"], data=form["fields"], files={"file": (name, content)}, timeout=120, trust_env=False)
    sent.raise_for_status()
    return str(answer.json()["file_id"])


def await_ready(client: httpx.Client, collection: str, files: Sequence[str]) -> None:
    """Wait until all files are ready.

    Raises:
        RuntimeError: a file failed or was not ready in time.
    """
    give_up = time.monotonic() + TIMEOUT_SECONDS
    for file in files:
        while (found := client.get(f"/collections/{collection}/files/{file}").json())["stage"] != "ready":
            if found["stage"] == "failed" or time.monotonic() > give_up:
                raise RuntimeError(f"{found['name']} is {found['stage']}: {found['problem']}")
            time.sleep(POLL_SECONDS)


def upload_and_wait(client: httpx.Client, collection: str, documents: Mapping[str, bytes]) -> list[str]:
    """Upload documents and wait until all are ready; their ids."""
    files = [upload(client, collection, name, content) for name, content in documents.items()]
    await_ready(client, collection, files)
    return files


def _new_key(environment: Mapping[str, str], tenant: str, user: str) -> str:
    command = modulo(environment, "keys", "create", "--tenant", tenant, "--user", user, "--name", "benchmark")
    made = subprocess.run(command.argv, env=dict(command.environment), capture_output=True, text=True, check=True)
    return made.stdout.strip()
