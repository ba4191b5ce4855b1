"""How long does a function take from the start of its process to its first answer, and what does it load?"""

import compileall
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from py_compile import PycInvalidationMode
from statistics import median
from typing import Any

import yaml
from pymilvus import MilvusClient
from sqlalchemy import make_url

from benchmarks.first_events import Scene
from benchmarks.fresh_process import Start, start
from benchmarks.machine import ROOT
from benchmarks.product import in_process_services, start_product
from benchmarks.report import Cell, Report, run_question
from benchmarks.tls_proxy import HOST, admit_without_password, tls_proxy
from modulo.cli.build import build
from modulo.cli.sizes import LIMIT_BYTES, folder_bytes
from modulo.lean_imports import LAMBDA
from modulo.runtime.worker import function_names
from modulo.services import services

RUNS = 3
BUILDS = ROOT / ".modulo" / "builds"
NAIVE = ROOT / "benchmarks" / "peers" / "naive"
EAGER = (
    *("alembic", "boto3", "fastapi", "httpx", "jwt", "lxml.html", "mangum", "markdown_it", "pg8000"),
    *("prometheus_client", "modulo.adapters.milvus.vectors", "pypdfium2", "redis", "sqlalchemy"),
)
"""Every library there is: what a function would import if nothing were put off."""
SOURCES, BYTECODE = "naive function, from sources", "naive function, from bytecode"
EVERYTHING, BARE = "search, everything imported first", "bare Python"
TARGET_SEARCH, TARGET_OTHERS = 0.35, 0.20
VECTORS = "VectorsLayer"
IAM_USER = "iam"
MANAGED = ", managed"
Run = Callable[[], Start]


@dataclass(frozen=True, slots=True)
class Deployed:
    """The functions and layers of a build, unzipped."""

    folder: Path
    template: Mapping[str, Any]

    def layers(self, name: str) -> list[str]:
        """A function's layers."""
        own = self.template["Resources"][_logical_id(name)]["Properties"].get("Layers", [])
        return [layer["Ref"] for layer in (*self.template["Globals"]["Function"]["Layers"], *own)]

    def path(self, name: str) -> list[Path]:
        """Where a function imports from, besides its own folder."""
        return [self.folder / layer / "python" for layer in self.layers(name)]

    def start(self, name: str, scene: Scene, environment: Mapping[str, str]) -> Start:
        """Start a function, and have it answer its first event."""
        variables = {**environment, LAMBDA: name}
        return _answered(name, start(self.folder / _logical_id(name), scene.event(name), variables, self.path(name)))

    def bytes(self, name: str) -> int:
        """What a function weighs with its layers."""
        return sum(folder_bytes(self.folder / part) for part in (_logical_id(name), *self.layers(name)))


def measure(report: Report) -> None:
    """Start everything several times in turn, so that a busy moment hits all alike."""
    folder = Path(tempfile.mkdtemp(prefix="modulo-cold-"))
    try:
        deployed = _deployed(folder / "ours")
        naive = {bytecode: _naive(folder, bytecode=bytecode) for bytecode in (False, True)}
        with start_product(serve=None, workers=()) as product:
            environment = {**product.environment, "METRICS": "emf"}
            with in_process_services(product.environment), _managed(environment, folder) as managed:
                scene = Scene()
                runs = _others(deployed, naive, scene, environment)
                for name in function_names():
                    runs[name] = partial(deployed.start, name, scene, environment)
                    runs[_as_managed(name)] = partial(deployed.start, name, scene, managed)
                starts: dict[str, list[Start]] = {name: [] for name in runs}
                for _ in range(RUNS):
                    for name, run in runs.items():
                        starts[name].append(run())
        sizes = {name: deployed.bytes(name) for name in function_names()}
        theirs = {SOURCES: folder_bytes(naive[False]), BYTECODE: folder_bytes(naive[True])}
        _report(report, starts, sizes, theirs)
        vectors = {name for name in function_names() if VECTORS in deployed.layers(name)}
        _judge(
            report, {name: median(run.cpu_seconds for run in found) for name, found in starts.items()}, theirs, vectors
        )
    finally:
        shutil.rmtree(folder)


@contextmanager
def _managed(environment: Mapping[str, str], folder: Path) -> Iterator[dict[str, str]]:
    """The same database as a managed deployment has it: behind a proxy that wants TLS and IAM tokens."""
    direct = make_url(environment["DATABASE_URL"])
    admit_without_password(direct, IAM_USER)
    with tls_proxy(direct.port or 5432, folder) as proxy:
        url = direct.set(username=IAM_USER, password=None, host=HOST, port=proxy.port)
        yield {
            **environment,
            "DATABASE_URL": url.render_as_string(hide_password=False),
            "DATABASE_IAM_AUTH": "true",
            "DATABASE_CA_FILE": str(proxy.ca_file),
        }


def _as_managed(name: str) -> str:
    return name + MANAGED


def _others(
    deployed: Deployed, naive: Mapping[bool, Path], scene: Scene, environment: Mapping[str, str]
) -> dict[str, Run]:
    (collection,) = MilvusClient(environment["MILVUS_URI"]).list_collections()
    settings = services().settings
    names = {"NAIVE_MODEL": settings.embedding_models[0].name, "NAIVE_RERANKER": settings.rerank_model}
    theirs = {**environment, **names, "NAIVE_COLLECTION": collection}
    bare = naive[False].parent / "bare"
    bare.mkdir()
    (bare / "app.py").write_text("def handler(event, context):\n    return {}\n")
    path = deployed.path("ingest_file")  # has every layer
    return {
        SOURCES: lambda: start(naive[False], scene.event("search"), theirs, []),
        BYTECODE: lambda: start(naive[True], scene.event("search"), theirs, []),
        EVERYTHING: lambda: start(
            deployed.folder / "Search", scene.event("search"), {**environment, LAMBDA: "search"}, path, EAGER
        ),
        BARE: lambda: start(bare, {}, {}, []),
    }


def _deployed(folder: Path) -> Deployed:
    """What `sam build` makes, on this machine's processor, as Lambda would unzip it."""
    built, _ = build(BUILDS)
    for name, archive in built.archives.items():
        with zipfile.ZipFile(archive) as content:
            content.extractall(folder / name)
    return Deployed(folder, yaml.safe_load(built.template))


def _naive(folder: Path, *, bytecode: bool) -> Path:
    """The naive function with its packages, in the versions that ours has."""
    place = folder / ("naive-bytecode" if bytecode else "naive-sources")
    place.mkdir()
    shutil.copy(NAIVE / "app.py", place)
    locked = ("-c", str(ROOT / "requirements" / "app.txt"), "-r", str(NAIVE / "requirements.txt"))
    uv = Path(sys.executable).with_name("uv")
    subprocess.run(
        [uv, "pip", "install", "--quiet", "--python", sys.executable, "--target", place, *locked], check=True
    )
    if bytecode:
        mode = PycInvalidationMode.UNCHECKED_HASH
        compileall.compile_dir(place, quiet=2, workers=0, invalidation_mode=mode)
    return place


def _answered(name: str, found: Start) -> Start:
    # What can be tried again is not to be had without a fault: these are told so.
    if found.status >= 400 and (name, found.status) not in (("retry_file", 409), ("retry_dead_letter", 409)):
        raise RuntimeError(f"{name} answered {found.status}: {found.body}")
    return found


def _report(
    report: Report, starts: Mapping[str, list[Start]], sizes: Mapping[str, int], theirs: Mapping[str, int]
) -> None:
    rows: list[tuple[Cell, ...]] = []
    for name, found in starts.items():
        if name.endswith(MANAGED):
            continue
        managed = starts.get(_as_managed(name))
        size = {**sizes, **theirs}.get(name)
        rows.append(
            (
                name,
                _cpu_ms(found),
                None if managed is None else _cpu_ms(managed),
                median(run.wall_seconds for run in found) * 1000,
                len(found[0].imported),
                len(found[0].loaded),
                None if size is None else size / 1024**2,
            )
        )
        if name in sizes:
            report.figure(f"cold_start.{name}.modules", len(found[0].loaded), "modules", "count")
            report.figure(f"cold_start.{name}.bytes", sizes[name], "bytes", "bytes")
    times, modules = ("CPU ms", "CPU ms, managed", "wall ms"), ("modules at import", "modules at the first answer")
    columns = ("process", *times, *modules, "MB unzipped")
    report.table(f"From exec to the first answer, median of {RUNS}", columns, rows)
    report.note(
        "Ours are the layers of `sam build`, unzipped, with the bytecode that they ship; the naive function "
        "has the same versions of the same libraries in its folder: without bytecode, as `sam build` and a "
        "read-only code directory leave it, and with."
    )
    report.note("Postgres, Valkey, Milvus, S3, SQS and the models answer from this machine; nothing is cached.")
    report.note(
        "`managed` logs in to the same Postgres as `Infrastructure=managed` does: through TLS and with a token that "
        "the function signs; the other column has a password in its address."
    )


def _cpu_ms(found: list[Start]) -> float:
    return median(run.cpu_seconds for run in found) * 1000


def _judge(report: Report, cpu: Mapping[str, float], theirs: Mapping[str, int], vectors: set[str]) -> None:
    others = set(function_names()) - vectors
    slowest = max(others, key=lambda name: cpu[name])
    for key, against, judged in (("sources", SOURCES, True), ("bytecode", BYTECODE, False)):
        naive = cpu[against]
        report.figure(
            f"cold_start.search.of_naive_{key}",
            cpu["search"] / naive,
            f"of the {against}",
            "ratio",
            target=("<=", TARGET_SEARCH) if judged else None,
        )
        report.figure(
            f"cold_start.others.of_naive_{key}",
            cpu[slowest] / naive,
            f"of the {against} ({slowest}, the slowest without vectors)",
            "ratio",
            target=("<=", TARGET_OTHERS) if judged else None,
        )
    managed = {name: cpu[_as_managed(name)] / cpu[name] for name in function_names()}
    dearest = max(managed, key=lambda name: managed[name])
    report.figure(
        "cold_start.managed.of_given",
        managed[dearest],
        f"CPU with a managed deployment's database login, of a given one's ({dearest}, the largest)",
        "ratio",
    )
    report.figure("cold_start.search.of_everything", cpu["search"] / cpu[EVERYTHING], "of all imports", "ratio")
    report.figure("cold_start.search.of_bare", cpu["search"] / cpu[BARE], "times bare Python", "ratio")
    report.note(
        f"Against the naive function with bytecode, {cpu['search'] / cpu[BYTECODE]:.0%} (search) and "
        f"{cpu[slowest] / cpu[BYTECODE]:.0%} ({slowest}): FastAPI, SQLAlchemy, gRPC and NumPy are imported by both. "
        f"So deployed it would weigh {theirs[BYTECODE] / LIMIT_BYTES:.0%} of what Lambda takes."
    )
    shown = [SOURCES, BYTECODE, EVERYTHING, "search", "ingest_file", slowest, "get_usage", "reset_quotas", BARE]
    report.bars("Cold start: CPU to the first answer", "ms", [(name, cpu[name] * 1000) for name in shown])


def _logical_id(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


if __name__ == "__main__":
    run_question(measure)
