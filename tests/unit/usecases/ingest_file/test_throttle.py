import threading
from datetime import UTC, datetime, timedelta

import pytest

from modulo.adapters.system_clock import SystemClock
from modulo.domain.errors import BadModelAnswer, Throttled, TimedOut, Unavailable
from modulo.usecases.ingest_file.throttle import MAX_DELAY_SECONDS, AdaptiveThrottle
from tests.doubles.memory_clock import MemoryClock

NOW = datetime(2026, 3, 14, tzinfo=UTC)


class Model:
    """Takes `limit` texts at a time; tells when it was asked for how many."""

    def __init__(self, clock, *, throttled=(), retry_after=None, error=Throttled):
        self.clock, self.throttled, self.retry_after, self.error = clock, list(throttled), retry_after, error
        self.asked = []

    def __call__(self, size):
        self.asked.append(((self.clock.now() - NOW).total_seconds(), size))
        if self.throttled and self.throttled.pop(0):
            raise self.error("busy", retry_after=self.retry_after, dependency="embedder")
        return size


@pytest.fixture
def clock():
    return MemoryClock(NOW)


@pytest.fixture
def kept():
    return []


def throttle_of(clock, kept, *, concurrency=1, seconds=600, jitter=lambda low, high: high, keep_seconds=1_000):
    return AdaptiveThrottle(
        concurrency,
        100,
        until=NOW + timedelta(seconds=seconds),
        clock=clock,
        keep_alive=lambda: kept.append((clock.now() - NOW).total_seconds()),
        keep_alive_seconds=keep_seconds,
        jitter=jitter,
    )


def test_a_model_that_takes_everything_is_asked_for_whole_batches(clock, kept):
    model = Model(clock)
    throttle = throttle_of(clock, kept)
    assert [throttle.call(model) for _ in range(3)] == [100] * 3
    assert (clock.now(), kept) == (NOW, [])


def test_throttling_waits_ever_longer_and_asks_for_ever_less(clock, kept):
    model = Model(clock, throttled=[True] * 9)
    assert throttle_of(clock, kept).call(model) == 1
    assert model.asked == [
        (0, 100), (1, 50), (3, 25), (7, 12), (15, 6), (31, 3), (63, 1), (123, 1), (183, 1), (243, 1),
    ]  # fmt: skip
    assert MAX_DELAY_SECONDS == 60


def test_the_wait_is_drawn_from_the_whole_range(clock, kept):
    drawn = []

    def jitter(low, high):
        drawn.append((low, high))
        return low

    model = Model(clock, throttled=[True] * 3)
    throttle_of(clock, kept, jitter=jitter).call(model)
    assert drawn == [(0, 1), (0, 2), (0, 4)]
    assert [moment for moment, _ in model.asked] == [0] * 4


def test_what_the_model_asks_for_is_waited_at_least(clock, kept):
    model = Model(clock, throttled=[True, True], retry_after=7)
    throttle_of(clock, kept).call(model)
    assert [moment for moment, _ in model.asked] == [0, 8, 16]


def test_a_failing_model_that_names_a_time_is_waited_for_as_well(clock, kept):
    model = Model(clock, throttled=[True], retry_after=7, error=Unavailable)
    throttle_of(clock, kept).call(model)
    assert [moment for moment, _ in model.asked] == [0, 8]


@pytest.mark.parametrize("error", [Unavailable("down"), BadModelAnswer("odd"), RuntimeError("a bug")])
def test_other_failures_are_not_waited_for(clock, kept, error):
    def fail(size):
        raise error

    throttle = throttle_of(clock, kept)
    with pytest.raises(type(error)):
        throttle.call(fail)
    assert clock.now() == NOW
    assert throttle.call(Model(clock)) == 100  # its turn was given back


def test_more_is_asked_again_once_it_is_taken(clock, kept):
    model = Model(clock, throttled=[True, True])
    throttle = throttle_of(clock, kept)
    for _ in range(8):
        throttle.call(model)
    assert [size for _, size in model.asked] == [100, 50, 25, 37, 50, 62, 75, 87, 100, 100]
    model.throttled = [True]
    began = clock.now()
    throttle.call(model)
    assert clock.now() - began == timedelta(seconds=1)  # the answers between ended the row


def test_the_claim_is_kept_through_a_long_wait(clock, kept):
    throttle_of(clock, kept, keep_seconds=40).call(Model(clock, throttled=[True], retry_after=99))
    assert kept == [0, 40, 80]


def test_a_claim_that_is_lost_ends_the_wait(clock):
    def lost():
        raise LookupError

    throttle = AdaptiveThrottle(
        1, 100, until=NOW + timedelta(hours=1), clock=clock, keep_alive=lost, keep_alive_seconds=9
    )
    with pytest.raises(LookupError):
        throttle.call(Model(clock, throttled=[True], retry_after=99))


@pytest.mark.parametrize("error", [Throttled, Unavailable])
def test_a_wait_that_would_take_too_long_is_not_begun(clock, kept, error):
    model = Model(clock, throttled=[True] * 99, retry_after=250, error=error)
    with pytest.raises(error) as raised:
        throttle_of(clock, kept).call(model)
    assert raised.value.retry_after == 251
    assert [moment for moment, _ in model.asked] == [0, 251, 502]


def test_without_a_time_named_it_ends_as_well(clock, kept):
    with pytest.raises(Throttled) as raised:
        throttle_of(clock, kept, seconds=20).call(Model(clock, throttled=[True] * 99))
    assert (clock.now() - NOW, raised.value.retry_after) == (timedelta(seconds=15), 16)


class Rush:
    """Counts how many ask at once; each waits until `together` do."""

    def __init__(self, together):
        self.barrier = threading.Barrier(together)
        self.lock = threading.Lock()
        self.now, self.most = 0, 0

    def __call__(self, size):
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        self.barrier.wait(timeout=60)
        with self.lock:
            self.now -= 1
        return size


def in_threads(number, work):
    threads = [threading.Thread(target=work) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()


def test_so_many_ask_at_once(clock, kept):
    rush = Rush(3)
    throttle = throttle_of(clock, kept, concurrency=3)
    in_threads(12, lambda: throttle.call(rush))
    assert rush.most == 3


def test_calls_that_are_throttled_together_count_once(clock, kept):
    together = threading.Barrier(4)
    first = threading.local()

    def ask(size):
        if not hasattr(first, "done"):
            first.done = True
            together.wait(timeout=60)
            raise Throttled("busy", retry_after=3)
        return size

    throttle = throttle_of(clock, kept, concurrency=4)
    in_threads(4, lambda: throttle.call(ask))
    assert throttle.window == 4 / 2 + 4 / 8


def test_whoever_waits_can_be_stopped():
    clock = SystemClock()
    throttled, ended = threading.Event(), []
    throttle = AdaptiveThrottle(
        1, 100, until=clock.now() + timedelta(hours=1), clock=clock, keep_alive=throttled.set, keep_alive_seconds=600
    )

    def ask(size):
        raise Throttled("busy", retry_after=500)

    def work():
        try:
            throttle.call(ask)
        except Throttled:
            ended.append(True)

    threads = [threading.Thread(target=work) for _ in range(3)]  # one waits for its time, two for their turn
    for thread in threads:
        thread.start()
    assert throttled.wait(60)
    throttle.stop()
    for thread in threads:
        thread.join(60)
    assert ended == [True] * 3


def test_a_pause_ends_with_its_event():
    event = threading.Event()
    assert SystemClock().pause(0.001, event) is False
    assert MemoryClock(NOW).pause(9, event) is False
    event.set()
    clock = MemoryClock(NOW)
    assert (clock.pause(9, event), clock.now()) == (True, NOW)
    assert SystemClock().pause(9, event) is True


@pytest.mark.parametrize("error", [Unavailable("down", retry_after=1), Throttled("busy", retry_after=1)])
def test_a_claim_that_cannot_be_kept_is_no_matter_of_the_models(clock, error):
    def keep():
        raise error

    model = Model(clock, throttled=[True], retry_after=99)
    throttle = AdaptiveThrottle(
        1, 100, until=NOW + timedelta(hours=1), clock=clock, keep_alive=keep, keep_alive_seconds=9
    )
    with pytest.raises(type(error)):
        throttle.call(model)
    assert len(model.asked) == 1


def test_a_throttled_call_of_before_a_pause_makes_all_wait_as_long_as_it_says(clock, kept):
    """Two calls under way are throttled one after the other; the second is asked for more patience."""
    together = threading.Barrier(2)
    order = iter([3, 30])
    lock = threading.Lock()
    asked = []

    def ask(size):
        with lock:
            asked.append((clock.now() - NOW).total_seconds())
            first = len(asked) <= 2
        if first:
            together.wait(timeout=60)
            with lock:
                seconds = next(order)
            raise Throttled("busy", retry_after=seconds)
        return size

    throttle = throttle_of(clock, kept, concurrency=2, jitter=lambda low, high: low)
    in_threads(2, lambda: throttle.call(ask))
    assert asked[:2] == [0, 0]
    assert max(asked[2:]) >= 30
    assert throttle.window == 1 + 2 / 8


class SlowModel:
    """Takes so many seconds for each text; times out after 60, without an answer."""

    def __init__(self, clock, seconds_per_text):
        self.clock, self.seconds_per_text, self.asked = clock, seconds_per_text, []

    def __call__(self, size):
        self.asked.append(size)
        taken = size * self.seconds_per_text
        self.clock.advance(timedelta(seconds=min(taken, 60)))
        if taken > 60:
            raise TimedOut("slow")
        return size


@pytest.mark.parametrize(
    ("seconds_per_text", "sizes"), [(0.1, [100]), (0.9, [100, 50, 11]), (8, [100, 50, 25, 12, 6, 1])]
)
def test_a_slow_model_is_called_with_less_until_it_answers_in_time(clock, kept, seconds_per_text, sizes):
    model = SlowModel(clock, seconds_per_text)
    throttle = throttle_of(clock, kept, seconds=3_600)
    while len(model.asked) < len(sizes):
        throttle.call(model)
    assert model.asked == sizes
    taken = [throttle.call(model) * seconds_per_text for _ in range(20)]
    assert max(taken) <= 60


def test_a_model_that_is_fast_again_is_called_with_more(clock, kept):
    model = SlowModel(clock, 0.9)
    throttle = throttle_of(clock, kept, seconds=3_600)
    for _ in range(3):
        throttle.call(model)
    assert model.asked[-1] < 50
    model.seconds_per_text = 0.01
    for _ in range(20):
        throttle.call(model)
    assert model.asked[-1] == 100


def test_a_model_that_does_not_answer_for_one_text_is_given_up(clock, kept):
    model = SlowModel(clock, 61)
    with pytest.raises(TimedOut):
        throttle_of(clock, kept, seconds=3_600).call(model)
    assert model.asked[-1] == 1


def test_a_model_that_times_out_is_not_called_beyond_the_end(clock, kept):
    model = SlowModel(clock, 10)
    with pytest.raises(TimedOut):
        throttle_of(clock, kept, seconds=100).call(model)
    assert (clock.now() - NOW).total_seconds() <= 160
