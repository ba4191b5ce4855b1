"""LocalStack without Docker: in its own virtual environment, with the plugin that runs functions as processes."""

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
RUNTIME_PACKAGES = ("awslambdaric", "boto3")  # preinstalled in Lambda's Python runtime
REGION = "us-east-1"
MARKER = ".complete"
LIBRARIES = "usr/lib/localstack"  # relative to FILESYSTEM_ROOT


class Localstack(Service):
    """The AWS services of one region; all state is lost when it stops."""

    name = "localstack"

    def prepare(self) -> None:
        """Install what is missing and delete state left by an earlier run."""
        private_directory(self.data)
        shutil.rmtree(self.data / "run", ignore_errors=True)
        home = private_directory(environments_directory())
        with _exclusive_lock(home / "lock"):
            for program in missing_installs(home):
                self.run(program)
        private_directory(self.data / "run" / "tmp")
        libraries = self.data / "run" / "files" / LIBRARIES
        libraries.parent.mkdir(parents=True)
        libraries.symlink_to(home / "index" / LIBRARIES)

    def program(self, port: int) -> Program:
        """The server, configured to listen on one address and to make no outgoing calls."""
        home, run = environments_directory(), self.data / "run"
        place = f"{HOST}:{port}"
        environment = {
            **plain_environment(),
            "PYTHONPATH": str(_plugin(home)),
            "HOME": str(run),
            "TMPDIR": str(run / "tmp"),
            "XDG_CACHE_HOME": str(home / "cache"),  # cache of plugin entry points
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
            "LAMBDA_RUNTIME_ENVIRONMENT_TIMEOUT": "60",  # above the plugin's own limit, which reports as AWS does
            "LAMBDA_EVENT_SOURCE_MAPPING_POLL_INTERVAL_SEC": "0.01",
            "LAMBDA_EVENT_SOURCE_MAPPING_MAX_BACKOFF_ON_EMPTY_POLL_SEC": "0.5",
            "LAMBDA_RETRY_BASE_DELAY": "1",
            "MODULO_LAMBDA_PYTHON": str(home / "functions" / "bin" / "python"),
            "AWS_ENDPOINT_URL": f"http://{place}",  # default for its own clients, so that none calls AWS
        }
        return Program([str(home / "server" / "bin" / "python"), "-m", "localstack.runtime.main"], environment)

    def ready(self, port: int) -> bool:
        """Query its health endpoint."""
        return answers_http(port, "/_localstack/health")

    def environment(self, port: int) -> dict[str, str]:
        """Endpoint and credentials; resources come from the deployment."""
        return {
            "AWS_ENDPOINT_URL": f"http://{HOST}:{port}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
        }


def environments_directory() -> Path:
    """Directory of the virtual environments: MODULO_LOCALSTACK_VENV, or a cache directory named by the lock's hash."""
    if chosen := os.environ.get("MODULO_LOCALSTACK_VENV"):
        return Path(chosen).absolute()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "modulo" / f"localstack-{_digest([LOCK])}"


def missing_installs(home: Path) -> Iterator[Program]:
    """Programs that install what `home` lacks: LocalStack, an environment for functions, and the current plugin.

    Each directory gets its marker file last; one without a marker is installed again.
    """
    wanted = {
        "server": ["--requirements", str(LOCK)],
        "functions": ["--constraints", str(LOCK), *pinned(LOCK.read_text(), RUNTIME_PACKAGES)],
    }
    for name, requirements in wanted.items():
        place = home / name
        if not (place / MARKER).exists():
            yield _uv("venv", "--clear", "--python", sys.executable, str(place))
            python = str(place / "bin" / "python")
            yield _uv("pip", "install", "--compile-bytecode", "--require-hashes", "--python", python, *requirements)
            (place / MARKER).touch()
    index = home / "index"
    if not (index / MARKER).exists():  # index of AWS API specifications: without it, each start takes 10 s longer
        shutil.rmtree(index, ignore_errors=True)
        (index / LIBRARIES).mkdir(parents=True)
        environment = {**plain_environment(), "FILESYSTEM_ROOT": str(index), "OVERRIDE_IN_DOCKER": "0"}
        yield Program([str(home / "server" / "bin" / "python"), "-m", "localstack.aws.spec"], environment)
        (index / MARKER).touch()
    plugin = _plugin(home)
    if not (plugin / MARKER).exists():
        shutil.rmtree(plugin, ignore_errors=True)
        options = ("--no-deps", "--no-build-isolation", "--python", sys.executable, "--target", str(plugin))
        yield _uv("pip", "install", *options, str(PLUGIN))
        (plugin / MARKER).touch()


def pinned(lock: str, names: Sequence[str]) -> list[str]:
    """The `name==version` pins of these packages in a lock file."""
    return [pin for name in names for pin in re.findall(rf"^{re.escape(name)}==[^\s]+", lock, re.MULTILINE)]


def _plugin(home: Path) -> Path:
    """Install directory of the plugin's current version."""
    return home / f"plugin-{_digest([PLUGIN / 'pyproject.toml', *sorted(PLUGIN.glob('modulo_localstack/*.py'))])}"


def _digest(files: Sequence[Path]) -> str:
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()[:12]


def _uv(*arguments: str) -> Program:
    """A uv command. It inherits this environment, which may configure a package index."""
    beside = Path(sys.executable).with_name("uv")
    uv = str(beside) if beside.exists() else shutil.which("uv")
    if not uv:
        raise StackError("uv is needed to install LocalStack: pip install uv")
    return Program([uv, *arguments], dict(os.environ))


@contextmanager
def _exclusive_lock(lock: Path) -> Iterator[None]:
    """Hold the lock, so that only one process installs at a time."""
    with lock.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
