"""The synchronous client is the asynchronous one without its waiting."""

import importlib.util
import subprocess
import sys
from pathlib import Path

CLIENT = Path(__file__).parents[3] / "clients" / "python"


def test_it_is_what_is_generated() -> None:
    spec = importlib.util.spec_from_file_location("generate_sync", CLIENT / "generate_sync.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    committed = {path.name: path.read_text() for path in (CLIENT / "modulo_client" / "sync").glob("*.py")}
    assert script.generated() == committed


def test_importing_it_needs_nothing_of_the_server() -> None:
    program = "import sys, modulo_client; print({'modulo', 'boto3', 'fastapi'} & {*sys.modules})"
    found = subprocess.run(
        [sys.executable, "-c", program], cwd=CLIENT, env={}, capture_output=True, text=True, check=True
    )
    assert found.stdout == "set()\n"
