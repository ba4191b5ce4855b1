"""Load the SDK of the Model Context Protocol without what no message of `/mcp` needs, for functions to start sooner.

As soon as any module of its packages is imported, the SDK imports its clients and a framework for servers; its server
imports an authorization server, and server-sent events with a web server of their own, for what `/mcp` does not
serve. And it builds the validators of every message in every version of the protocol, of which an exchange uses a few.

tests/functions/test_lean_mcp_sdk.py compares the answers to every method in every version with those of the whole SDK,
and fails when an upgrade loads or builds more again.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from typing import Any, Final

import pydantic
from pydantic import BaseModel, ConfigDict, TypeAdapter

from modulo.lean_imports import stub

PACKAGES: Final = ("mcp", "mcp.server")
"""Those of which only modules are used: what they import themselves is not run."""
STUBS: Final = (
    "mcp.server.auth.middleware.auth_context",
    "mcp.server.auth.middleware.bearer_auth",
    "mcp.server.auth.provider",
    "mcp.server.auth.routes",
    "mcp.server.auth.settings",
    "sse_starlette",
)
"""The modules that are not loaded; every public name in them is a `Placeholder`."""
LOADED: Final = "mcp.server.lowlevel"
"""What `/mcp` uses, with all that it imports."""


def load_sdk() -> None:
    """Import the SDK's server; what is loaded already stays."""
    for name in PACKAGES:
        if name not in sys.modules:
            _enter(name)
    for name in STUBS:
        if name not in sys.modules:
            sys.modules[name] = stub(name, {})
    with _models_built_when_used():
        import_module(LOADED)


def _enter(name: str) -> None:
    """Make a package's modules importable without running the package."""
    spec = find_spec(name)
    if spec is None:
        raise ModuleNotFoundError(name=name)
    sys.modules[name] = package = module_from_spec(spec)
    parent, _, child = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], child, package)


class _Adapters:
    """Stands for `TypeAdapter` where one is made, and makes it so that it is built when it is used."""

    def __class_getitem__(cls, _kind: object) -> type[_Adapters]:
        return cls

    def __new__(cls, kind: Any) -> TypeAdapter[Any]:  # type: ignore[misc] # it has no instances
        of_model = isinstance(kind, type) and issubclass(kind, BaseModel)  # whose own configuration counts
        return TypeAdapter(kind, config=None if of_model else ConfigDict(defer_build=True))


@contextmanager
def _models_built_when_used() -> Iterator[None]:
    """Models that are defined inside are built when they are used first.

    Two threads that do so would race: `/mcp` uses them on the thread of its event loop only.
    """
    BaseModel.model_config["defer_build"] = True
    vars(pydantic)["TypeAdapter"] = _Adapters
    try:
        yield
    finally:
        vars(pydantic)["TypeAdapter"] = TypeAdapter
        del BaseModel.model_config["defer_build"]
