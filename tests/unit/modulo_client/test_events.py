from hypothesis import given
from hypothesis import strategies as st

from modulo_client.events import Event, EventParser


def parsed(*lines: str) -> list[Event]:
    parser = EventParser()
    return [event for line in lines if (event := parser.feed(line)) is not None]


def test_an_event_ends_with_an_empty_line() -> None:
    assert parsed("event: text", 'data: {"text": "a"}', "") == [Event("text", {"text": "a"})]
    assert parsed("event: text", 'data: {"text": "a"}') == []


def test_comments_and_unknown_fields_are_passed_over() -> None:
    assert parsed(": still at work", "", "id: 7", "event:done", "data:{}", "retry: 5", "") == [Event("done", {})]


def test_data_may_take_several_lines() -> None:
    assert parsed('data: {"a":', "data: 1}", "") == [Event("message", {"a": 1})]


def test_a_name_is_of_one_event() -> None:
    assert [event.name for event in parsed("event: a", "data: {}", "", "data: {}", "")] == ["a", "message"]


LINES = st.text(alphabet=st.characters(exclude_characters="\r\n")).filter(lambda line: not line.startswith("data"))


@given(st.lists(LINES))
def test_no_line_but_data_makes_an_event(lines: list[str]) -> None:
    assert parsed(*lines, "") == []
