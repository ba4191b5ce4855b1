"""Is any file lost, duplicated or stuck when functions crash and events are duplicated, delayed and reordered?"""

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from time import perf_counter

from benchmarks.chaos import ChaosRun
from benchmarks.chaos_stack import chaos_stack
from benchmarks.file_plan import differences, plan_files
from benchmarks.report import Report, run_question

FILES = 1_000
CRASH_RATE, DUPLICATE_RATE = 0.45, 0.3
"""Some runs finish before their crash point."""


def measure(report: Report) -> None:
    """Ingest the same files twice: without faults, and with all faults combined."""
    plan = plan_files(FILES, seed=11)
    chaos = ChaosRun(CRASH_RATE, DUPLICATE_RATE, random.Random(12))
    with chaos_stack() as stack:
        started = perf_counter()
        clean = stack.ingest(plan, ChaosRun(0, 0, chaos.rng), "without faults")
        undisturbed = perf_counter() - started
        found = stack.ingest(plan, chaos, "with faults")
        disturbed = perf_counter() - started - undisturbed
    wrong = differences(plan, found, clean)
    rows = [
        ("files", len(plan)),
        *(
            (f"expected {stage}", number)
            for stage, number in Counter(one.expected_stage or "deleted" for one in plan).items()
        ),
        ("chunks", found.rows),
        ("runs of functions", chaos.runs),
        ("crashed", f"{chaos.crashes / chaos.runs:.0%}"),
        ("messages delivered twice", f"{chaos.duplicates / chaos.deliveries:.0%}"),
        *wrong_rows(wrong),
        ("seconds without faults", undisturbed),
        ("seconds with faults", disturbed),
    ]
    report.table("Ingestion with crashing functions and duplicated, reordered events", ("", ""), rows)
    for kind, names in wrong.items():
        report.figure(f"faults.{kind.replace(' ', '_')}", len(names), "files", "count", target=("==", 0))
    report.figure("faults.killed", chaos.crashes / chaos.runs, "of the runs", "ratio", target=(">=", 0.2))


def wrong_rows(wrong: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
    """A table row for each kind of error: the count and the first names."""
    for kind, names in wrong.items():
        yield kind, f"{len(names)} {', '.join(names[:5])}".strip()


if __name__ == "__main__":
    run_question(measure)
