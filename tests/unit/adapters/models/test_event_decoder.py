"""Server-sent events, however their bytes come."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modulo.adapters.models.event_decoder import MAX_EVENT_BYTES, EventDecoder, ServerSentEvent
from modulo.domain.errors import BadModelAnswer

DOCUMENT = ": comment\nevent: a\r\ndata: {1}\rdata:two\n\nid: 7\nretry: 1\n\ndata: é\n\r\ndata: lost".encode()
EVENTS = [ServerSentEvent("a", "{1}\ntwo"), ServerSentEvent("", "é")]


@given(st.lists(st.integers(0, len(DOCUMENT)), max_size=20))
def test_events_are_the_same_however_the_bytes_come(cuts: list[int]) -> None:
    decoder, places = EventDecoder(), sorted(cuts)
    parts = [DOCUMENT[start:end] for start, end in zip([0, *places], [*places, len(DOCUMENT)], strict=True)]
    assert [event for part in parts for event in decoder.feed(part)] == EVENTS


def test_bytes_that_are_no_text_are_replaced() -> None:
    assert list(EventDecoder().feed(b"data: \xff\n\n")) == [ServerSentEvent("", "\ufffd")]


@pytest.mark.parametrize("part", [b"x" * 1_000, b"data: x\n" * 100, b"\xff" * 500])
def test_an_event_without_end_is_given_up(part: bytes) -> None:
    decoder, times = EventDecoder(), 2 * MAX_EVENT_BYTES // len(part)
    with pytest.raises(BadModelAnswer):
        [event for _ in range(times) for event in decoder.feed(part)]
