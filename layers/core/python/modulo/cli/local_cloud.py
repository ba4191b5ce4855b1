"""`modulo localstack up`: deploy the whole template to a cloud emulator on this machine until stopped."""

import json
import shlex
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from modulo.cli.build import BuildError, build
from modulo.cli.deploy import DeployError, Deployment, deploy
from modulo.cli.hot_reload import HotReloader, ReloadError
from modulo.cli.stack import Stack, StackError
from modulo.cli.stack.service import write_private
from modulo.cli.up import Stopped, create_demo_key, print_ready, product_environment, stop_signals

SERVERS = ("postgres", "pgbouncer", "valkey", "milvus", "models")
POLL_SECONDS = 0.5
KEPT = {"lock", "logs"}
UNSUPPORTED = {"localstack": {"WebSockets": "false", "MigrateOnDeploy": "false"}}
"""Template parameters that turn off what an emulator does not support."""
OnReady = Callable[[str, float], None]
"""Called with what is ready and the seconds it took."""


def up(data: Path, emulator: str, *, builds: Path) -> int:
    """Deploy, then hot-reload edited sources until a stop signal or until a server exits; the exit code."""
    console = Console(highlight=False, soft_wrap=True)
    errors = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)
    started = time.monotonic()
    with stop_signals():
        try:
            console.print(f"Deploying Modulo to {emulator} on this machine", markup=False)
            on_ready = partial(print_ready, console)
            with local_cloud(data, emulator, builds=builds, on_ready=on_ready) as (stack, made):
                key = create_demo_key(product_environment(stack.environment))
                summary = _summary(made, key, _environment_file(made, stack.data))
                console.print(f"\n[green]Modulo is deployed[/green] after {time.monotonic() - started:.1f} s.\n")
                console.print(summary, markup=False)
                try:
                    _reload_edited(stack, made, console)
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
    data: Path, emulator: str, *, builds: Path, on_ready: OnReady, more: Mapping[str, str] | None = None
) -> Iterator[tuple[Stack, Deployment]]:
    """Run the embedded servers and the emulator with a fresh, migrated deployment until the context ends.

    Data left in `data` by an earlier run is deleted. `more` holds further template parameters.

    Raises:
        BuildError: the sources failed to build.
        DeployError: the deployment failed.
        StackError: a server did not start.
    """
    with _timed("build", on_ready):
        built, _ = build(builds)
    stack = Stack(
        data,
        [*SERVERS, emulator],
        durable=False,
        on_open=lambda: _clear(data),
        on_ready=lambda name, seconds, _: on_ready(name, seconds),
    )
    with stack:
        with _timed("stack", on_ready):
            made = deploy(built, stack.environment, more={**UNSUPPORTED.get(emulator, {}), **(more or {})})
        with _timed("migrations", on_ready):
            if not made.migrated:
                made.migrate()
        stack.announce(made.url)
        yield stack, made


def _reload_edited(stack: Stack, made: Deployment, console: Console) -> None:
    reloader = HotReloader(made)
    while True:
        stack.check()
        started = time.monotonic()
        try:
            changed = reloader.reload_edited()
        except (ReloadError, BotoCoreError, ClientError) as error:
            console.print(f"  reload failed, the old code keeps running: {error}", markup=False)
        else:
            if changed:
                names = changed[0] if len(changed) == 1 else f"{len(changed)} functions"
                console.print(f"  replaced {names} in {time.monotonic() - started:.1f} s", markup=False)
        time.sleep(POLL_SECONDS)


def _environment_file(made: Deployment, data: Path) -> Path:
    """Write a shell file whose variables point `aws` and boto3 at this cloud."""
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
        "Edits in functions/ and layers/core/ are deployed a few seconds after you save them.",
        "Ctrl-C stops everything; all data is deleted at the next start.",
        "",
    ]
    return "\n".join(lines)


def _clear(data: Path) -> None:
    for path in data.iterdir():
        if path.name not in KEPT:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


@contextmanager
def _timed(what: str, on_ready: OnReady) -> Iterator[None]:
    started = time.monotonic()
    yield
    on_ready(what, time.monotonic() - started)
