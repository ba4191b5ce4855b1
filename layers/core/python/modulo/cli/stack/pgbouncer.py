"""pgbouncer in front of Postgres, in transaction mode: stands in for RDS Proxy locally."""

import os
import platform
import shutil
import sys
from pathlib import Path
from urllib.parse import urlsplit

from modulo.cli.stack.account import Account, account_reaching
from modulo.cli.stack.process import HOST, Program, StackError, exchange, plain_environment
from modulo.cli.stack.service import Run, Service, private_directory, write_private

UNPACKED = Path(sys.prefix) / "debian"
NOT_INSTALLED = "pgbouncer, the stand-in for RDS Proxy, is not installed: apt-get install pgbouncer (Debian, Ubuntu)"
SSL_REQUEST = bytes((0, 0, 0, 8, 4, 210, 22, 47))
SERVER_CONNECTIONS = 10
CLIENT_CONNECTIONS = 1_000


def binary() -> Path:
    """Path of the pgbouncer program: installed on the machine, or unpacked from a package into the virtual environment.

    Raises:
        StackError: pgbouncer is not installed.
    """
    places = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", f"{UNPACKED}/usr/sbin"])
    found = shutil.which("pgbouncer", path=places)
    if found is None:
        raise StackError(NOT_INSTALLED)
    return Path(found)


class Pgbouncer(Service):
    """A pool of few server connections, each lent to one client for one transaction."""

    name = "pgbouncer"
    needs = ("postgres",)

    def __init__(self, data: Path, *, run: Run, durable: bool) -> None:
        super().__init__(data, run=run, durable=durable)
        self._account: Account | None = None

    def prepare(self) -> None:
        """Create the data directory and choose the account to run as."""
        private_directory(self.data)
        self._account = account_reaching(self.data, binary())
        if self._account:
            self._account.own(self.data)

    def program(self, port: int) -> Program:
        """The server. SIGTERM stops it at once; SIGINT would wait for transactions."""
        upstream = urlsplit(self.given["DATABASE_URL"])
        database = upstream.path.removeprefix("/")
        settings = {
            "listen_addr": HOST,
            "listen_port": str(port),
            "unix_socket_dir": "",
            "auth_type": "scram-sha-256",
            "auth_file": str(self._users),
            "pool_mode": "transaction",
            "default_pool_size": str(SERVER_CONNECTIONS),
            "max_client_conn": str(CLIENT_CONNECTIONS),
            "server_idle_timeout": "60",
            "log_connections": "0",
            "log_disconnections": "0",
        }
        lines = [
            "[databases]",
            f"{database} = host={upstream.hostname} port={upstream.port} dbname={database}",
            "[pgbouncer]",
            *(f"{name} = {value}" for name, value in settings.items()),
        ]
        self._write(self._users, f'"{upstream.username}" "{upstream.password}"\n')
        self._write(self.data / "pgbouncer.ini", "\n".join([*lines, ""]))
        return Program([str(binary()), str(self.data / "pgbouncer.ini")], _environment(), account=self._account)

    def ready(self, port: int) -> bool:
        """Whether it answers an SSLRequest with "N": no TLS."""
        return exchange(port, SSL_REQUEST) == b"N"

    def environment(self, port: int) -> dict[str, str]:
        """The database's URLs, through the pool and, for migrations, past it.

        Without prepared statements, which pgbouncer supports only from 1.21 on.
        """
        upstream = urlsplit(self.given["DATABASE_URL"])
        credentials = upstream.netloc.rpartition("@")[0]
        url = upstream._replace(netloc=f"{credentials}@{HOST}:{port}").geturl()
        return {"DATABASE_URL": url, "DATABASE_OWNER_URL": self.given["DATABASE_URL"], "DATABASE_PREPARES": "false"}

    @property
    def _users(self) -> Path:
        return self.data / "users.txt"

    def _write(self, path: Path, text: str) -> None:
        path.unlink(missing_ok=True)  # an earlier run may have made the account its owner
        write_private(path, text)
        if self._account:
            self._account.own(path)


def _environment() -> dict[str, str]:
    libraries = UNPACKED / "usr" / "lib" / f"{platform.machine()}-linux-gnu"
    found = {"LD_LIBRARY_PATH": str(libraries)} if UNPACKED in binary().parents else {}
    return {**plain_environment(), **found}
