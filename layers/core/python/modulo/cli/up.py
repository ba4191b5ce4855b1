"""`modulo up`: run the embedded stack and the whole product on one port until stopped."""

import errno
import importlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import webbrowser
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from rich.console import Console

from modulo.cli.generator_choice import use_generator
from modulo.cli.other_machines import how_others_reach
from modulo.cli.prefork import listener
from modulo.cli.ready_message import Ready
from modulo.cli.sign_in import SignInLinks, has_desktop, link
from modulo.cli.stack import Stack, StackError
from modulo.cli.stack.process import HOST, Process, Program, answers_http, free_port, http_answer, is_free
from modulo.cli.stack.service import write_private
from modulo_client.running_server import KEY_FILE

SERVICES = ("postgres", "valkey", "milvus", "cloud", "models")
EVENT_FUNCTIONS = ("ingest_file", "fetch_url", "purge", "record_dead_letter", "reset_quotas", "sweep")
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
HEALTH = "/api/health?probe=ready"
"""Needs `HEALTH_TOKEN`."""
READY_SECONDS = 90.0
DEMO = "demo"
"""The tenant and the user whose key is printed."""
EVERYWHERE = "0.0.0.0"  # noqa: S104 - only where it was asked for
GRACE_SECONDS = 1
"""How long the worker may finish messages when everything stops; those left are interrupted and start again later."""
POLL_SECONDS = 0.5
SMALL_MODEL = "SmolLM2 on this machine writes them: enough to try the code path, but poor answers."


class Stopped(BaseException):
    """A stop signal arrived."""


def up(data: Path, *, host: str, port: int, opens: bool, generator: str | None) -> int:
    """Run everything until a stop signal or until a process exits by itself; the exit code."""
    console = Console(highlight=False, soft_wrap=True)  # no line breaks in commands to copy
    errors = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)
    services = (*SERVICES, "llm") if generator == "local" else SERVICES
    started = time.monotonic()
    with stop_signals():
        try:
            console.print(f"Starting Modulo; all data is stored in {data}", markup=False)
            told = SMALL_MODEL if generator == "local" else use_generator(os.environ, generator)
            product = Product(data, services, host=host, port=port, console=console)
            with product.stack as stack:
                product.start()
                page, message = product.message(told)
                console.print(f"\n[green]Modulo is ready[/green] after {time.monotonic() - started:.1f} s.\n")
                console.print(message, markup=False)
                if opens and console.is_terminal and has_desktop():
                    webbrowser.open(page)
                try:
                    while True:
                        stack.check()
                        time.sleep(POLL_SECONDS)
                finally:
                    console.print("Stopping ...")
        except Stopped:
            console.print("Stopped.")
            return 0
        except (StackError, OSError) as error:
            errors.print(f"\nmodulo: {error}")
            return 1


def print_ready(console: Console, what: str, seconds: float) -> None:
    """Print that a service or step is ready, and how long it took."""
    console.print(f"  {what:<11} ready after {seconds:4.1f} s")


@contextmanager
def stop_signals() -> Iterator[None]:
    """Raise `Stopped` on the first stop signal and ignore further ones, so that they do not disturb the shutdown."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        raise Stopped

    before = {number: signal.signal(number, stop) for number in STOP_SIGNALS}
    if before[signal.SIGHUP] is signal.SIG_IGN:  # started with nohup: keep ignoring it
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Product:
    """The product's own processes on top of an embedded stack."""

    def __init__(self, data: Path, services: Iterable[str], *, port: int, console: Console, host: str = HOST) -> None:
        self.stack = Stack(data, services, on_open=self._open, on_ready=self._service_ready)
        self._console = console
        self._key_file = self.stack.data / KEY_FILE
        self._demo_file = self.stack.data / "demo.json"
        self._links = SignInLinks(self.stack.data / "sign-in")
        self._host = host
        self._port = port
        self._api: Process
        self.key = ""
        self._health_token = secrets.token_urlsafe(32)

    @property
    def url(self) -> str:
        """The API's base URL, as this machine reaches it."""
        return f"http://{HOST}:{self._port}/api"

    def start(self) -> None:
        """Start the product's processes on the running stack and load the samples at the first start.

        Raises:
            StackError: a process exited or was not ready in time.
        """
        with self._timed("product"):
            environment = product_environment(self.stack.environment) | self._own_settings()
            self._api.write_stdin(json.dumps(environment))
            self.stack.spawn("worker", modulo(environment, "worker", *EVENT_FUNCTIONS, "--grace", str(GRACE_SECONDS)))
            self._await_health()
        if self._status("/collections?limit=1") == 401:  # the stored key was revoked
            self.key = self._new_key(environment)
        if not self._demo():
            self._load_samples()

    def _own_settings(self) -> dict[str, str]:
        return {
            "HEALTH_TOKEN": self._health_token,
            "EXPECTED_WORKERS": json.dumps(EVENT_FUNCTIONS),
            "SIGN_IN_FOLDER": str(self._links.folder.absolute()),
            "OBJECTS_THROUGH_SERVER": str(self._host == EVERYWHERE),  # other machines do not reach the store
        }

    def _await_health(self) -> None:
        token = self._health_token
        try:
            self._api.await_ready(
                lambda: answers_http(self._port, HEALTH, bearer=token, timeout=10), timeout=READY_SECONDS
            )
        except StackError as error:
            answer = http_answer(self._port, HEALTH, bearer=token, timeout=10).decode(errors="replace")
            raise StackError(f"{error}\n{answer}".rstrip()) from None

    def message(self, answers: str) -> tuple[str, str]:
        """The page's address with a code that signs in once, and what to print after the start."""
        page = link(self.url.removesuffix("/api"), self._links.create(DEMO, DEMO))
        collection = self._demo().get("collection_id")
        demo = self._demo() if collection and self._status(f"/collections/{collection}") == 200 else {}
        others = how_others_reach(self._port) if self._host == EVERYWHERE else None
        return page, Ready(page, self.url, self.key, answers, demo, others).message()

    def _open(self) -> None:
        with self._listener() as listening:
            self.stack.announce(self.url)
            command = [sys.executable, "-m", "modulo.cli.preload", str(listening.fileno())]
            program = Program(command, product_environment({}), reads_stdin=True, keep_open=(listening.fileno(),))
            self._api = self.stack.spawn("api", program)

    def _listener(self) -> socket.socket:
        """The API's socket, opened now so that no other stack that starts at the same time takes the port."""
        try:
            return listener(self._host, self._port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise StackError(f"cannot listen on {self._host}: {error.strerror}") from error
            taken, self._port = self._port, next_port(self._port)
            self._console.print(f"  Port {taken} is in use: using {self._port} instead.")
            return self._listener()

    def _service_ready(self, name: str, seconds: float, environment: Mapping[str, str]) -> None:
        print_ready(self._console, name, seconds)
        if name == "postgres":  # migrate while the other services start
            settings = product_environment(environment)
            with self._timed("migrations"):
                self.stack.run("migrate", modulo(settings, "migrate"))
            self.key = self._key_file.read_text() if self._key_file.exists() else self._new_key(settings)

    def _load_samples(self) -> None:
        demo = importlib.import_module("modulo.cli.demo")  # loads an HTTP client, needed at the first start only

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
        key = create_demo_key(environment)
        write_private(self._key_file, key)
        return key

    def _status(self, path: str) -> int:
        answer = http_answer(self._port, f"/api{path}", bearer=self.key, timeout=10)
        return int((answer.split(maxsplit=2) + [b"0"] * 2)[1])

    @contextmanager
    def _timed(self, what: str) -> Iterator[None]:
        started = time.monotonic()
        yield
        print_ready(self._console, what, time.monotonic() - started)


def product_environment(stack: Mapping[str, str]) -> dict[str, str]:
    """Environment of the product's processes: this process's, with the stack's settings instead of any AWS_* ones."""
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
    """A `modulo` command as a program to run."""
    return Program([sys.executable, "-m", "modulo.cli.main", *arguments], environment)


def create_demo_key(environment: Mapping[str, str]) -> str:
    """A new API key of the tenant `demo`.

    Raises:
        StackError: it could not be created.
    """
    command = modulo(environment, "keys", "create", "--tenant", DEMO, "--user", DEMO, "--name", "demo")
    made = subprocess.run(
        command.argv, env=dict(command.environment), capture_output=True, text=True, check=False, process_group=0
    )
    if made.returncode != 0:
        raise StackError(f"`modulo admin keys create` failed:\n{made.stderr}")
    return made.stdout.strip()


def next_port(taken: int) -> int:
    """A free port, close to the one in use if possible."""
    return next((port for port in range(taken + 1, min(taken + 100, 65_536)) if is_free(port)), 0) or free_port()
