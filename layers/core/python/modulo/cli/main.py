"""The `modulo` command line. Each subcommand imports only what it needs."""

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from modulo.cli.calls import fail, load, run
from modulo.cli.operator_commands import (
    DATA,
    RunningStack,
    console,
    dead_letters,
    keys,
    stored_data,
    tenants,
    users,
)

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="Run and operate Modulo."
)
localstack = typer.Typer(no_args_is_help=True, help="Deploy the whole template to a cloud emulator on this machine.")
admin = typer.Typer(no_args_is_help=True, help="Operate a server: keys, tenants, users, dead letters, stored data.")
SERVER, DEVELOPMENT = "Run a server", "Develop Modulo"
"""The groups of commands in the help."""
app.add_typer(admin, name="admin", rich_help_panel=SERVER)
app.add_typer(localstack, name="localstack", rich_help_panel=DEVELOPMENT)
_OPERATORS = {"keys": keys, "tenants": tenants, "users": users, "dead-letters": dead_letters, "data": stored_data}
for _name, _commands in _OPERATORS.items():
    admin.add_typer(_commands, name=_name)
    app.add_typer(_commands, name=_name, hidden=True)  # the names of before, which scripts may use
admin.add_typer(console, name="console")

Host = Annotated[str, typer.Option(help="the address to listen on")]
Port = Annotated[int, typer.Option(min=1, max=65_535, help="the port to listen on")]


class LocalGenerator(StrEnum):
    """A generator that `modulo up` starts or finds by itself."""

    local = "local"  # a small language model, good enough to exercise the code path
    auto = "auto"  # a model server that runs on this machine: Ollama, vLLM …


class Listening(StrEnum):
    """Where `modulo up` listens."""

    here = "127.0.0.1"
    everywhere = "0.0.0.0"  # noqa: S104 - only where it is asked for


class Emulator(StrEnum):
    """A cloud emulator."""

    localstack = "localstack"
    ministack = "ministack"


@app.command(rich_help_panel=SERVER)
def up(
    *,
    port: Annotated[
        int,
        typer.Option(
            min=1, max=65_535, envvar="MODULO_PORT", help="port to listen on; if it is in use, a free one is chosen"
        ),
    ] = 8000,
    host: Annotated[
        Listening, typer.Option(envvar="MODULO_HOST", help="address to listen on; 0.0.0.0 lets other machines reach it")
    ] = Listening.here,
    open_: Annotated[
        bool, typer.Option("--open/--no-open", envvar="MODULO_OPEN", help="open the page where there is a desktop")
    ] = True,
    data: Annotated[Path, typer.Option(help="directory for all data")] = DATA,
    generator: Annotated[
        LocalGenerator | None,
        typer.Option(
            envvar="MODULO_GENERATOR",
            help="start this generator, or find one; without it, GENERATOR or a provider's API key applies",
        ),
    ] = None,
) -> None:
    """Start the embedded servers and serve Modulo on one port; Ctrl-C stops everything."""
    raise typer.Exit(
        run("cli.up:up", data, host=host.value, port=port, opens=open_, generator=generator and generator.value)
    )


@app.command(rich_help_panel=SERVER)
def serve(
    *,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    workers: Annotated[
        int | None,
        typer.Option(min=1, max=256, envvar="WEB_CONCURRENCY", help="processes; default: one per core"),
    ] = None,
    generator: Annotated[
        str | None,
        typer.Option(
            envvar="MODULO_GENERATOR", help="auto: find a model server on this machine; else GENERATOR or a key decides"
        ),
    ] = None,
) -> None:
    """Serve the HTTP API."""
    typer.echo(f"Answers: {run('cli.generator_choice:use_generator', os.environ, generator)}", err=True)
    try:
        run("cli.serve:serve", host, port, workers or len(os.sched_getaffinity(0)))
    except OSError as error:
        fail(f"{host}:{port}: {error.strerror}")


@app.command(rich_help_panel=SERVER)
def worker(
    names: Annotated[
        list[str], typer.Argument(help="ingest_file, fetch_url, purge, record_dead_letter, reset_quotas, sweep")
    ],
    *,
    concurrency: Annotated[
        int, typer.Option(min=1, max=64, help="messages of each queue handled at the same time")
    ] = 4,
    grace: Annotated[float, typer.Option(min=0, help="seconds to finish messages after a stop signal")] = 30,
    host: Annotated[str, typer.Option(help="the address of --port")] = "127.0.0.1",
    port: Annotated[
        int | None, typer.Option(min=1, max=65_535, help="answer /live and /metrics here; default: nowhere")
    ] = None,
) -> None:
    """Run event functions: poll their queues and handle each message."""
    try:
        run("cli.worker:work", names, concurrency, grace, None if port is None else (host, port))
    except LookupError as error:
        fail(str(error))
    except OSError as error:
        fail(f"{host}:{port}: {error.strerror}")


@app.command(rich_help_panel=SERVER)
def models(*, host: Host = "127.0.0.1", port: Port = 8001) -> None:
    """Serve the local embedding and reranking models over HTTP."""
    run("cli.models.server:serve", host, port)


@app.command(rich_help_panel=SERVER)
def migrate() -> None:
    """Upgrade the database schema to the current version."""
    typer.echo(f"The schema is at revision {run('cli.migrate:migrate')}.")


@app.command(rich_help_panel=SERVER)
def mcp(
    *,
    url: Annotated[
        str | None, typer.Option(envvar="MODULO_URL", help="the server, such as https://host; its key: MODULO_API_KEY")
    ] = None,
    key: Annotated[str | None, typer.Option(envvar="MODULO_API_KEY", help="API key for it", show_default=False)] = None,
    collection: Annotated[str | None, typer.Option(help="name or id of the only collection to show")] = None,
    data: RunningStack = DATA,
) -> None:
    """Speak the Model Context Protocol on standard input and output, for assistants that start a command."""
    run("cli.mcp:serve", url, key, data, collection)


@app.command(rich_help_panel=DEVELOPMENT)
def openapi() -> None:
    """Print the OpenAPI document."""
    run("cli.openapi:print_openapi")


@app.command(rich_help_panel=DEVELOPMENT)
def methods() -> None:
    """Print the Python module with the methods of each path."""
    run("cli.methods:print_methods")


@app.command(rich_help_panel=DEVELOPMENT)
def problems() -> None:
    """Print the reference of all problem codes as Markdown."""
    run("cli.problems:print_problems")


@app.command(rich_help_panel=DEVELOPMENT)
def sizes(
    build: Annotated[Path, typer.Option(help="output directory of `sam build`")] = Path(".aws-sam/build"),
) -> None:
    """Print the unzipped size of each function with its layers; fail if one exceeds Lambda's limit."""
    run("cli.sizes:print_sizes", build)


@app.command("eval", rich_help_panel=DEVELOPMENT)
def evaluate(
    golden: Annotated[Path | None, typer.Argument(help="golden set (JSON Lines); default: that of the samples")] = None,
    *,
    collection: Annotated[str, typer.Option(help="name or id")] = "demo",
    config: Annotated[str, typer.Option(help="config_metadata of each search, as JSON")] = "{}",
    against: Annotated[str | None, typer.Option(help="a second configuration, to compare with the first")] = None,
    against_collection: Annotated[str | None, typer.Option(help="a second collection, likewise")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="ask only so many questions, drawn at random")] = None,
    concurrency: Annotated[int, typer.Option(min=1, max=64, help="searches at a time")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="of the draw and of the bootstrap")] = 7,
    json_file: Annotated[Path | None, typer.Option("--json", help="write all figures and replies here")] = None,
    chart: Annotated[Path | None, typer.Option(help="draw an SVG image here")] = None,
    require: Annotated[Path | None, typer.Option(help="least measures (JSON); the exit code is 1 below them")] = None,
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="measure though the collection lacks documents or passages")
    ] = False,
    url: Annotated[str | None, typer.Option(envvar="MODULO_URL", help="the server, such as https://host")] = None,
    key: Annotated[str | None, typer.Option(envvar="MODULO_API_KEY", help="API key for it")] = None,
    data: RunningStack = DATA,
    embedded: Annotated[bool, typer.Option("--embedded", help="start a server of its own with the samples")] = False,
) -> None:
    """Ask a golden set of questions and measure retrieval, answers, citations and refusals."""
    setups = [(collection, config)]
    if against is not None or against_collection is not None:
        setups.append((against_collection or collection, config if against is None else against))
    target = load("cli.evaluation.command:Target")(url, key, data, embedded)
    raise typer.Exit(
        run(
            "cli.evaluation.command:evaluate",
            golden,
            setups,
            seed=seed,
            limit=limit,
            concurrency=concurrency,
            json_file=json_file,
            chart=chart,
            require=require,
            allow_missing=allow_missing,
            target=target,
        )
    )


@localstack.command("up")
def localstack_up(
    *,
    emulator: Annotated[
        Emulator, typer.Option(envvar="MODULO_EMULATOR", help="cloud emulator; ministack starts faster")
    ] = Emulator.localstack,
    data: Annotated[Path, typer.Option(help="directory for all data; cleared at each start")] = Path(
        ".modulo/deployed"
    ),
    builds: Annotated[Path, typer.Option(help="directory for cached builds")] = Path(".modulo/builds"),
) -> None:
    """Start the embedded servers and an emulator, and deploy template.yaml to it; Ctrl-C stops everything."""
    raise typer.Exit(run("cli.local_cloud:up", data.absolute(), emulator.value, builds=builds.absolute()))


if __name__ == "__main__":
    app()
