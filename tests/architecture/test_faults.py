"""The list of faults names tests that exist."""

import re

from tests.architecture.sources import ROOT


def test_every_fault_has_its_test() -> None:
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "tests/faults/README.md").read_text()))
    written = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"def (test_\w+)\(", path.read_text())
    }
    assert len(named) > 40
    assert named - written == set()
