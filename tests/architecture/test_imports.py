"""What importing does, and who may import what."""

import json
import subprocess
import sys
import tomllib

import pytest

from tests.architecture.sources import FUNCTIONS, PACKAGE, ROOT, imports_of, modules

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
    "sqlalchemy",
]
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
