"""Crashing functions and duplicated, reordered events: no file is lost, duplicated or stuck."""

import random

from benchmarks.chaos import ChaosRun
from benchmarks.chaos_stack import chaos_stack
from benchmarks.faults import CRASH_RATE, DUPLICATE_RATE
from benchmarks.file_plan import differences, plan_files
from modulo.domain.files.file import Stage

FILES = 20


def test_every_file_ends_as_in_a_clean_run() -> None:
    plan = plan_files(FILES, seed=11)
    assert {one.expected_stage for one in plan} == {Stage.ready, Stage.failed, None}
    assert any(len(one.contents) > 1 for one in plan)
    chaos = ChaosRun(CRASH_RATE, DUPLICATE_RATE, random.Random(12))
    with chaos_stack() as stack:
        clean = stack.ingest(plan, ChaosRun(0, 0, chaos.rng), "without faults")
        found = stack.ingest(plan, chaos, "with faults")
    assert {kind: names for kind, names in differences(plan, clean, clean).items() if names} == {}
    assert {kind: names for kind, names in differences(plan, found, clean).items() if names} == {}
    assert clean.rows == found.rows > FILES
    assert chaos.duplicates > 0
    assert chaos.crashes * 5 > chaos.runs
