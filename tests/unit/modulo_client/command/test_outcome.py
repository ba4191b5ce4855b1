from datetime import UTC, datetime

import pytest

from modulo_client.command.outcome import Outcome, counted
from modulo_client.errors import ConnectionFailed
from modulo_client.models import FileProblem
from modulo_client.sources import Added, Progress, Source
from tests.unit.modulo_client.test_folder_plan import file


def test_what_was_done_is_told_where_an_interrupt_ends_it(capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted() -> None:
        done: list[int] = []
        with counted(5_000, "deleted", done):
            done.extend(range(3))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert capsys.readouterr().err == "3 of 5000 deleted\n"


def test_of_a_single_request_nothing_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ConnectionFailed), counted(1, "deleted", []):
        raise ConnectionFailed("away")
    with counted(2, "deleted", [1, 2]):
        pass
    assert capsys.readouterr().err == ""


def ended(*added: Added) -> None:
    with Outcome(5_000).shown("adding") as step:
        for number, one in enumerate(added):
            step(Progress(number, 5_000, one))
        raise ConnectionFailed("away")


def test_a_server_that_went_away_leaves_what_was_done_and_how_to_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ConnectionFailed):
        ended(Added(Source("a.txt"), file("a.txt")), Added(Source("b.txt"), file("b.txt", stage="queued")))
    told = capsys.readouterr()
    assert told.out == "1 ready, 0 failed, 1 still being read, 4998 not sent\n"
    assert told.err == "The same command again goes on from here.\n"


def test_before_anything_was_done_there_is_nothing_to_go_on_with(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ConnectionFailed):
        ended()
    assert capsys.readouterr() == ("", "")


def test_an_address_that_is_tried_again_tells_why_once(capsys: pytest.CaptureFixture[str]) -> None:
    source = Source("https://example.org/")
    problem = FileProblem(code="unreachable-url", detail="The server takes too long.", retryable=True)
    later = {"problem": problem, "next_attempt_at": datetime(2026, 5, 1, tzinfo=UTC)}
    waiting = file("example.org.html", stage="fetching").model_copy(update=later)
    with Outcome(1).shown("adding") as step:
        step(Progress(0, 1, Added(source, file("example.org.html", stage="fetching"))))
        step(Progress(0, 1, Added(source, waiting)))
        step(Progress(0, 1, Added(source, waiting)))
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("https://example.org/: The server takes too long. It is tried again at ")
