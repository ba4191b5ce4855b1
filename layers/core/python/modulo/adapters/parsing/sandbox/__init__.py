"""Runs each parser in a sandboxed process, within limits."""
