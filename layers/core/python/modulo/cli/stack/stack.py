"""`Stack`: starts services concurrently, collects their settings, and always stops them."""

import json
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from pathlib import Path
from types import TracebackType
from typing import Self

from modulo.cli.stack.cloud import Cloud
from modulo.cli.stack.llm import Llm
from modulo.cli.stack.localstack import Localstack
from modulo.cli.stack.lock import Lock
from modulo.cli.stack.milvus import Milvus
from modulo.cli.stack.ministack import MiniStack
from modulo.cli.stack.models import Models
from modulo.cli.stack.pgbouncer import Pgbouncer
from modulo.cli.stack.postgres import Postgres
from modulo.cli.stack.process import Process, Program, StackError, free_port, is_free
from modulo.cli.stack.service import Service, write_private
from modulo.cli.stack.valkey import Valkey

SERVICES: Mapping[str, type[Service]] = {
    service.name: service
    for service in (Postgres, Pgbouncer, Valkey, Milvus, Cloud, MiniStack, Localstack, Models, Llm)
}
ENVIRONMENT_FILE = "environment.json"
"""In the data directory, while the stack runs: the settings by which commands of the same user reach it."""
PORT_ATTEMPTS = 3
CLIENT_STOP_SECONDS, SERVER_STOP_SECONDS = 5.0, 5.0
"""How long all clients together, then all servers together, may take to stop before they are killed."""
OnReady = Callable[[str, float, Mapping[str, str]], None]


class Stack:
    """Context manager that runs the embedded servers.

    `data` holds all their state. `services` lists each service after those it needs. Inside the context,
    `environment` holds the settings by which the product reaches them. Without `durable`, servers are faster
    but lose data on a power failure.

    `on_open` is called once `data` is locked, before any service starts. `on_ready` is called for each service when
    it is ready, with its name, the seconds it took and its settings, from a thread that lives as long as the stack.
    The stack has started when all calls have returned.

    Raises:
        StackError: a service did not start; with the end of its log.
        AlreadyRunning: another stack uses `data`.
    """

    def __init__(
        self,
        data: Path,
        services: Iterable[str],
        *,
        durable: bool = True,
        on_open: Callable[[], None] | None = None,
        on_ready: OnReady | None = None,
    ) -> None:
        self.data = data.resolve()
        self.environment: dict[str, str] = {}
        self._services = [self._service(name, durable=durable) for name in services]
        self._on_open = on_open
        self._on_ready = on_ready
        self._lock = Lock(self.data / "lock")
        self._servers: list[Process] = []
        self._clients: list[Process] = []
        self._ports: dict[str, int] = {}
        self._guard = threading.Lock()
        self._stopping = False
        # A process gets its stop signal when the thread that started it ends: these live as long as the stack.
        self._threads = ThreadPoolExecutor(max(1, len(self._services)), "stack")

    def __enter__(self) -> Self:
        self.data.mkdir(parents=True, exist_ok=True)
        self.data.chmod(0o711 if os.geteuid() == 0 else 0o700)  # as root, Postgres is another user
        (self.data / "logs").mkdir(mode=0o700, exist_ok=True)
        self._lock.acquire()
        try:
            (self.data / ENVIRONMENT_FILE).unlink(missing_ok=True)  # of a stack that was killed
            if self._on_open:
                self._on_open()
            started: dict[str, Future[dict[str, str]]] = {}
            for service in self._services:
                needed = [started[name] for name in service.needs]
                started[service.name] = self._threads.submit(self._start, service, needed)
            self._gather(list(started.values()))
            write_private(self.data / ENVIRONMENT_FILE, json.dumps(self.environment))
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def spawn(self, name: str, program: Program) -> Process:
        """Start a process that uses the servers. It is stopped before them; `check` reports if it exits.

        The calling thread must live as long as the stack.
        """
        return self._spawn(name, program, self._clients)

    def run(self, name: str, program: Program) -> None:
        """Run a program and wait until it exits.

        Raises:
            StackError: it failed; with the end of its log.
        """
        self._run(name, program, self._clients)

    def check(self) -> None:
        """Check that all processes are running.

        Raises:
            StackError: a process has exited.
        """
        with self._guard:
            for process in (*self._servers, *self._clients):
                if process.returncode is not None:
                    raise StackError(process.exit_report())

    def pids(self, name: str) -> list[int]:
        """Process ids of a server, or of a process that was spawned under that name."""
        with self._guard:
            return [process.pid for process in (*self._servers, *self._clients) if process.name == name]

    def kill(self, name: str) -> None:
        """Kill a server with all its processes, as a crash would; `restart` starts it again."""
        with self._guard:
            (process,) = [process for process in self._servers if process.name == name]
            self._servers.remove(process)
        process.stop(within=0)

    def restart(self, name: str) -> None:
        """Start a killed server again on the port that it had, with the resources that it may have forgotten.

        Raises:
            StackError: it did not start; with the end of its log.
        """
        service, port = next(service for service in self._services if service.name == name), self._ports[name]
        spawned = self._threads.submit(self._spawn, name, service.program(port), self._servers)
        spawned.result().await_ready(lambda: service.ready(port), timeout=service.ready_within)
        service.environment(port)  # makes what is missing, such as queues

    def announce(self, address: str) -> None:
        """Record the product's address in the lock, for others that find the data directory in use."""
        self._lock.note(f"at {address}")

    def stop(self) -> None:
        """Stop all clients at once, then all servers; kill what takes too long, and wait until all have exited."""
        with self._guard:
            self._stopping = True
        for processes, seconds in ((self._clients, CLIENT_STOP_SECONDS), (self._servers, SERVER_STOP_SECONDS)):
            for process in reversed(processes):
                process.signal_stop()
            self._lock.wake_servers()
            until = time.monotonic() + seconds
            while processes:
                processes[-1].stop(within=max(0.0, until - time.monotonic()))
                processes.pop()
        self._lock.kill_servers()
        self._threads.shutdown()
        (self.data / ENVIRONMENT_FILE).unlink(missing_ok=True)
        self._lock.release()

    def _service(self, name: str, *, durable: bool) -> Service:
        return SERVICES[name](self.data, run=lambda program: self._run(name, program, self._servers), durable=durable)

    def _gather(self, started: list[Future[dict[str, str]]]) -> None:
        done, _ = wait(started, return_when=FIRST_EXCEPTION)
        for future in done:
            future.result()
        for future in started:
            self.environment.update(future.result())

    def _start(self, service: Service, needed: list[Future[dict[str, str]]]) -> dict[str, str]:
        for each in needed:
            service.given.update(each.result())
        started = time.monotonic()
        service.prepare()
        environment = service.environment(self._serve(service, PORT_ATTEMPTS))
        if self._on_ready:
            self._on_ready(service.name, time.monotonic() - started, environment)
        return environment

    def _serve(self, service: Service, attempts: int) -> int:
        port = free_port()
        process = self._spawn(service.name, service.program(port), self._servers)
        try:
            process.await_ready(lambda: service.ready(port), timeout=service.ready_within)
        except StackError:
            if process.returncode is None or is_free(port) or attempts == 1:
                raise
            self._servers.remove(process)  # another process took the port meanwhile: retry with another
            return self._serve(service, attempts - 1)
        self._ports[service.name] = port
        return port

    def _spawn(self, name: str, program: Program, group: list[Process]) -> Process:
        with self._guard:
            if self._stopping:
                raise StackError(f"{name} was not started: the stack is stopping")
            log = self.data / "logs" / f"{name}.log"
            process = Process(name, program, log, keep_open=[self._lock.descriptor])
            group.append(process)
            return process

    def _run(self, name: str, program: Program, group: list[Process]) -> None:
        process = self._spawn(name, program, group)
        code = process.wait()
        with self._guard:
            if not self._stopping:
                group.remove(process)
        if code != 0:
            raise StackError(process.exit_report())
