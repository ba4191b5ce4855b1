"""A provider that fails again and again is left alone for a while."""

from modulo.adapters.models.circuit_breaker import FAILURES, OPEN_SECONDS, CircuitBreaker


class Time:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_circuit_opens_admits_one_call_at_a_time_and_closes_with_a_success() -> None:
    time = Time()
    breaker = CircuitBreaker(time)
    for _ in range(FAILURES):
        assert breaker.admits()
        breaker.failed()
    assert not breaker.admits()
    time.now += OPEN_SECONDS
    assert [breaker.admits(), breaker.admits()] == [True, False]
    breaker.failed()
    time.now += OPEN_SECONDS - 1
    assert not breaker.admits()
    time.now += 1
    assert breaker.admits()
    breaker.succeeded()
    assert [breaker.admits(), breaker.admits()] == [True, True]


def test_a_success_between_failures_keeps_it_closed() -> None:
    breaker = CircuitBreaker()
    for _ in range(FAILURES * 2):
        breaker.failed()
        breaker.succeeded()
    assert breaker.admits()
