"""Faults meet the functions on in-memory services, called as AWS calls them."""

from tests.functions.conftest import api, clock, event_loop, services, settings

__all__ = ["api", "clock", "event_loop", "services", "settings"]
