"""Serial tests run while no other does, and begin before those that come after them."""

from collections.abc import Iterator
from pathlib import Path
from queue import Empty, Queue
from threading import Thread

import pytest

from tests.turns import Turns

SOON, LATE = 0.2, 60


class Process:
    """A test process: each has opened the locks by itself."""

    def __init__(self, folder: Path) -> None:
        self._turns = Turns(folder)
        self._began: Queue[bool] = Queue()

    def begin(self, *, serial: bool = False) -> "Process":
        def take() -> None:
            self._turns.take(serial=serial)
            self._began.put(True)

        Thread(target=take, daemon=True).start()
        return self

    def end(self) -> None:
        self._turns.end()

    def close(self) -> None:
        self._turns.close()

    @property
    def waits(self) -> bool:
        try:
            return not self._began.get(timeout=SOON)
        except Empty:
            return True

    def await_turn(self) -> None:
        assert self._began.get(timeout=LATE)


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[list[Process]]:
    made = [Process(tmp_path) for _ in range(3)]
    yield made
    for process in made:
        process.close()


def test_tests_run_side_by_side(processes: list[Process]) -> None:
    for process in processes:
        process.begin().await_turn()


def test_a_serial_test_waits_for_the_others_and_they_for_it(processes: list[Process]) -> None:
    first, serial, later = processes
    first.begin().await_turn()
    assert serial.begin(serial=True).waits
    assert later.begin().waits, "it would keep the serial test waiting"
    first.end()
    serial.await_turn()
    assert later.waits
    serial.end()
    later.await_turn()


def test_a_turn_may_be_ended_twice(processes: list[Process]) -> None:
    first, serial, _ = processes
    first.begin().await_turn()
    first.end()
    first.end()
    serial.begin(serial=True).await_turn()


def test_two_that_become_serial_do_not_wait_for_each_other(processes: list[Process]) -> None:
    first, second, _ = processes
    first.begin().await_turn()
    second.begin().await_turn()
    assert first.begin(serial=True).waits
    second.begin(serial=True)
    first.await_turn()
    assert second.waits
    first.end()
    second.await_turn()
