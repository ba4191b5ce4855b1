"""`modulo up`: the embedded stack and the whole product on one port, until it is told to stop."""

import importlib
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from rich.console import Console

from modulo.cli.stack import Stack, StackError
from modulo.cli.stack.process import HOST, Process, Program, answers_http, free_port, http_answer, is_free
from modulo.cli.stack.service import write_private

SERVICES = ("postgres", "valkey", "milvus", "cloud", "models")
EVENT_FUNCTIONS = ("ingest_file", "fetch_url", "purge", "bury", "reset_quotas", "sweep")
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
HEALTH = "/api/health"
READY_SECONDS = 90.0
LOOK_SECONDS = 0.5


class Stopped(BaseException):
    """Someone asked us to stop."""


def up(data: Path, *, port: int, local_generator: bool) -> int:
    """Run everything until a signal or until a process ends by itself; the exit code."""
    console = Console(highlight=False, soft_wrap=True)  # never breaks a line that someone may copy
    errors = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)
    services = (*SERVICES, "llm") if local_generator else SERVICES
    started = time.monotonic()
    with stop_signals():
        try:
            console.print(f"Starting Modulo; everything is stored in {data}", markup=False)
            product = Product(data, services, port=port, console=console)
            with product.stack as stack:
                product.start()
                summary = product.summary()
                console.print(f"\n[green]Modulo is ready[/green] after {time.monotonic() - started:.1f} s.\n")
                console.print(summary, markup=False)
                try:
                    while True:
                        stack.check()
                        time.sleep(LOOK_SECONDS)
                finally:
                    console.print("Stopping ...")
        except Stopped:
            console.print("Stopped.")
            return 0
        except (StackError, OSError) as error:
            errors.print(f"\nmodulo: {error}")
            return 1


def told(console: Console, what: str, seconds: float) -> None:
    """Say that something is ready."""
    console.print(f"  {what:<11} ready after {seconds:4.1f} s")


@contextmanager
def stop_signals() -> Iterator[None]:
    """Turn the first signal to stop into `Stopped`; further ones must not disturb the shutdown."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        raise Stopped

    before = {number: signal.signal(number, stop) for number in STOP_SIGNALS}
    if before[signal.SIGHUP] is signal.SIG_IGN:  # started with nohup
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Product:
    """The product's own processes on top of a stack."""

    def __init__(self, data: Path, services: Iterable[str], *, port: int, console: Console) -> None:
        self.stack = Stack(data, services, on_open=self._open, on_ready=self._service_ready)
        self._console = console
        self._key_file = self.stack.data / "demo.key"
        self._demo_file = self.stack.data / "demo.json"
        self._port = port
        self._api: Process
        self.key = ""

    @property
    def url(self) -> str:
        """Where the API is."""
        return f"http://{HOST}:{self._port}/api"

    def start(self) -> None:
        """Start the processes on the running stack and load the samples.

        Raises:
            StackError: a process failed.
        """
        with self._timed("product"):
            environment = product_environment(self.stack.environment)
            self._api.tell(json.dumps(environment))
            self.stack.spawn("worker", modulo(environment, "worker", *EVENT_FUNCTIONS))
            self._await_health()
        self.stack.announce(self.url)
        if self._status("/collections?limit=1") == 401:  # revoked meanwhile
            self.key = self._new_key(environment)
        if not self._demo():
            self._load_samples()

    def _await_health(self) -> None:
        try:
            self._api.await_ready(lambda: answers_http(self._port, HEALTH, timeout=10), timeout=READY_SECONDS)
        except StackError as error:
            answer = http_answer(self._port, HEALTH, timeout=10).decode(errors="replace")
            raise StackError(f"{error}\n{answer}".rstrip()) from None

    def summary(self) -> str:
        """What a newcomer needs: addresses, the key and a first question."""
        lines = [f"  API      {self.url}", f"  OpenAPI  {self.url}/openapi.json", f"  API key  {self.key}", ""]
        collection = self._demo().get("collection_id")
        if collection and self._status(f"/collections/{collection}") == 200:
            question = {"question": self._demo()["question"], "collection_id": collection}
            lines += ["Ask the sample documents:", "", self._curl("/search", question)]
        else:
            lines += ["Create a collection:", "", self._curl("/collections", {"name": "my documents"})]
        return "\n".join([*lines, "", "Ctrl-C stops everything; what is stored stays.", ""])

    def _open(self) -> None:
        if not is_free(self._port):
            taken, self._port = self._port, next_port(self._port)
            self._console.print(f"  Port {taken} is taken: using {self._port}.")
        warm = [sys.executable, "-m", "modulo.cli.warm", HOST, str(self._port)]
        self._api = self.stack.spawn("api", Program(warm, product_environment({}), listens=True))

    def _service_ready(self, name: str, seconds: float, environment: Mapping[str, str]) -> None:
        told(self._console, name, seconds)
        if name == "postgres":  # and the others still start
            settings = product_environment(environment)
            with self._timed("migrations"):
                self.stack.run("migrate", modulo(settings, "migrate"))
            self.key = self._key_file.read_text() if self._key_file.exists() else self._new_key(settings)

    def _load_samples(self) -> None:
        demo = importlib.import_module("modulo.cli.demo")  # with an HTTP client, which later starts do without

        def progress(ready: int, total: int) -> None:
            self.stack.check()
            if self._console.is_terminal:
                self._console.print(f"  samples     {ready} of {total} ready", end="\r")

        try:
            with self._timed("samples"):
                loaded = demo.load_samples(self.url, self.key, on_progress=progress)
        except demo.DemoError as error:
            self._console.print(f"  The sample documents were not loaded: {error}", markup=False)
        else:
            write_private(self._demo_file, json.dumps(loaded))

    def _demo(self) -> dict[str, str]:
        known: dict[str, str] = json.loads(self._demo_file.read_text()) if self._demo_file.exists() else {}
        return known

    def _new_key(self, environment: Mapping[str, str]) -> str:
        command = modulo(environment, "keys", "create", "--tenant", "demo", "--user", "demo", "--name", "demo")
        made = subprocess.run(
            command.argv, env=dict(command.environment), capture_output=True, text=True, check=False, process_group=0
        )
        if made.returncode != 0:
            raise StackError(f"no API key could be made:\n{made.stderr}")
        key = made.stdout.strip()
        write_private(self._key_file, key)
        return key

    def _status(self, path: str) -> int:
        answer = http_answer(self._port, f"/api{path}", bearer=self.key, timeout=10)
        return int((answer.split(maxsplit=2) + [b"0"] * 2)[1])

    def _curl(self, path: str, body: Mapping[str, object]) -> str:
        return " \\\n  ".join(
            (
                f"curl -s {self.url}{path}",
                f"-H {shlex.quote(f'Authorization: Bearer {self.key}')}",
                "-H 'Content-Type: application/json'",
                f"-d {shlex.quote(json.dumps(body))}",
            )
        )

    @contextmanager
    def _timed(self, what: str) -> Iterator[None]:
        started = time.monotonic()
        yield
        told(self._console, what, time.monotonic() - started)


def product_environment(stack: Mapping[str, str]) -> dict[str, str]:
    """The environment of the product's processes: ours, with the stack in place of any other cloud."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    direct = ",".join(filter(None, [os.environ.get("NO_PROXY") or os.environ.get("no_proxy", ""), HOST, "localhost"]))
    return {
        **kept,
        "SQLALCHEMY_POOL_SIZE": "5",
        "NO_PROXY": direct,
        "no_proxy": direct,
        "PYTHONUNBUFFERED": "1",
        **stack,
    }


def modulo(environment: Mapping[str, str], *arguments: str) -> Program:
    """A `modulo` command."""
    return Program([sys.executable, "-m", "modulo.cli.main", *arguments], environment)


def next_port(taken: int) -> int:
    """A free port, near the taken one if possible."""
    return next((port for port in range(taken + 1, min(taken + 100, 65_536)) if is_free(port)), 0) or free_port()
