from pathlib import Path

import pytest

from modulo_client.command.watch import _tell
from modulo_client.errors import NotSent, Throttled
from modulo_client.sources import Added, Source
from tests.unit.modulo_client.test_folder_plan import file


def added(number: int, *, ready: bool = False, error: Exception | None = None) -> Added:
    name = f"{number:04}.txt"
    return Added(Source(name, Path(name)), file(name) if ready else None, error=error)


def told(capsys: pytest.CaptureFixture[str], *all_of_them: Added) -> tuple[list[str], list[str]]:
    _tell(all_of_them)
    printed = capsys.readouterr()
    return printed.out.splitlines(), printed.err.splitlines()


def test_a_few_files_are_told_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    refused = ValueError("it is empty")
    done, wrong = told(capsys, added(1, ready=True), added(2, error=refused))
    assert [line[9:] for line in done] == ["0001.txt: ready"]
    assert [line[9:] for line in wrong] == ["0002.txt: it is empty"]


def test_thousands_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    full = Throttled(429, {"detail": "Quota exceeded"})
    ready = [added(number, ready=True) for number in range(3_000)]
    failed = [added(number, error=full) for number in range(3_000, 3_030)]
    not_sent = [added(number, error=NotSent("not sent")) for number in range(3_030, 5_000)]
    done, wrong = told(capsys, *ready, *failed, *not_sent)
    assert (len(done), done[-1][9:]) == (21, "2980 more: ready")
    assert (len(wrong), wrong[-2][9:]) == (22, "10 more failed")
    assert wrong[-1][9:] == "1970 files were not sent; they are tried again"
