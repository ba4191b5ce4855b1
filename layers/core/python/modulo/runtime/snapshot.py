"""SnapStart: load everything before Lambda keeps an environment's memory, connect when it brings it back."""

import os
import random
from collections.abc import Callable
from importlib import import_module
from types import FunctionType

from modulo.services import services


def keep_ready(*functions: Callable[..., object]) -> None:
    """Where Lambda takes snapshots, have the ports that these functions name ready in them; nothing elsewhere.

    The hooks' package is part of Lambda's own runtimes from Python 3.12 on.
    """
    if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") != "snap-start":
        return
    hooks = import_module("snapshot_restore_py")
    written = [function for function in functions if isinstance(function, FunctionType)]
    names = {name for function in written for name in function.__code__.co_names}
    hooks.register_before_snapshot(before_snapshot, names)
    hooks.register_after_restore(after_restore)


def before_snapshot(names: set[str]) -> None:
    """Make these ports, which imports their vendors; no connection would outlive the snapshot."""
    services().load(names)


def after_restore() -> None:
    """Connect, and be random again: every environment begins as the same memory."""
    random.seed()
    services().connect()
