"""Write `modulo_client/sync` from `modulo_client/aio`, so that both clients are one; run it after a change."""

import re
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).parent / "modulo_client"
NOTE = "# Generated from modulo_client/aio by generate_sync.py: change it there.\n"
RULES = [
    (r"\basync (def|with|for)\b", r"\1"),
    (r"\bawait ", ""),
    (r"\bmodulo_client\.aio\b", "modulo_client.sync"),
    (r"\bmodulo_client\.tasks\b", "modulo_client.threads"),
    (r"\bimport asyncio\n", "import time\n"),
    (r"\basyncio\.sleep\b", "time.sleep"),
    (r"\basynccontextmanager\b", "contextmanager"),
    (r"\bAsyncExitStack\b", "ExitStack"),
    (r"\benter_async_context\b", "enter_context"),
    (r"\bAsync(?=[A-Z])", ""),
    (r"\b__a(enter|exit|iter)__\b", r"__\1__"),
    (r"\ba(close|read|iter_lines)\(", r"\1("),
    ("The asynchronous client; `modulo_client.sync` is generated from it.", "The synchronous client."),
]


def sync_of(source: str) -> str:
    """The synchronous form of an asynchronous module."""
    for pattern, written in RULES:
        source = re.sub(pattern, written, source)
    once = re.sub(r"(import time\n)(.*)import time\n", r"\1\2", source, flags=re.DOTALL)
    return NOTE + once


def generated() -> dict[str, str]:
    """The text of each generated module by its name."""
    ruff = [str(Path(sys.executable).with_name("ruff"))]
    found = {}
    for path in sorted((PACKAGE / "aio").glob("*.py")):
        text = sync_of(path.read_text())
        name = ["--stdin-filename", str(PACKAGE / "sync" / path.name)]
        for command in (["check", "--select", "I", "--fix", "--quiet"], ["format", "--quiet"]):
            done = subprocess.run([*ruff, *command, *name, "-"], input=text, capture_output=True, text=True, check=True)  # noqa: S603
            text = done.stdout
        found[path.name] = text
    return found


if __name__ == "__main__":
    (PACKAGE / "sync").mkdir(exist_ok=True)
    for module, written in generated().items():
        (PACKAGE / "sync" / module).write_text(written)
