"""A fresh process that answers one event of a function, as Lambda has it."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

Event = Mapping[str, Any]
PROGRAM = """
import importlib, json, sys
for name in json.loads(sys.argv[2]):
    importlib.import_module(name)
import app
imported = list(sys.modules)
with open(sys.argv[1]) as file:
    event = json.load(file)
answer = app.handler(event, None)
import os
status = answer.get("statusCode", 500 if answer.get("batchItemFailures") else 200)
result = {"status": status, "imported": imported, "loaded": list(sys.modules), "body": answer.get("body")}
sys.stdout.write("\\n" + json.dumps(result) + "\\n")
sys.stdout.flush()
os._exit(0)
"""


@dataclass(frozen=True, slots=True)
class Start:
    """A process from exec to its first answer: seconds of the processor and of the clock, and the modules it had."""

    cpu_seconds: float
    wall_seconds: float
    status: int
    imported: frozenset[str]
    loaded: frozenset[str]
    body: str


def start(
    folder: Path,
    event: Mapping[str, Any],
    environment: Mapping[str, str],
    path: Sequence[Path],
    eager: Sequence[str] = (),
) -> Start:
    """Have a fresh interpreter import `app.py` of a folder and answer the event.

    It finds the folder, `path` and the standard library, nothing else; it first imports what `eager` names.
    It uses what bytecode there is and writes none.

    Raises:
        RuntimeError: it ended without an answer.
    """
    variables = {
        **environment,
        "PYTHONPATH": os.pathsep.join(map(str, [folder, *path])),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    interpreter = [str(getattr(sys, "_base_executable", sys.executable)), "-S", "-c", PROGRAM]
    with (
        tempfile.NamedTemporaryFile("w", suffix=".json") as file,
        tempfile.TemporaryFile("w+") as output,
        tempfile.TemporaryFile("w+") as errors,
    ):
        json.dump(event, file)
        file.flush()
        command = [*interpreter, file.name, json.dumps(list(eager))]
        started = perf_counter()
        process = subprocess.Popen(command, env=variables, cwd=folder, stdout=output, stderr=errors)
        _, status, used = os.wait4(process.pid, 0)
        wall = perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        for written in (output, errors):
            written.seek(0)
        if process.returncode:
            raise RuntimeError(f"{folder.name} did not answer:\n{errors.read()[-4000:]}")
        told = json.loads(output.read().splitlines()[-1])
    return Start(
        cpu_seconds=used.ru_utime + used.ru_stime,
        wall_seconds=wall,
        status=told["status"],
        imported=frozenset(told["imported"]),
        loaded=frozenset(told["loaded"]),
        body=told["body"] or "",
    )
