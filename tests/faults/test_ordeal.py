"""Functions that die, events that come twice and in any order: nothing is lost, doubled or stuck."""

import random

from benchmarks.faults import DOUBLED, KILLED, differences, planned, suffering
from benchmarks.mortal import Ordeal
from modulo.domain.file import Stage

FILES = 30


def test_every_file_ends_as_in_a_clean_run() -> None:
    plan = planned(FILES, seed=11)
    assert {one.ends for one in plan} == {Stage.ready, Stage.failed, None}
    assert any(len(one.contents) > 1 for one in plan)
    ordeal = Ordeal(KILLED, DOUBLED, random.Random(12))
    with suffering() as world:
        clean = world.ingest(plan, Ordeal(0, 0, ordeal.chance), "undisturbed")
        found = world.ingest(plan, ordeal, "disturbed")
    assert {kind: names for kind, names in differences(plan, clean, clean).items() if names} == {}
    assert {kind: names for kind, names in differences(plan, found, clean).items() if names} == {}
    assert clean.rows == found.rows > FILES
    assert ordeal.copies > 0
    assert ordeal.deaths * 5 > ordeal.runs
