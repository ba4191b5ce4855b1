"""Frozen values and pure logic: no I/O, no clock, no vendor."""
