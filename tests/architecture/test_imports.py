"""What importing does, and who may import what."""

import asyncio
import importlib.util
import json
import os
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from benchmarks.first_events import Scene
from benchmarks.fresh_process import start
from benchmarks.product import in_process_services
from modulo.lean_imports import LAMBDA
from tests.architecture.sources import FUNCTIONS, PACKAGE, ROOT, api_routes, imports_of, modules
from tests.conftest import Environment

HEAVY = [
    "alembic",
    "boto3",
    "botocore.session",  # Powertools names the package itself, which is empty, in its user agent
    "chardet",
    "grpc",
    "httpx",
    "jwt",
    "lxml",
    "numpy",
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
AWS = {"boto3", "botocore.session"}
SQL = {"pg8000", "sqlalchemy"}
VECTORS = {"grpc", "numpy", "pymilvus"}
FIRST_EVENT = {
    **dict.fromkeys(FUNCTIONS, SQL),
    **dict.fromkeys(("create_upload", "delete_collection", "delete_file", "download_file"), SQL | AWS),
    **dict.fromkeys(
        (
            "add_document",
            "add_documents",
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
    **dict.fromkeys(
        (
            "v1_add_upload_part",
            "v1_cancel_file_batch",
            "v1_cancel_upload",
            "v1_complete_upload",
            "v1_create_file",
            "v1_create_file_batch",
            "v1_create_vector_store",
            "v1_create_vector_store_file",
            "v1_delete_file",
            "v1_delete_vector_store",
            "v1_delete_vector_store_file",
            "v1_get_file_content",
        ),
        SQL | AWS,
    ),
    "list_methods": set(),
    "v1_create_embedding": SQL | {"httpx"},
    "list_chunks": SQL | VECTORS,
    "v1_get_vector_store_file_content": SQL | VECTORS,
    "v1_create_chat_completion": SQL | VECTORS | {"httpx", "redis"},
    "v1_create_response": SQL | VECTORS | {"httpx", "redis"},
    "v1_search_vector_store": SQL | VECTORS | {"httpx", "redis"},
    "fetch_url": SQL | AWS | {"httpx"},
    "start_reembedding": SQL | AWS,
    "health": SQL | AWS | VECTORS | {"httpx", "redis"},
    "ingest_file": SQL | AWS | VECTORS | {"httpx", "redis"},
    "migrate": SQL | {"alembic"},
    "purge": SQL | AWS | VECTORS | {"redis"},
    "ask_conversation": SQL | VECTORS | {"httpx", "redis"},
    "search": SQL | VECTORS | {"httpx", "redis"},
    "stream_conversation": SQL | VECTORS | {"httpx", "redis"},
    "stream_search": SQL | VECTORS | {"httpx", "redis"},
}
"""What answering its first event loads of `HEAVY`, where every store and model is a real one; a text is ingested."""
APART = {"v1_delete_vector_store_file"} | {name for name in FUNCTIONS if "reembedding" in name}
"""Functions that another one's event would leave nothing to do."""
ALLOWED_EVERYWHERE = {"modulo", "pydantic", "pydantic_core", "typing_extensions"}
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

ANSWERS = """
import importlib.util, json, os, sys

statuses = {}
for name, event in json.load(sys.stdin).items():
    spec = importlib.util.spec_from_file_location(f"app_{name}", f"functions/{name}/app.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    statuses[name] = module.handler(event, None)["statusCode"]
print(json.dumps([statuses, list(sys.modules)]), flush=True)
os._exit(0)
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


@pytest.mark.parametrize(
    ("name", "others"),
    [("search", "documents.document files.upload conversations.conversation"), ("list_members", "search.search")],
)
def test_importing_a_function_builds_no_models_of_other_requests(name: str, others: str) -> None:
    program = "import sys, app; print(*(name for name in sys.modules if name.startswith('modulo.domain.')))"
    path = os.pathsep.join((str(PACKAGE.parent), str(ROOT / "functions" / name)))
    environment = {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    unwanted = {f"modulo.domain.{other}" for other in others.split()}
    assert all(importlib.util.find_spec(module) for module in unwanted)
    assert not unwanted & set(done.stdout.split())


@pytest.mark.parametrize("model", ["bedrock_embedder", "bedrock_generator"])
def test_models_of_bedrock_need_no_other_client(model: str) -> None:
    program = f"import sys, modulo.adapters.models.{model}; print('httpx' in sys.modules)"
    environment = {"PYTHONPATH": str(PACKAGE.parent), "PYTHONDONTWRITEBYTECODE": "1"}
    found = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False
    )
    assert (found.stdout, found.stderr) == ("False\n", "")


def test_a_first_event_loads_what_it_needs(
    postgres: Environment, valkey: Environment, milvus: Environment, cloud: Environment, models: Environment
) -> None:
    """Functions of the API that need the same answer one by one in one process, the others each in a fresh one.

    What a process has loaded in the end bounds what any of its functions loads.
    """
    environment = {**postgres, **valkey, **milvus, **cloud, **models, "PATH": os.environ["PATH"]}
    path = [PACKAGE.parent, Path(sysconfig.get_path("purelib"))]
    groups: dict[frozenset[str], list[str]] = {}
    for name in FUNCTIONS:
        if api_routes(name) and FIRST_EVENT[name] and name not in APART:
            groups.setdefault(frozenset(FIRST_EVENT[name]), []).append(name)
    together = {name for names in groups.values() for name in names}
    with asyncio.Runner() as runner, in_process_services({**environment, "METRICS": "none:"}) as services:
        asyncio.set_event_loop(runner.get_loop())  # what a function's runtime has
        services.migrate()
        scene = Scene()
        starts = {
            name: start(ROOT / "functions" / name, scene.event(name), {**environment, LAMBDA: name}, path)
            for name in FUNCTIONS
            if name not in together
        }
        answered = {
            needed: answers({name: scene.event(name) for name in names}, {**environment, LAMBDA: "any"}, path)
            for needed, names in groups.items()
        }
    statuses = {name: found.status for name, found in starts.items()}
    statuses |= {name: status for found, _ in answered.values() for name, status in found.items()}
    nothing_to_do = {"retry_file", "v1_cancel_response"}
    assert {name: status for name, status in statuses.items() if status >= 400}.keys() <= nothing_to_do
    loaded = {name: set(found.loaded & set(HEAVY)) for name, found in starts.items()}
    assert {name: (found, FIRST_EVENT[name]) for name, found in loaded.items() if found != FIRST_EVENT[name]} == {}
    assert {needed: reached & set(HEAVY) for needed, (_, reached) in answered.items()} == {
        each: each for each in groups
    }
    web = {name for name, found in starts.items() if found.loaded & set(WEB)}
    assert web == {name for name in starts if api_routes(name)}


def answers(events: Mapping[str, Any], environment: Environment, path: list[Path]) -> tuple[dict[str, int], set[str]]:
    """The status of each function's answer, all given by one fresh interpreter, and the modules that it has then."""
    done = subprocess.run(
        [str(getattr(sys, "_base_executable", sys.executable)), "-S", "-c", ANSWERS],
        cwd=ROOT,
        env={**environment, "PYTHONPATH": os.pathsep.join(map(str, path)), "PYTHONDONTWRITEBYTECODE": "1"},
        input=json.dumps(events),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    statuses, loaded = json.loads(done.stdout.splitlines()[-1])
    return statuses, set(loaded)


def test_every_vendor_has_its_boundary() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    bounded = {name for contract in contracts for name in contract.get("protected_modules", [])}
    found = {name for path in modules("layers/core/python/modulo") for name in imports_of(path)}
    assert found - set(sys.stdlib_module_names) - ALLOWED_EVERYWHERE - TYPING_ONLY == bounded


def test_one_module_imports_pymilvus() -> None:
    importing = [path.stem for path in modules("layers/core/python/modulo") if "pymilvus" in imports_of(path)]
    assert importing == ["client"]


@pytest.mark.parametrize("folder", ["domain", "usecases"])
def test_the_core_needs_only_pydantic(folder: str) -> None:
    for path in (PACKAGE / folder).rglob("*.py"):
        assert imports_of(path) <= set(sys.stdlib_module_names) | ALLOWED_EVERYWHERE, path
