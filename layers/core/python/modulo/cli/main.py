"""The `modulo` command; each subcommand loads its own part only."""

import importlib
import os
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn
from uuid import UUID

import typer

from modulo.domain.errors import ModuloError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="Modulo.")
keys = typer.Typer(no_args_is_help=True, help="API keys.")
app.add_typer(keys, name="keys")
tenants = typer.Typer(no_args_is_help=True, help="Whole tenants.")
app.add_typer(tenants, name="tenants")
localstack = typer.Typer(no_args_is_help=True, help="The whole template on a cloud of this machine.")
app.add_typer(localstack, name="localstack")

dead_letters = typer.Typer(no_args_is_help=True, help="Messages that were given up, of every tenant and of nobody.")
app.add_typer(dead_letters, name="dead-letters")

Host = Annotated[str, typer.Option(help="the address to listen on")]
Port = Annotated[int, typer.Option(min=1, max=65_535)]
TenantName = Annotated[str, typer.Option(help="the tenant's name")]


class LocalGenerator(StrEnum):
    """A generator that `modulo up` brings along."""

    local = "local"  # a small language model: enough to see that path work


class State(StrEnum):
    """What is to be done about a dead letter."""

    waiting = "waiting"
    retried = "retried"
    closed = "closed"


class Emulator(StrEnum):
    """A cloud on this machine."""

    localstack = "localstack"
    ministack = "ministack"


def load(path: str) -> Callable[..., Any]:
    """A function named `module:function`."""
    module, _, name = path.partition(":")
    function: Callable[..., Any] = getattr(importlib.import_module(f"modulo.{module}"), name)
    return function


def run(path: str, *args: Any, **options: Any) -> Any:
    """Call a function by its name; a problem it raises ends the command with one line."""
    try:
        return load(path)(*args, **options)
    except ModuloError as error:
        fail(error.detail)


def fail(message: str) -> NoReturn:
    """End the command with a message."""
    typer.echo(f"modulo: {message}", err=True)
    raise typer.Exit(1)


@app.command()
def up(
    *,
    port: Annotated[int, typer.Option(min=1, max=65_535, help="preferred; another is taken if it is in use")] = 8000,
    data: Annotated[Path, typer.Option(help="where everything is stored")] = Path(".modulo"),
    generator: Annotated[
        LocalGenerator | None,
        typer.Option(envvar="MODULO_GENERATOR", help="who writes answers; as GENERATOR says where not given"),
    ] = None,
) -> None:
    """Start the embedded servers and the whole product on one port; Ctrl-C stops everything."""
    raise typer.Exit(run("cli.up:up", data, port=port, local_generator=generator is LocalGenerator.local))


@app.command()
def serve(
    *,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    workers: Annotated[
        int | None, typer.Option(min=1, max=256, envvar="WEB_CONCURRENCY", help="processes; the cores where not given")
    ] = None,
) -> None:
    """Serve every HTTP function."""
    try:
        run("cli.serve:serve", host, port, workers or len(os.sched_getaffinity(0)))
    except OSError as error:
        fail(f"{host}:{port}: {error.strerror}")


@app.command()
def worker(
    names: Annotated[list[str], typer.Argument(help="ingest_file, fetch_url, purge, bury, reset_quotas, sweep")],
    *,
    concurrency: Annotated[int, typer.Option(min=1, max=64, help="messages of each queue at a time")] = 4,
    grace: Annotated[float, typer.Option(min=0, help="seconds to finish in, once told to stop")] = 30,
) -> None:
    """Run event functions."""
    try:
        run("cli.work:work", names, concurrency, grace)
    except LookupError as error:
        fail(str(error))


@app.command()
def models(*, host: Host = "127.0.0.1", port: Port = 8001) -> None:
    """Serve the local embedding and reranking models."""
    run("cli.models.server:serve", host, port)


@app.command()
def migrate() -> None:
    """Bring the database's schema up to date."""
    run("adapters.postgres_schema:migrate", load("settings:settings")())


@app.command()
def openapi() -> None:
    """Print the description of the API."""
    run("cli.openapi:print_openapi")


@app.command()
def problems() -> None:
    """Print the page of all problems."""
    run("cli.problems:print_problems")


@app.command()
def sizes(build: Annotated[Path, typer.Option(help="what `sam build` wrote")] = Path(".aws-sam/build")) -> None:
    """Print what each function weighs with its layers; fail where Lambda would refuse it."""
    run("cli.sizes:print_sizes", build)


@localstack.command("up")
def localstack_up(
    *,
    emulator: Annotated[
        Emulator, typer.Option(envvar="MODULO_EMULATOR", help="which cloud; ministack starts faster")
    ] = Emulator.localstack,
    data: Annotated[Path, typer.Option(help="where everything is stored while it runs")] = Path(".modulo/deployed"),
    builds: Annotated[Path, typer.Option(help="where builds are kept")] = Path(".modulo/builds"),
) -> None:
    """Start the embedded servers and a cloud, and deploy template.yaml to it; Ctrl-C stops everything."""
    raise typer.Exit(run("cli.local_cloud:up", data.absolute(), emulator.value, builds=builds.absolute()))


@keys.command("create")
def create_key(
    *,
    tenant: TenantName,
    user: Annotated[str, typer.Option(help="the user's name inside the tenant")],
    name: Annotated[str, typer.Option(help="what the key is for")],
) -> None:
    """Print a new key; it is shown only this once."""
    typer.echo(run("cli.keys:create_key", tenant, user, name))


@keys.command("list")
def list_keys(*, tenant: TenantName) -> None:
    """List a tenant's keys, newest first."""
    for key in run("cli.keys:list_keys", tenant):
        expired = key.expires_at is not None and key.expires_at <= datetime.now(UTC)
        state = "revoked" if key.revoked_at else "expired" if expired else "valid"
        typer.echo(f"{key.id}  {key.created_at:%Y-%m-%d %H:%M}  {state:7}  {key.name}")


@keys.command("revoke")
def revoke_key(key_id: UUID, *, tenant: TenantName) -> None:
    """End a key."""
    run("cli.keys:revoke_key", tenant, key_id)


LetterId = Annotated[UUID | None, typer.Argument(help="the letter; none with --all")]


@dead_letters.command("list")
def list_dead_letters(*, state: Annotated[State | None, typer.Option(help="only those in this state")] = None) -> None:
    """List the letters, newest first."""
    run("cli.dead_letters:print_letters", state.value if state else None)


@dead_letters.command("retry")
def retry_dead_letter(
    letter: LetterId = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="all that wait and that a retry can help")] = False,
) -> None:
    """Have what was given up tried once more."""
    one_or_all(letter, everything)
    typer.echo(f"{run('cli.dead_letters:retry', letter)} sent again")


@dead_letters.command("discard")
def discard_dead_letter(
    letter: LetterId = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="all of them, or all in the state")] = False,
    state: Annotated[State | None, typer.Option(help="with --all")] = None,
) -> None:
    """Throw letters away; what they are about stays as it is."""
    one_or_all(letter, everything)
    typer.echo(f"{run('cli.dead_letters:discard', letter, state.value if state else None)} discarded")


def one_or_all(letter: UUID | None, everything: bool) -> None:
    """Refuse a command that names neither one letter nor all, or both."""
    if (letter is None) != everything:
        fail("name one letter, or --all")


@tenants.command("list")
def list_tenants() -> None:
    """List every tenant by its id."""
    for tenant in run("cli.tenants:list_tenants"):
        state = f"deleted {tenant.deleted_at:%Y-%m-%d %H:%M}" if tenant.deleted_at else "living"
        typer.echo(f"{tenant.id}  {state:24}  {tenant.name}")


@tenants.command("delete")
def delete_tenant(tenant_id: UUID, *, yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False) -> None:
    """End a tenant: its credentials at once, everything it has shortly, for good."""
    yes or typer.confirm(f"Delete the tenant {tenant_id} with everything it has?", abort=True)
    typer.echo(run("cli.tenants:delete_tenant", tenant_id))


@tenants.command("receipt")
def show_receipt(
    tenant_id: UUID,
    deletion_id: Annotated[UUID | None, typer.Argument(help="of a file or collection; the tenant's own else")] = None,
) -> None:
    """Print the receipt of a tenant's deletion, or of one inside it."""
    typer.echo(run("cli.tenants:show_deletion", tenant_id, deletion_id).model_dump_json(indent=2))


if __name__ == "__main__":
    app()
