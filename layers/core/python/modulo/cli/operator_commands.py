"""`modulo keys`, `tenants`, `dead-letters` and `data`: operators' commands, here or in a deployment on AWS."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from modulo.cli.calls import fail, run
from modulo.cli.given_names import id_of, shown
from modulo.domain.operations.backup import Manifest, RestoreReport

TenantName = Annotated[str, typer.Option(help="the tenant's name")]
TenantGiven = Annotated[str, typer.Argument(metavar="TENANT", help="the tenant's id, or its name if no other has it")]
UserGiven = Annotated[str, typer.Argument(metavar="USER", help="the user's id, or the name if no other has it")]
KeyId = Annotated[UUID, typer.Argument(help="the key's id, as `list` shows it")]
NewFile = Annotated[Path, typer.Argument(help="where to write it; must not exist")]
WrittenFile = Annotated[Path, typer.Argument(help="what `backup` or `export` has written")]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]
RunningStack = Annotated[Path, typer.Option("--data", help="data directory of the running `modulo up`")]
DATA = Path(".modulo")
SHOWN = 100
"""Characters shown of an unreadable message."""


class State(StrEnum):
    """The state of a dead letter."""

    waiting = "waiting"
    retried = "retried"
    closed = "closed"


@dataclass
class Deployment:
    """The stack on AWS that operators' commands are run in, if any."""

    stack: str | None = None


deployment = Deployment()


def in_stack(
    aws: Annotated[
        str | None,
        typer.Option(
            envvar="MODULO_AWS_STACK",
            help="run the command in this stack on AWS, by invoking its function admin with your credentials",
        ),
    ] = None,
) -> None:
    """Choose where operators' commands run."""
    deployment.stack = aws


def _commands(told: str) -> typer.Typer:
    return typer.Typer(no_args_is_help=True, help=told, callback=in_stack)


keys = _commands("Create, list and revoke API keys.")
tenants = _commands("List, export, import and delete tenants.")
users = _commands("List and delete users of a tenant.")
stored_data = _commands("Back up and restore everything, and rebuild vectors.")
dead_letters = _commands("Inspect, retry and discard dead letters of all tenants.")
console = _commands("Deploy the web console to AWS.")


def operate_here(data: Path, path: str, *arguments: Any, **options: Any) -> Any:
    """Run what reads or writes files of this machine, which no deployed function can."""
    if deployment.stack is not None:
        fail("this works on files of this machine: see docs/operations/backup.md for a deployment on AWS")
    run("cli.running_stack:use_running_stack", data)
    return run(path, *arguments, **options)


def operate(data: Path, command: str, **arguments: Any) -> Any:
    """Run an operator's command, as `run` does, where `--aws` or the settings say."""
    return run("cli.operators:operate", deployment.stack, data, command, arguments)


def tenant_named(data: Path, given: str) -> str:
    """The id of the tenant that an id or a name means."""
    listing = "`modulo admin tenants list` shows all, deleted ones without their names"
    return id_of(given, "tenant", listing, lambda: operate(data, "tenants.list", name=given))


def user_named(data: Path, tenant_id: str, given: str) -> str:
    """The id of the tenant's user that an id or a name means."""
    listing = f"`modulo admin users list {tenant_id}` shows all, deleted ones without their names"
    return id_of(given, "user", listing, lambda: operate(data, "users.list", tenant_id=tenant_id, name=given))


@keys.command("create")
def create_key(
    *,
    tenant: TenantName,
    user: Annotated[str, typer.Option(help="the user's name inside the tenant")],
    name: Annotated[str, typer.Option(help="what the key is for")],
    data: RunningStack = DATA,
    as_json: AsJson = False,
) -> None:
    """Create a key and print it; it cannot be shown again."""
    made = operate(data, "keys.create", tenant=tenant, user=user, name=name)
    typer.echo(json.dumps({"key": made}) if as_json else made)


@keys.command("list")
def list_keys(*, tenant: TenantName, data: RunningStack = DATA, as_json: AsJson = False) -> None:
    """List a tenant's keys, newest first: id, creation, state, name and user."""
    found = operate(data, "keys.list", tenant=tenant)
    if as_json:
        print_list(found)
        return
    if not found:
        typer.echo(f"{tenant} has no keys; `modulo admin tenants list` shows the names of tenants.", err=True)
        return
    for key in found:
        expired = key["expires_at"] is not None and datetime.fromisoformat(key["expires_at"]) <= datetime.now(UTC)
        state = "revoked" if key["revoked_at"] else "expired" if expired else "valid"
        typer.echo(f"{key['id']}  {minute(key['created_at'])}  {state:7}  {key['name']}  {key['user_name']}")


@keys.command("revoke")
def revoke_key(key_id: KeyId, *, tenant: TenantName, data: RunningStack = DATA) -> None:
    """Revoke a key."""
    operate(data, "keys.revoke", tenant=tenant, key_id=key_id)


Replace = Annotated[bool, typer.Option("--replace", help="delete what the file's tenants have here")]

LetterId = Annotated[UUID | None, typer.Argument(help="the dead letter's id; omit it with --all")]


@dead_letters.command("list")
def list_dead_letters(
    *,
    state: Annotated[State | None, typer.Option(help="only those in this state")] = None,
    data: RunningStack = DATA,
    as_json: AsJson = False,
) -> None:
    """List dead letters, newest first."""
    after: str | None = None
    found: list[dict[str, Any]] = []
    while True:
        page = operate(data, "dead-letters.list", state=state and state.value, after=after)
        found += page["items"]
        for letter in () if as_json else page["items"]:
            typer.echo(line_of(letter))
        after = page["next"]
        if after is None:
            break
    if as_json:
        print_list(found)


@dead_letters.command("retry")
def retry_dead_letter(
    letter: LetterId = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="every waiting dead letter that a retry can fix")] = False,
    data: RunningStack = DATA,
) -> None:
    """Send a dead letter's message to its queue again."""
    one_or_all(letter, everything)
    typer.echo(f"{operate(data, 'dead-letters.retry', letter_id=letter)} sent again")


@dead_letters.command("discard")
def discard_dead_letter(
    letter: LetterId = None,
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="every dead letter, or with --state those in the state")
    ] = False,
    state: Annotated[State | None, typer.Option(help="limit --all to dead letters in this state")] = None,
    data: RunningStack = DATA,
) -> None:
    """Delete dead letters; their files and collections are not changed."""
    one_or_all(letter, everything)
    discarded = operate(data, "dead-letters.discard", letter_id=letter, state=state and state.value)
    typer.echo(f"{discarded} discarded")


def print_list(found: list[dict[str, Any]]) -> None:
    """Print what was found as JSON, for programs."""
    typer.echo(json.dumps(found, indent=2, ensure_ascii=False))


def minute(moment: str) -> str:
    """A moment, as lists show it."""
    return f"{datetime.fromisoformat(moment):%Y-%m-%d %H:%M}"


def line_of(letter: dict[str, Any]) -> str:
    """A dead letter on one line; of an unreadable message, its beginning."""
    parts = (letter[name] for name in ("tenant_id", "collection_id", "file_id", "generation", "part"))
    about = "/".join(str(part) for part in parts if part is not None) or " ".join(letter["body"][:SHOWN].split())
    when, function = minute(letter["buried_at"]), letter["function"] or "-"
    return f"{letter['id']}  {when}  {letter['state']:7}  {function:11}  {letter['problem']['code']}  {about}"


def told(manifest: Manifest) -> str:
    """What an archive holds, on one line."""
    rows = sum(table.rows for table in manifest.tables.values())
    lost = f", {len(manifest.lost)} files without their bytes" if manifest.lost else ""
    return f"{rows} rows, {manifest.objects} objects of {manifest.object_bytes:,} bytes{lost}"


def restored(report: RestoreReport) -> str:
    """What was restored, on one line."""
    return (
        f"{report.tenants} tenants with {sum(report.rows.values())} rows and {report.objects} objects, as of"
        f" {report.taken_at:%Y-%m-%d %H:%M:%S} UTC; {report.files} files are being embedded anew"
    )


def one_or_all(letter: UUID | None, everything: bool) -> None:
    """Fail unless exactly one of a dead letter's id and --all is given."""
    if (letter is None) != everything:
        fail("name one letter, or --all")


@tenants.command("list")
def list_tenants(*, data: RunningStack = DATA, as_json: AsJson = False) -> None:
    """List all tenants, ordered by id."""
    after: str | None = None
    found: list[dict[str, Any]] = []
    while page := operate(data, "tenants.list", after=after):
        found += page
        for tenant in () if as_json else page:
            state = f"deleted {minute(tenant['deleted_at'])}" if tenant["deleted_at"] else "living"
            typer.echo(f"{tenant['id']}  {state:24}  {tenant['name']}")
        after = page[-1]["id"]
    if as_json:
        print_list(found)


@tenants.command("delete")
def delete_tenant(
    tenant: TenantGiven,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="skip confirmation")] = False,
    data: RunningStack = DATA,
) -> None:
    """Delete a tenant for good: revokes its credentials at once, then deletes all its data."""
    tenant_id = tenant_named(data, tenant)
    yes or typer.confirm(f"Delete tenant {shown(tenant, tenant_id)} and all its data?", abort=True)
    typer.echo(operate(data, "tenants.delete", tenant_id=tenant_id))


@tenants.command("receipt")
def show_receipt(
    tenant: TenantGiven,
    deletion_id: Annotated[
        UUID | None, typer.Argument(help="a file's or collection's deletion; default: the tenant's")
    ] = None,
    *,
    data: RunningStack = DATA,
) -> None:
    """Print the receipt of a tenant's deletion, or of a file's or collection's in it, as JSON."""
    receipt = operate(data, "tenants.receipt", tenant_id=tenant_named(data, tenant), receipt_id=deletion_id)
    typer.echo(json.dumps(receipt, indent=2, ensure_ascii=False))


@tenants.command("reembed")
def reembed_tenant(
    tenant: TenantGiven,
    *,
    model: Annotated[str | None, typer.Option(help="one of EMBEDDING_MODELS; default: each collection's own")] = None,
    data: RunningStack = DATA,
) -> None:
    """Re-embed all collections of a tenant, each switching as soon as it is ready; print what was started."""
    tenant_id = tenant_named(data, tenant)
    after: str | None = None
    while True:
        wanted = {"embedding_model": model}
        done = operate(data, "tenants.reembed", tenant_id=tenant_id, request=wanted, after=after)
        for collection in done["started"]:
            typer.echo(f"{collection}  started")
        for collection, reason in done["skipped"].items():
            typer.echo(f"{collection}  skipped: {reason}")
        after = done["next"]
        if after is None:
            return


@tenants.command("export")
def export_tenant(tenant: TenantGiven, file: NewFile, *, data: RunningStack = DATA) -> None:
    """Write all that a tenant has, but for its API keys, to a new file."""
    tenant_id = UUID(tenant_named(data, tenant))
    written = operate_here(data, "runtime.admin.backups:write_backup", file, tenant_id)
    typer.echo(f"{file}: {told(written)}")


@tenants.command("import")
def import_tenant(file: WrittenFile, *, replace: Replace = False, data: RunningStack = DATA) -> None:
    """Restore an exported tenant; its files are embedded anew, its users need new API keys."""
    typer.echo(restored(operate_here(data, "runtime.admin.backups:import_tenant", file, replace=replace)))


@stored_data.command("backup")
def back_up(file: NewFile, *, data: RunningStack = DATA) -> None:
    """Write the metadata and all objects to a new file; whoever can read it can read everything."""
    typer.echo(f"{file}: {told(operate_here(data, 'runtime.admin.backups:write_backup', file))}")


@stored_data.command("restore")
def restore(file: WrittenFile, *, replace: Replace = False, data: RunningStack = DATA) -> None:
    """Restore a backup; its files are embedded anew and can be found as they become ready."""
    typer.echo(restored(operate_here(data, "runtime.admin.backups:restore", file, replace=replace)))


@stored_data.command("rebuild-vectors")
def rebuild_vectors(*, data: RunningStack = DATA) -> None:
    """Embed every file of every tenant anew, after the vector store was lost; nothing is found until then."""
    collections = files = 0
    after: list[str] | None = None
    while True:
        page = operate(data, "data.rebuild-vectors", after=after)
        collections, files, after = collections + page["collections"], files + page["files"], page["next"]
        if after is None:
            typer.echo(f"{files} files of {collections} collections are being embedded anew")
            return


@users.command("list")
def list_users(tenant: TenantGiven, *, data: RunningStack = DATA) -> None:
    """List a tenant's users, ordered by id; deleted ones have no name."""
    for user in users_of(data, tenant_named(data, tenant)):
        typer.echo(f"{user['id']}  {user['name']}")


def users_of(data: Path, tenant_id: str) -> Iterator[dict[str, Any]]:
    """A tenant's users, by id."""
    after: str | None = None
    while page := operate(data, "users.list", tenant_id=tenant_id, after=after):
        yield from page
        after = page[-1]["id"]


@users.command("delete")
def delete_user(
    tenant: TenantGiven,
    user: UserGiven,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="skip confirmation")] = False,
    data: RunningStack = DATA,
) -> None:
    """Delete a user for good: keys, memberships and conversations at once, then collections and files of their own."""
    tenant_id = tenant_named(data, tenant)
    user_id = user_named(data, tenant_id, user)
    yes or typer.confirm(f"Delete user {shown(user, user_id)} and all collections of theirs?", abort=True)
    typer.echo(operate(data, "users.delete", tenant_id=tenant_id, user_id=user_id))


@users.command("receipt")
def show_user_receipt(tenant: TenantGiven, user: UserGiven, *, data: RunningStack = DATA) -> None:
    """Print the receipt of a user's deletion as JSON; it is complete once everything was proved to be gone."""
    tenant_id = tenant_named(data, tenant)
    receipt = operate(data, "users.receipt", tenant_id=tenant_id, user_id=user_named(data, tenant_id, user))
    typer.echo(json.dumps(receipt, indent=2, ensure_ascii=False))


@console.command("deploy")
def deploy_console() -> None:
    """Put the console, the API's reference and the documentation as built here where CloudFront reads them."""
    if deployment.stack is None:
        fail("name the stack: modulo admin console --aws STACK deploy. A server shows its console by itself.")
    made = run("cli.console_deployment:deploy", deployment.stack)
    if not made.documented:
        typer.echo("The documentation is not part of it, as it is not built: make site", err=True)
    typer.echo(f"{made.files} files deployed: {made.address}")
