"""SnapStart: load everything before Lambda keeps an environment's memory, connect when it brings it back."""

import os
import random
from collections.abc import Mapping, Sequence
from importlib import import_module

from modulo.services import services

TYPE = "AWS_LAMBDA_INITIALIZATION_TYPE"


def made_ahead(environment: Mapping[str, str]) -> bool:
    """Whether Lambda makes a function's environments before there are requests for them, so that none waits for it."""
    return environment.get(TYPE, "on-demand") != "on-demand"


def preload_in_snapshots(ports: Sequence[str]) -> None:
    """Where Lambda takes snapshots, have these ports of `Services` made in them; nothing elsewhere.

    The hooks' package is part of Lambda's own runtimes from Python 3.12 on.
    """
    if os.environ.get(TYPE) != "snap-start":
        return
    hooks = import_module("snapshot_restore_py")
    hooks.register_before_snapshot(before_snapshot, ports)
    hooks.register_after_restore(after_restore)


def before_snapshot(ports: Sequence[str]) -> None:
    """Make these ports, which imports their vendors; no connection would outlive the snapshot."""
    services().load(ports)


def after_restore() -> None:
    """Connect, and seed chance anew: every environment begins as the same memory."""
    random.seed()
    services().connect()
