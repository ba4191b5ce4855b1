"""`Stack`: starts services side by side, says how to reach them, stops them whatever happens."""

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
from modulo.cli.stack.service import Service
from modulo.cli.stack.valkey import Valkey

SERVICES: Mapping[str, type[Service]] = {
    service.name: service
    for service in (Postgres, Pgbouncer, Valkey, Milvus, Cloud, MiniStack, Localstack, Models, Llm)
}
PORT_ATTEMPTS = 3
STOP_SECONDS = 15.0
OnReady = Callable[[str, float, Mapping[str, str]], None]


class Stack:
    """The embedded servers, while the context lasts.

    `data` holds all their state; `environment` then holds the settings by which the product reaches
    them; a service stands after those that it needs. Not durable means faster, and lost with the power.

    `on_open` is called when `data` is ours, before any service starts. `on_ready` is called for each service as
    soon as it is ready, from a thread that lives as long as the stack, with the service's name, the
    seconds it took and its part of the environment; the stack has started when all calls returned.

    Raises:
        StackError: a service did not start, with the end of its log.
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
        self._guard = threading.Lock()
        self._stopping = False
        # A process gets its death signal when the thread that started it ends: these live as long as the stack.
        self._threads = ThreadPoolExecutor(max(1, len(self._services)), "stack")

    def __enter__(self) -> Self:
        self.data.mkdir(parents=True, exist_ok=True)
        self.data.chmod(0o711 if os.geteuid() == 0 else 0o700)  # as root, Postgres is someone else and passes through
        (self.data / "logs").mkdir(mode=0o700, exist_ok=True)
        self._lock.acquire()
        try:
            if self._on_open:
                self._on_open()
            started: dict[str, Future[dict[str, str]]] = {}
            for service in self._services:
                needed = [started[name] for name in service.needs]
                started[service.name] = self._threads.submit(self._start, service, needed)
            self._gather(list(started.values()))
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def spawn(self, name: str, program: Program) -> Process:
        """Start a process that uses the servers and ends before them; its own end is told by `check`.

        The calling thread has to live as long as the stack.
        """
        return self._spawn(name, program, self._clients)

    def run(self, name: str, program: Program) -> None:
        """Run a program to its end.

        Raises:
            StackError: it failed, with the end of its log.
        """
        self._run(name, program, self._clients)

    def check(self) -> None:
        """Look after all processes.

        Raises:
            StackError: one ended although nobody asked it to.
        """
        with self._guard:
            for process in (*self._servers, *self._clients):
                if process.returncode is not None:
                    raise StackError(process.obituary())

    def announce(self, address: str) -> None:
        """Tell those who find the data directory taken where the product is."""
        self._lock.note(f"at {address}")

    def stop(self) -> None:
        """Stop every process, the last started first and the servers last, and wait until all have ended."""
        with self._guard:
            self._stopping = True
        for processes in (self._clients, self._servers):
            for process in reversed(processes):
                process.signal_stop()
            while processes:
                processes[-1].stop(within=STOP_SECONDS)
                processes.pop()
        self._threads.shutdown()
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
            self._servers.remove(process)  # someone took the port in between: try another
            return self._serve(service, attempts - 1)
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
            raise StackError(process.obituary())
