"""Importing a package without importing what it names but what is never used here."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any


@contextmanager
def standing_in(offered: Mapping[str, Mapping[str, Any]]) -> Iterator[None]:
    """Have what is imported meanwhile find these modules, by name and contents; those loaded already stay."""
    modules = {name: ModuleType(name) for name in offered if name.partition(".")[0] not in sys.modules}
    for name, module in modules.items():
        vars(module).update(offered[name], __path__=[])
        parent, _, child = name.rpartition(".")
        if parent:
            setattr(modules[parent], child, module)
    sys.modules.update(modules)
    try:
        yield
    finally:
        for name in modules:
            sys.modules.pop(name, None)


def deferred(name: str) -> Mapping[str, Any]:
    """The contents of a module that imports the real one when anything of it is first used."""
    return {"__getattr__": lambda attribute: getattr(import_module(name), attribute)}
