"""LocalStack without Docker, in a virtual environment of its own, with the plugin that runs functions as processes."""

import fcntl
import hashlib
import os
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from modulo.cli.stack.process import HOST, Program, StackError, answers_http, plain_environment
from modulo.cli.stack.service import Service, private_directory

PROJECT = Path(__file__).resolve().parents[6]
LOCK = PROJECT / "requirements" / "localstack.txt"
PLUGIN = PROJECT / "localstack" / "plugin"
FUNCTIONS_HAVE = ("awslambdaric", "boto3")  # what Lambda's own runtime brings
REGION = "us-east-1"
MARK = ".complete"
LIBRARIES = "usr/lib/localstack"  # below what LocalStack takes for the root of the file system


class Localstack(Service):
    """The AWS services of one region; it forgets everything when it stops."""

    name = "localstack"

    def prepare(self) -> None:
        """Install what is missing and forget what another run left."""
        private_directory(self.data)
        shutil.rmtree(self.data / "run", ignore_errors=True)
        home = private_directory(home_of_environments())
        with _alone(home / "lock"):
            for program in missing(home):
                self.run(program)
        private_directory(self.data / "run" / "tmp")
        libraries = self.data / "run" / "files" / LIBRARIES
        libraries.parent.mkdir(parents=True)
        libraries.symlink_to(home / "index" / LIBRARIES)

    def program(self, port: int) -> Program:
        """The server, told to listen on one address and to call nobody."""
        home, run = home_of_environments(), self.data / "run"
        place = f"{HOST}:{port}"
        environment = {
            **plain_environment(),
            "PYTHONPATH": str(_plugin(home)),
            "HOME": str(run),
            "TMPDIR": str(run / "tmp"),
            "XDG_CACHE_HOME": str(home / "cache"),  # of entry points, by their state
            "FILESYSTEM_ROOT": str(run / "files"),
            "CONFIG_DIR": str(run / "config"),
            "GATEWAY_LISTEN": place,
            "LOCALSTACK_HOST": place,
            "GATEWAY_SERVER": "loopback",
            "DNS_ADDRESS": "0",
            "OVERRIDE_IN_DOCKER": "0",
            "SKIP_SSL_CERT_DOWNLOAD": "1",
            "DISABLE_EVENTS": "1",
            "SQS_ENDPOINT_STRATEGY": "path",
            "PROVIDER_OVERRIDE_SCHEDULER": "firing",
            "LAMBDA_RUNTIME_EXECUTOR": "process",
            "LAMBDA_RUNTIME_ENVIRONMENT_TIMEOUT": "60",  # above the plugin's own limit, which answers as AWS does
            "LAMBDA_EVENT_SOURCE_MAPPING_POLL_INTERVAL_SEC": "0.01",
            "LAMBDA_EVENT_SOURCE_MAPPING_MAX_BACKOFF_ON_EMPTY_POLL_SEC": "0.5",
            "LAMBDA_RETRY_BASE_DELAY": "1",
            "MODULO_LAMBDA_PYTHON": str(home / "functions" / "bin" / "python"),
            "AWS_ENDPOINT_URL": f"http://{place}",  # its own clients, should one not be told, ask nobody else
        }
        return Program([str(home / "server" / "bin" / "python"), "-m", "localstack.runtime.main"], environment)

    def ready(self, port: int) -> bool:
        """Ask for its health."""
        return answers_http(port, "/_localstack/health")

    def environment(self, port: int) -> dict[str, str]:
        """Where it is; what is there is deployed."""
        return {
            "AWS_ENDPOINT_URL": f"http://{HOST}:{port}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
        }


def home_of_environments() -> Path:
    """Where the virtual environments are: MODULO_LOCALSTACK_VENV, or a cache directory for each state of the lock."""
    if chosen := os.environ.get("MODULO_LOCALSTACK_VENV"):
        return Path(chosen).absolute()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "modulo" / f"localstack-{_digest([LOCK])}"


def missing(home: Path) -> Iterator[Program]:
    """What to run so that `home` has LocalStack, an environment for functions, and the plugin as it is now.

    A directory is complete once it holds its mark, which is made last.
    """
    wanted = {
        "server": ["--requirements", str(LOCK)],
        "functions": ["--constraints", str(LOCK), *pinned(LOCK.read_text(), FUNCTIONS_HAVE)],
    }
    for name, requirements in wanted.items():
        place = home / name
        if not (place / MARK).exists():
            yield _uv("venv", "--clear", "--python", sys.executable, str(place))
            python = str(place / "bin" / "python")
            yield _uv("pip", "install", "--compile-bytecode", "--require-hashes", "--python", python, *requirements)
            (place / MARK).touch()
    index = home / "index"
    if not (index / MARK).exists():  # of AWS's services, as upstream's image has it: 10 seconds at each start without
        shutil.rmtree(index, ignore_errors=True)
        (index / LIBRARIES).mkdir(parents=True)
        environment = {**plain_environment(), "FILESYSTEM_ROOT": str(index), "OVERRIDE_IN_DOCKER": "0"}
        yield Program([str(home / "server" / "bin" / "python"), "-m", "localstack.aws.spec"], environment)
        (index / MARK).touch()
    plugin = _plugin(home)
    if not (plugin / MARK).exists():
        shutil.rmtree(plugin, ignore_errors=True)
        options = ("--no-deps", "--no-build-isolation", "--python", sys.executable, "--target", str(plugin))
        yield _uv("pip", "install", *options, str(PLUGIN))
        (plugin / MARK).touch()


def pinned(lock: str, names: Sequence[str]) -> list[str]:
    """`name==version` of a lock, for the names."""
    return [pin for name in names for pin in re.findall(rf"^{re.escape(name)}==[^\s]+", lock, re.MULTILINE)]


def _plugin(home: Path) -> Path:
    """Where the plugin is installed in its present form."""
    return home / f"plugin-{_digest([PLUGIN / 'pyproject.toml', *sorted(PLUGIN.glob('modulo_localstack/*.py'))])}"


def _digest(files: Sequence[Path]) -> str:
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()[:12]


def _uv(*arguments: str) -> Program:
    """An installer's call, in our own environment: it has to know the machine's package index."""
    beside = Path(sys.executable).with_name("uv")
    uv = str(beside) if beside.exists() else shutil.which("uv")
    if not uv:
        raise StackError("LocalStack is installed by uv, which is missing: pip install uv")
    return Program([uv, *arguments], dict(os.environ))


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """While it lasts, no other process installs."""
    with lock.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
