import pytest

from modulo_client.command.outcome import counted
from modulo_client.errors import ConnectionFailed


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
