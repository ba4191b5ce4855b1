import threading
from contextlib import closing

import pytest

from modulo.usecases.ingest_file.prefetch import prefetched


def threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("prefetch")]


@pytest.mark.parametrize("concurrency", [1, 2, 7])
@pytest.mark.parametrize("number", [0, 1, 20])
def test_results_come_in_order(concurrency, number):
    found = list(prefetched(range(number), lambda item: item * item, concurrency=concurrency))
    assert found == [(item, item * item) for item in range(number)]
    assert threads() == []


def test_as_many_are_worked_on_as_concurrency_says_and_few_are_held():
    together = threading.Barrier(3)
    read, used = [], []

    def items():
        for item in range(12):
            read.append(item)
            assert len(read) - len(used) <= 4
            yield item

    def work(item):
        together.wait(timeout=60)  # never passes unless three are worked on at once
        return item

    for item, _ in prefetched(items(), work, concurrency=3):
        used.append(item)
    assert used == list(range(12))


def test_items_are_read_by_the_callers_thread_alone():
    readers = set()

    def items():
        for item in range(5):
            readers.add(threading.current_thread())
            yield item

    list(prefetched(items(), str, concurrency=2))
    assert readers == {threading.current_thread()}


def test_what_the_work_raises_comes_in_its_turn_and_ends_it():
    done = []

    def work(item):
        if item == 2:
            raise ValueError(item)
        done.append(item)
        return item

    found = []
    with pytest.raises(ValueError, match="2"):
        found.extend(item for item, _ in prefetched(range(100), work, concurrency=2))
    assert threads() == []
    assert max(done) < 10


def test_what_reading_raises_ends_it():
    def items():
        yield 1
        raise OSError("broken")

    with pytest.raises(OSError, match="broken"):
        list(prefetched(items(), str, concurrency=2))
    assert threads() == []


def test_leaving_early_leaves_no_thread():
    started = []

    def work(item):
        started.append(item)
        return item

    with closing(prefetched(range(100), work, concurrency=2)) as found:
        assert next(found) == (0, 0)
    assert threads() == []
    assert len(started) <= 4
