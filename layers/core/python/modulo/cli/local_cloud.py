"""`modulo localstack up`: the whole template, deployed to a cloud on this machine, until it is told to stop."""

import json
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from modulo.cli.build import BuildError, build
from modulo.cli.deploy import DeployError, Deployment, deploy
from modulo.cli.reload import Reload, ReloadError
from modulo.cli.stack import Stack, StackError
from modulo.cli.stack.service import write_private
from modulo.cli.up import Stopped, modulo, product_environment, stop_signals, told

SERVERS = ("postgres", "pgbouncer", "valkey", "milvus", "models")
LOOK_SECONDS = 0.5
KEPT = {"lock", "logs"}
LACKING = {"localstack": {"WebSockets": "false"}}
"""What an emulator does not have, as parameters of the template."""
Told = Callable[[str, float], None]
"""Is told what is ready, and after how many seconds."""


def up(data: Path, emulator: str, *, builds: Path) -> int:
    """Deploy, then put edited sources in place until a signal, or until a server ends by itself; the exit code."""
    console = Console(highlight=False, soft_wrap=True)
    errors = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)
    started = time.monotonic()
    with stop_signals():
        try:
            console.print(f"Deploying Modulo to {emulator} on this machine", markup=False)
            with local_cloud(data, emulator, builds=builds, tell=lambda *what: told(console, *what)) as (stack, made):
                summary = _summary(made, _demo_key(stack.environment), _environment_file(made, stack.data))
                console.print(f"\n[green]Modulo is deployed[/green] after {time.monotonic() - started:.1f} s.\n")
                console.print(summary, markup=False)
                try:
                    _watch(stack, made, console)
                finally:
                    console.print("Stopping ...")
        except Stopped:
            console.print("Stopped.")
        except (BuildError, DeployError, StackError, OSError) as error:
            errors.print(f"\nmodulo: {error}")
            return 1
    return 0


@contextmanager
def local_cloud(
    data: Path, emulator: str, *, builds: Path, tell: Told, more: Mapping[str, str] | None = None
) -> Iterator[tuple[Stack, Deployment]]:
    """The servers, and a fresh stack on the emulator among them with its database migrated, while the context lasts.

    What an earlier run left in `data` is forgotten. `more` are parameters of the template.

    Raises:
        BuildError: the sources could not be built.
        DeployError: the stack could not be made.
        StackError: a server did not start.
    """
    with _timed("build", tell):
        built, _ = build(builds)
    stack = Stack(
        data,
        [*SERVERS, emulator],
        durable=False,
        on_open=lambda: _forget(data),
        on_ready=lambda name, seconds, _: tell(name, seconds),
    )
    with stack:
        with _timed("stack", tell):
            made = deploy(built, stack.environment, more={**LACKING.get(emulator, {}), **(more or {})})
        with _timed("migrations", tell):
            made.migrate()
        stack.announce(made.url)
        yield stack, made


def _watch(stack: Stack, made: Deployment, console: Console) -> None:
    reload = Reload(made)
    while True:
        stack.check()
        started = time.monotonic()
        try:
            changed = reload.look()
        except (ReloadError, BotoCoreError, ClientError) as error:
            console.print(f"  not replaced: {error}", markup=False)
        else:
            if changed:
                names = changed[0] if len(changed) == 1 else f"{len(changed)} functions"
                console.print(f"  replaced {names} in {time.monotonic() - started:.1f} s", markup=False)
        time.sleep(LOOK_SECONDS)


def _environment_file(made: Deployment, data: Path) -> Path:
    """A file for the shell: by it, `aws` and boto3 speak to this cloud."""
    path = data / "environment"
    write_private(path, "".join(f"{name}={shlex.quote(value)}\n" for name, value in made.cloud.environment.items()))
    return path


def _summary(made: Deployment, key: str, environment: Path) -> str:
    body = json.dumps({"name": "my documents"})
    lines = [
        f"  API        {made.url}",
        f"  API key    {key}",
        f"  Cloud      {made.cloud.endpoint}   (for aws and boto3: set -a; . {shlex.quote(str(environment))})",
        "",
        "Create a collection:",
        "",
        f"curl -s {made.url}/collections \\",
        f"  -H 'Authorization: Bearer {key}' \\",
        "  -H 'Content-Type: application/json' \\",
        f"  -d '{body}'",
        "",
        "What you edit in functions/ and layers/core/ is live a few seconds after it is saved.",
        "Ctrl-C stops everything; nothing is kept.",
        "",
    ]
    return "\n".join(lines)


def _demo_key(environment: Mapping[str, str]) -> str:
    names = ("--tenant", "demo", "--user", "demo", "--name", "demo")
    command = modulo(product_environment(environment), "keys", "create", *names)
    made = subprocess.run(command.argv, env=dict(command.environment), capture_output=True, text=True, check=False)
    if made.returncode != 0:
        raise StackError(f"no API key could be made:\n{made.stderr}")
    return made.stdout.strip()


def _forget(data: Path) -> None:
    for path in data.iterdir():
        if path.name not in KEPT:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


@contextmanager
def _timed(what: str, tell: Told) -> Iterator[None]:
    started = time.monotonic()
    yield
    tell(what, time.monotonic() - started)
