"""The benchmark machine: hardware facts, a speed calibration, and memory and CPU time of processes."""

import hashlib
import os
import platform
import subprocess
import threading
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import distributions
from pathlib import Path
from time import perf_counter

ROOT = Path(__file__).parents[1]
SAMPLE_SECONDS = 0.2
PACKAGES = ("fastapi", "milvus-lite", "onnxruntime", "pg8000", "pydantic", "pymilvus", "redis", "sqlalchemy", "uvicorn")


def machine_facts() -> dict[str, object]:
    """Facts about the machine and the software that help to judge the figures."""
    versions = {found.name.lower(): found.version for found in distributions()}
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _git("rev-parse", "HEAD"),
        "changed": bool(_git("status", "--porcelain", "--untracked-files=no")),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "processor": _processor(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load": os.getloadavg()[0],
        "packages": {name: versions[name] for name in PACKAGES if name in versions},
    }


def calibration_seconds() -> float:
    """Seconds for a fixed workload of Python code and hashing: the best of ten.

    Times are divided by it before they are compared with those of another run.
    """
    return min(_run_workload() for _ in range(10))


def _run_workload() -> float:
    started = perf_counter()
    counts: dict[str, int] = {}
    for number in range(40_000):
        key = str(number % 997)
        counts[key] = counts.get(key, 0) + number
    block = b"modulo" * 10_000
    for _ in range(100):
        block = block[:-32] + hashlib.sha256(block).digest()
    return perf_counter() - started


def descendants(pid: int) -> Iterator[int]:
    """Process ids of all descendants."""
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, _read_text(task).split()):
            yield child
            yield from descendants(child)


def resident_bytes(pid: int) -> int:
    """Resident memory of a process (RSS)."""
    return _kilobytes(Path(f"/proc/{pid}/status"), "VmRSS") * 1024


def peak_bytes(pid: int) -> int:
    """Peak resident memory of a process."""
    return _kilobytes(Path(f"/proc/{pid}/status"), "VmHWM") * 1024


@contextmanager
def peak_tree_bytes(pid: int) -> Iterator[Callable[[], int]]:
    """Sample the memory of a process with its descendants; yields a function that returns the peak so far."""
    found, stop = [0], threading.Event()

    def sample() -> None:
        while not stop.wait(SAMPLE_SECONDS):
            found.append(sum(map(proportional_bytes, (pid, *descendants(pid)))))

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield lambda: max(found)
    finally:
        stop.set()
        thread.join()


def proportional_bytes(pid: int) -> int:
    """Proportional memory of a process (PSS): shared pages are divided among the processes that share them."""
    return _kilobytes(Path(f"/proc/{pid}/smaps_rollup"), "Pss") * 1024


def cpu_seconds(pid: int, *, ended: bool = False) -> float:
    """CPU time of a process; with `ended`, including that of its children that have exited. 0 if it has exited."""
    fields = _read_text(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
    return sum(map(int, fields[11 : 15 if ended else 13])) / os.sysconf("SC_CLK_TCK")


def tree_cpu_seconds(without: Container[int] = ()) -> float:
    """CPU time of this process and its descendants, exited ones included, except for the given process ids."""
    total = sum(os.times()[:4])
    for pid in descendants(os.getpid()):
        if pid not in without:
            total += cpu_seconds(pid, ended=True)
    return total


def _kilobytes(path: Path, name: str) -> int:
    for line in _read_text(path).splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    return 0  # the process has exited


def _read_text(path: Path) -> str:
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else ():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip()
