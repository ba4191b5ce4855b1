"""The machine that measures: what it is, how fast it is just now, and what its processes hold."""

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
LOOK_SECONDS = 0.2
PACKAGES = ("fastapi", "milvus-lite", "onnxruntime", "pg8000", "pydantic", "pymilvus", "redis", "sqlalchemy", "uvicorn")


def facts() -> dict[str, object]:
    """What a reader needs in order to judge the figures."""
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
    """The time of a fixed piece of work, of Python and of hashing: the best of ten.

    Times are divided by it before they are compared with those of another run.
    """
    return min(_calibrated() for _ in range(10))


def _calibrated() -> float:
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
    """The processes that a process started, and those that these started."""
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, _told(task).split()):
            yield child
            yield from descendants(child)


def resident_bytes(pid: int) -> int:
    """What of a process is in memory."""
    return _kilobytes(Path(f"/proc/{pid}/status"), "VmRSS") * 1024


def peak_bytes(pid: int) -> int:
    """The most of a process that was in memory at once."""
    return _kilobytes(Path(f"/proc/{pid}/status"), "VmHWM") * 1024


@contextmanager
def most_bytes(pid: int) -> Iterator[Callable[[], int]]:
    """Meanwhile looks often at what a process and those it started hold together; tells the most."""
    found, stop = [0], threading.Event()

    def look() -> None:
        while not stop.wait(LOOK_SECONDS):
            found.append(sum(map(proportional_bytes, (pid, *descendants(pid)))))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield lambda: max(found)
    finally:
        stop.set()
        thread.join()


def proportional_bytes(pid: int) -> int:
    """What is in memory, with what is shared divided among those that share it."""
    return _kilobytes(Path(f"/proc/{pid}/smaps_rollup"), "Pss") * 1024


def cpu_seconds(pid: int, *, ended: bool = False) -> float:
    """The processor time that a process has used; with that of those it started and saw the end of, if wanted.

    0 where it has ended meanwhile, as all that is told of one here.
    """
    fields = _told(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
    return sum(map(int, fields[11 : 15 if ended else 13])) / os.sysconf("SC_CLK_TCK")


def family_seconds(without: Container[int] = ()) -> float:
    """The processor time of this process and of those it started, ended or not, but for the named ones."""
    total = sum(os.times()[:4])
    for pid in descendants(os.getpid()):
        if pid not in without:
            total += cpu_seconds(pid, ended=True)
    return total


def _kilobytes(path: Path, name: str) -> int:
    for line in _told(path).splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    return 0  # it has ended, and not been waited for


def _told(path: Path) -> str:
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
