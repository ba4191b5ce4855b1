"""`modulo doctor`: what is configured, what answers, and what to do about what does not."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

import typer
from rich.markup import escape

from modulo_client.command.connection import Json, Key, Url
from modulo_client.command.exit_codes import FAILED, UNREACHABLE
from modulo_client.command.printing import number_of, out, print_json, size
from modulo_client.command.profile import Profile, find_profile, profile_file
from modulo_client.errors import ApiProblem, ModuloError, Unauthenticated
from modulo_client.models import Caller, CollectionInfo, Health
from modulo_client.sync.client import Modulo
from modulo_client.version import VERSION

Status = Literal["ok", "warning", "failed"]
NEARLY_FULL: Final = 0.9
TIMEOUT: Final = 15.0
_MARKS: Final = {"ok": "[green]ok[/green]     ", "warning": "[yellow]warning[/yellow]", "failed": "[red]failed[/red] "}
_PARTS: Final = {
    "postgres": "nothing works without it",
    "vectors": "nothing is found or ingested without it",
    "blobs": "no file can be uploaded or read without it",
    "queue": "no file is ingested without it",
    "embedder": "nothing is found or ingested without it",
    "reranker": "results are ordered less well without it",
    "cache": "answers are slower without it",
    "generator": "questions are not answered without it, only passages are found",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: how it is, and what to do where it is not well."""

    check: str
    status: Status
    found: str
    advice: str | None = None


def doctor(*, url: Url = None, key: Key = None, as_json: Json = False) -> None:
    """Show what is configured, what answers, and what to do; the exit code is 1 or 3 where something failed."""
    findings: list[Finding] = []
    for finding in examine(url, key):
        findings.append(finding)
        if not as_json:
            _print(finding)
    failed = {one.check for one in findings if one.status == "failed"}
    if as_json:
        print_json({"ok": not failed, "findings": [_written(one) for one in findings]})
    elif not failed:
        out.print("\nEverything that has to work does.")
    if failed:
        raise typer.Exit(UNREACHABLE if failed & {"server", "credential", "profile"} else FAILED)


def examine(url: str | None, key: str | None) -> Iterator[Finding]:
    """The findings, each as soon as it is there; what depends on something that failed is not looked at."""
    yield Finding("client", "ok", f"modulo-client {VERSION}")
    profile = find_profile(url, key)
    if profile is None:
        advice = "run `modulo login`, set MODULO_URL and MODULO_API_KEY, or start a server with `make up`"
        yield Finding("profile", "failed", f"no server and key are known{f' for {url}' if url else ''}", advice)
        return
    yield _profile(profile)
    with Modulo(profile.url, profile.key, timeout=TIMEOUT, max_retries=0) as modulo:
        yield from _server(modulo, profile)


def _profile(profile: Profile) -> Finding:
    path = profile_file()
    found = f"{profile.url}, from {profile.source}"
    if profile.source == str(path) and stat.S_IMODE(os.stat(path).st_mode) & 0o077:  # noqa: PTH116 - of a file that is there
        return Finding("profile", "warning", f"{found}, which others may read", f"chmod 600 {path}")
    return Finding("profile", "ok", found)


def _server(modulo: Modulo, profile: Profile) -> Iterator[Finding]:
    try:
        health = modulo.health()
    except Unauthenticated as error:
        yield Finding("server", "ok", "answers")
        advice = "run `modulo login` with a new key, or correct MODULO_API_KEY"
        yield Finding("credential", "failed", f"the key from {profile.source} is not accepted: {error.detail}", advice)
        return
    except ModuloError as error:
        advice = "check the address, and that the server runs: `make up` prints its address"
        yield Finding("server", "failed", _detail(error), advice)
        return
    yield Finding("server", "ok", f"answers, version {health.version}")
    yield from _parts(health)
    try:
        caller = modulo.me()
        collections = [one.info for one in modulo.collections.list()]
    except ModuloError as error:
        yield Finding("credential", "failed", _detail(error), "see the parts of the server that are down")
        return
    yield _credential(caller)
    yield _files(collections)
    yield from _quotas(caller)


def _parts(health: Health) -> Iterator[Finding]:
    for part in health.dependencies or ():
        if part.status == "ok":
            yield Finding(part.name, "ok", f"answers in {part.latency_ms:.0f} ms")
        else:
            why = _PARTS.get(part.name, "the server needs it")
            yield Finding(part.name, "failed", f"is down: {why}", "start it, or correct its address in the settings")
    answers = health.answers
    if answers is not None and answers.generator == "extractive":
        advice = "for written ones, start the server with OPENAI_API_KEY, ANTHROPIC_API_KEY or GENERATOR_URL"
        yield Finding("answers", "ok", "are extracts from the documents", advice)
    elif answers is not None:
        yield Finding("answers", "ok", f"are written by {answers.model} ({answers.generator})")
    for worker in health.workers or ():
        if worker.status == "ok":
            yield Finding(f"worker {worker.function}", "ok", f"seen {worker.seen_seconds_ago or 0:.0f} s ago")
        else:
            advice = f"start `modulo worker {worker.function}`, or look at its log"
            yield Finding(f"worker {worker.function}", "failed", "was not seen at work lately", advice)


def _credential(caller: Caller) -> Finding:
    found = f"{caller.user.name} of {caller.tenant.name}, with scopes {', '.join(caller.scopes)}"
    if "write" not in caller.scopes:
        return Finding("credential", "warning", found, "it asks and reads only: adding files needs a key with write")
    return Finding("credential", "ok", found)


def _files(collections: list[CollectionInfo]) -> Finding:
    """The queue as its user sees it: what waits to be read, and what failed."""
    stages: dict[str, int] = {}
    for one in collections:
        for stage, count in one.files.items():
            stages[stage] = stages.get(stage, 0) + count
    ready, failed = stages.pop("ready", 0), stages.pop("failed", 0)
    waiting = sum(count for stage, count in stages.items() if not stage.startswith("delet"))
    held = f"{number_of(len(collections), 'collection')}, {number_of(ready, 'file')} ready"
    found = f"{held}, {waiting} being read, {failed} failed"
    if failed:
        names = ", ".join(one.name for one in collections if one.files.get("failed"))
        return Finding("files", "warning", found, f"`modulo status NAME --failed` and `modulo retry NAME`: {names}")
    return Finding("files", "ok", found)


def _quotas(caller: Caller) -> Iterator[Finding]:
    used, limits = caller.usage, caller.quotas
    pairs = (
        ("collections", used.collections, limits.collections, str),
        ("storage", used.storage_bytes, limits.storage_bytes, size),
        ("tokens today", used.tokens_used + used.tokens_reserved, limits.tokens_per_day, str),
    )
    for name, count, limit, told in pairs:
        found = f"{told(count)} of {told(limit)}" if limit is not None else told(count)
        full = limit is not None and count >= limit * NEARLY_FULL
        advice = "delete what is no longer needed, or ask for a higher limit" if full else None
        if full and name.startswith("tokens"):
            advice = f"they count anew from {used.resets_at:%Y-%m-%d %H:%M} UTC"
        yield Finding(f"quota of {name}", "warning" if full else "ok", found, advice)


def _detail(error: ModuloError) -> str:
    return error.detail if isinstance(error, ApiProblem) else str(error)


def _written(finding: Finding) -> dict[str, Any]:
    return {name: value for name, value in asdict(finding).items() if value is not None}


def _print(finding: Finding) -> None:
    out.print(f"{_MARKS[finding.status]}  {escape(finding.check)}: {escape(finding.found)}")
    if finding.advice:
        out.print(f"         [dim]→ {escape(finding.advice)}[/dim]")
