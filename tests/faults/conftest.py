"""Faults meet the functions on a real Postgres and doubles of the rest, called as AWS calls them."""

from tests.functions.conftest import api, clock, collection, event_loop, services, settings

__all__ = ["api", "clock", "collection", "event_loop", "services", "settings"]
