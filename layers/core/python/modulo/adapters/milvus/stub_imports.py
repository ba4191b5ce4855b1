"""Imports a package with stubs in place of dependencies that it imports but that are never used here."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any


@contextmanager
def stubbed_modules(stubs: Mapping[str, Mapping[str, Any]]) -> Iterator[None]:
    """Let imports inside the block find these modules, given by name and contents; modules already loaded stay."""
    modules = {name: ModuleType(name) for name in stubs if name.partition(".")[0] not in sys.modules}
    for name, module in modules.items():
        vars(module).update(stubs[name], __path__=[])
        parent, _, child = name.rpartition(".")
        if parent:
            setattr(modules[parent], child, module)
    sys.modules.update(modules)
    try:
        yield
    finally:
        for name in modules:
            sys.modules.pop(name, None)


def lazy_module(name: str) -> Mapping[str, Any]:
    """The contents of a stub that imports the real module when one of its attributes is first used."""
    return {"__getattr__": lambda attribute: getattr(import_module(name), attribute)}
