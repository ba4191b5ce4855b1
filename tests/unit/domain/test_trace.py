"""What others tell of traces: taken where it is well-formed, and otherwise as if nothing had been told."""

import pytest

from modulo.domain.trace import Trace

ID, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def test_a_trace_is_gone_on_with_as_its_next_step():
    trace = Trace.of_header(f"00-{ID}-{SPAN}-01")
    assert (trace.trace_id, trace.parent_id, trace.begun_here) == (ID, SPAN, False)
    assert trace.span_id != SPAN
    assert trace.header == f"00-{ID}-{trace.span_id}-01"
    assert Trace.of_header(f"00-{ID}-{SPAN}-00").header.endswith("-00")


def test_later_versions_may_tell_more():
    assert Trace.of_header(f"cc-{ID}-{SPAN}-09-what-the-future-holds").header.startswith(f"00-{ID}-")


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "00",
        f"ff-{ID}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{ID}-{'0' * 16}-01",
        f"00-{ID.upper()}-{SPAN}-01",
        f"00-{ID}-{SPAN}-01-more",
        f"00-{ID}-{SPAN}-0x",
        f" 00-{ID}-{SPAN}-01",
        f"00-{ID}-{SPAN}-01\n",
        f"00-{ID}-{SPAN}-01\r\nx-evil: 1",
        f"cc-{ID}-{SPAN}-01-{'a' * 300}",
        f"00-{ID}-{SPAN}-\u0660\u0661",
        f"00-{ID[:-1]}é-{SPAN}-01",
    ],
)
def test_what_is_malformed_is_no_trace(header):
    assert Trace.of_header(header) is None


def test_a_trace_of_x_ray_keeps_its_id():
    trace = Trace.of_xray(f"Self=1-0-0; Root=1-{ID[:8]}-{ID[8:]};Parent={SPAN};Sampled=1")
    assert (trace.trace_id, trace.begun_here) == (ID, True)
    for told in (None, "", "Root=", f"Root=1-{ID}-{SPAN}", "Root=" + "1" * 300):
        assert Trace.of_xray(told) is None


def test_new_traces_differ_and_can_be_told():
    one, other = Trace.begin(), Trace.begin()
    assert one.trace_id != other.trace_id
    assert Trace.of_header(one.header).trace_id == one.trace_id
