"""What `modulo eval` does with its options."""

import json
import random
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from rich.console import Console

from modulo.cli.evaluation import EvaluationError
from modulo.cli.evaluation.chart import render
from modulo.cli.evaluation.evaluation import Evaluation, Run
from modulo.cli.evaluation.golden import SAMPLES, GoldenQuestion, read_golden_set
from modulo.cli.evaluation.missing import Missing, missing_from
from modulo.cli.evaluation.report import print_evaluation
from modulo.cli.evaluation.requirements import missed, read_requirements
from modulo.cli.evaluation.searches import Server, Setup
from modulo.cli.running_stack import running_address
from modulo.cli.stack import StackError
from modulo.cli.stack.process import free_port
from modulo.cli.up import SERVICES, Product, Stopped, stop_signals

WIDTH = 160
"""Of the table where it is not printed on a terminal."""


@dataclass(frozen=True, slots=True)
class Target:
    """The server to ask: named by URL and key, or running on a directory, or embedded and as short-lived as this."""

    url: str | None
    key: str | None
    data: Path
    embedded: bool


def evaluate(
    golden: Path | None,
    setups: Sequence[tuple[str, str]],
    *,
    seed: int,
    limit: int | None,
    concurrency: int,
    json_file: Path | None,
    chart: Path | None,
    require: Path | None,
    allow_missing: bool,
    target: Target,
) -> int:
    """Ask the questions, print the measures and write the files; 1 where a required measure is missed, or else 0.

    Each setup is a collection, by name or id, and a `config_metadata` as JSON.

    Raises:
        ModuloError: a file, a setup or the server is not as it has to be, or a collection lacks what is asked for.
    """
    console = Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False)
    errors = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)
    path = golden or SAMPLES
    questions = draw(read_golden_set(path), limit, seed)
    required = read_requirements(require) if require else {}
    configs = [read_config(config) for _, config in setups]
    for file in filter(None, (json_file, chart)):
        if not file.parent.is_dir() or file.is_dir():
            raise EvaluationError(f"{file} cannot be written: it is a directory, or stands in none.")
    with _server(target, errors) as server:
        ids = {collection: server.collection_id(collection) for collection, _ in setups}
        missing = {name: missing_from(server, one, questions, concurrency=concurrency) for name, one in ids.items()}
        if not allow_missing:
            require_all(missing)
        progress = _progress(errors, len(questions) * len(setups))
        runs: list[Run] = []
        for name, (collection, _), config in zip(names(setups), setups, configs, strict=True):
            setup = Setup(name, ids[collection], config)
            found = server.ask(setup, questions, concurrency=concurrency, on_answer=progress)
            runs.append(Run(setup, found, missing[collection]))
    evaluation = Evaluation(questions, runs, seed=seed)
    print_evaluation(evaluation, console)
    if json_file:
        _write(json_file, json.dumps(evaluation.as_json(), indent=1, ensure_ascii=False) + "\n")
    if chart:
        _write(chart, render(evaluation, title=f"{path.name}, {len(questions)} questions"))
    lines = [line for run in runs for line in missed(required, evaluation.estimates(run))]
    for line in lines:
        errors.print(f"modulo: {line}")
    return 1 if lines else 0


def read_config(text: str) -> Mapping[str, Any]:
    """A `config_metadata` given as JSON.

    Raises:
        EvaluationError: it is not an object; the server judges its fields.
    """
    try:
        config = json.loads(text)
    except ValueError as error:
        raise EvaluationError(f"The configuration {text!r} is not JSON: {error}") from None
    if not isinstance(config, dict):
        raise EvaluationError(f"The configuration {text!r} is not a JSON object.")
    return config


def require_all(missing: Mapping[str, Missing]) -> None:
    """Refuse to measure what cannot be found.

    Raises:
        EvaluationError: a collection, each given by its name, lacks what the questions name.
    """
    lines = [f"{collection}: {line}" for collection, one in missing.items() for line in one.lines()]
    if lines:
        raise EvaluationError("\n".join([*lines, "Such questions score 0: --allow-missing asks them all the same."]))


def draw(questions: list[GoldenQuestion], limit: int | None, seed: int) -> list[GoldenQuestion]:
    """All questions, or as many as the limit allows, drawn with the seed and in their order."""
    if limit is None or limit >= len(questions):
        return questions
    kept = set(random.Random(seed).sample(range(len(questions)), limit))  # noqa: S311 - no secret
    return [question for number, question in enumerate(questions) if number in kept]


def names(setups: Sequence[tuple[str, str]]) -> list[str]:
    """Setups are called by what tells them apart: the collection, or the configuration."""
    collections = [collection for collection, _ in setups]
    if len(set(collections)) == len(setups):
        return collections
    return [config if config.strip("{} ") else "default" for _, config in setups]


def _progress(console: Console, total: int) -> Callable[[], None]:
    """Shows how many questions are answered, on a terminal only."""
    answered = count(1)

    def show() -> None:
        number = next(answered)
        if console.is_terminal:
            console.print(f"  {number} of {total} questions", end="\r")

    return show


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise EvaluationError(f"{path} cannot be written: {error.strerror}.") from None


@contextmanager
def _server(target: Target, errors: Console) -> Iterator[Server]:
    if target.embedded:
        with _embedded_server(errors) as server:
            yield server
        return
    url, key = target.url, target.key
    if (url is None) != (key is None):
        raise EvaluationError("Give both --url and --key, or neither for the server that `make up` started.")
    if url is None or key is None:
        url, key = running_address(target.data)
    errors.print(f"Evaluating {url}")
    with Server(url, key) as server:
        yield server


@contextmanager
def _embedded_server(errors: Console) -> Iterator[Server]:
    """A server of its own with the sample documents; everything it stores is deleted at the end."""
    folder = Path(tempfile.mkdtemp(prefix="modulo-evaluation-"))
    try:
        product = Product(folder, SERVICES, port=free_port(), console=errors)
        with stop_signals(), product.stack:
            product.start()
            with Server(product.url, product.key) as server:
                yield server
    except Stopped:
        raise EvaluationError("Stopped.") from None
    except StackError as error:
        raise EvaluationError(f"The embedded server did not start: {error}") from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)
