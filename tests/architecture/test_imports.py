"""What importing does, and who may import what."""

import asyncio
import json
import os
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

import pytest

from benchmarks.first_events import Scene, start
from benchmarks.product import inside
from tests.architecture.sources import FUNCTIONS, PACKAGE, ROOT, imports_of, modules, properties
from tests.conftest import Environment

HEAVY = [
    "alembic",
    "boto3",
    "botocore",
    "grpc",
    "httpx",
    "jwt",
    "lxml",
    "numpy",
    "openpyxl",
    "pandas",
    "pg8000",
    "prometheus_client",
    "pymilvus",
    "pypdfium2",
    "redis",
    "requests",
    "sqlalchemy",
]
WEB = ["fastapi", "mangum", "starlette"]
AWS = {"boto3", "botocore"}
SQL = {"pg8000", "sqlalchemy"}
VECTORS = {"grpc", "numpy", "pymilvus"}
FIRST_EVENT = {
    **dict.fromkeys(FUNCTIONS, SQL),
    **dict.fromkeys(("create_upload", "delete_collection", "delete_file", "download_file"), SQL | AWS),
    **dict.fromkeys(
        (
            "add_url",
            "retry_dead_letter",
            "retry_dead_letters",
            "retry_file",
            "retry_files",
            "sweep",
            "upload_file",
        ),
        SQL | AWS,
    ),
    "fetch_url": SQL | AWS | {"httpx"},
    "start_reembedding": SQL | AWS,
    "health": SQL | AWS | VECTORS | {"httpx", "redis"},
    "ingest_file": SQL | AWS | VECTORS | {"httpx", "redis"},
    "migrate": SQL | {"alembic"},
    "purge": SQL | AWS | VECTORS | {"redis"},
    "search": SQL | VECTORS | {"httpx", "redis"},
}
"""What answering its first event loads of `HEAVY`, where every store and model is a real one; a text is ingested."""
ALLOWED_EVERYWHERE = {"modulo", "pydantic", "typing_extensions"}
TYPING_ONLY = {"mypy_boto3_s3", "mypy_boto3_sqs"}

PROGRAM = """
import importlib.util, json, sys

def deny(event, args):
    if event in ("socket.connect", "socket.bind", "socket.getaddrinfo", "socket.sendto", "subprocess.Popen"):
        raise SystemExit(f"{event}{args}")

sys.addaudithook(deny)
loaded = {}
for name in sys.argv[2:]:
    spec = importlib.util.spec_from_file_location(f"app_{name}", f"functions/{name}/app.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert callable(module.handler)
    loaded[name] = sorted(set(json.loads(sys.argv[1])) & set(sys.modules))
print(json.dumps(loaded))
"""


@pytest.fixture(scope="module")
def loaded() -> dict[str, list[str]]:
    """The heavy packages loaded once each function was imported, in one fresh interpreter.

    Every setting holds nonsense there, so that an import that read the environment would fail.
    """
    from modulo.settings import Settings

    nonsense = {name.upper(): "?" for name in Settings.model_fields}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(HEAVY), *FUNCTIONS],
        cwd=ROOT,
        env={**nonsense, "PYTHONPATH": str(PACKAGE.parent), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_importing_a_function_loads_no_vendor(loaded: dict[str, list[str]], name: str) -> None:
    assert loaded[name] == []


def test_a_first_event_loads_what_it_needs(
    postgres: Environment, valkey: Environment, milvus: Environment, cloud: Environment, models: Environment
) -> None:
    environment = {**postgres, **valkey, **milvus, **cloud, **models, "PATH": os.environ["PATH"]}
    path = [PACKAGE.parent, Path(sysconfig.get_path("purelib"))]
    with asyncio.Runner() as runner, inside({**environment, "METRICS": "memory:"}) as services:
        asyncio.set_event_loop(runner.get_loop())  # what a function's runtime has
        services.migrate()
        scene = Scene()
        starts = {name: start(ROOT / "functions" / name, scene.event(name), environment, path) for name in FUNCTIONS}
    assert {name for name, found in starts.items() if found.status >= 400} <= {"retry_file"}  # which has nothing to do
    assert {name: found.loaded & set(HEAVY) for name, found in starts.items()} == FIRST_EVENT
    web = {name for name, found in starts.items() if found.loaded & set(WEB)}
    assert web == {name for name in FUNCTIONS if "Http" in properties(name).get("Events", {})}


def test_every_vendor_has_its_boundary() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    bounded = {name for contract in contracts for name in contract.get("protected_modules", [])}
    found = {name for path in modules("layers/core/python/modulo") for name in imports_of(path)}
    assert found - set(sys.stdlib_module_names) - ALLOWED_EVERYWHERE - TYPING_ONLY == bounded


def test_one_module_imports_pymilvus() -> None:
    importing = [path.stem for path in modules("layers/core/python/modulo") if "pymilvus" in imports_of(path)]
    assert importing == ["milvus_client"]


@pytest.mark.parametrize("folder", ["domain", "usecases"])
def test_the_core_needs_only_pydantic(folder: str) -> None:
    for path in (PACKAGE / folder).rglob("*.py"):
        assert imports_of(path) <= set(sys.stdlib_module_names) | ALLOWED_EVERYWHERE, path
