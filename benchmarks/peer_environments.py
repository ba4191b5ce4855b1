"""Virtual environments for the compared projects, separate from ours because their packages are not in our locks."""

import os
import subprocess
import sys
from pathlib import Path

from benchmarks.machine import ROOT

PEERS = Path(__file__).parent / "peers"
ENVIRONMENTS = ROOT / ".venv-peers"


def python_of(name: str) -> str:
    """The Python interpreter for a folder of `peers/`; its environment is rebuilt when its lock has changed."""
    place, lock = ENVIRONMENTS / name, PEERS / name / "requirements.txt"
    made, python = place / "requirements.txt", str(place / "bin" / "python")
    if made.exists() and made.read_bytes() == lock.read_bytes():
        return python
    uv = [str(Path(sys.executable).parent / "uv")]
    environment = {**os.environ, "UV_SYSTEM_CERTS": "true"}
    subprocess.run([*uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(place)], check=True)
    install = [*uv, "pip", "install", "--quiet", "--python", python, "--compile-bytecode"]
    install.append("--link-mode=copy")  # nltk refuses to read hard-linked files
    subprocess.run([*install, "--require-hashes", "-r", str(lock)], check=True, env=environment)
    made.write_bytes(lock.read_bytes())
    return python
