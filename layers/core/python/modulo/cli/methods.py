"""`modulo methods`: print the module that holds the methods of each path."""

from collections import defaultdict

from modulo.runtime.openai.door import is_of_v1
from modulo.runtime.worker import function, function_names

HEADING = '''"""The methods of each path; `make openapi` writes this module."""

from collections.abc import Mapping
from typing import Final

PATH_METHODS: Final[Mapping[str, tuple[str, ...]]] = {
'''


def module() -> str:
    """The source text of `modulo.runtime.path_methods`."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for name in (each for each in function_names() if not is_of_v1(each)):
        for route in getattr(getattr(function(name), "router", None), "routes", []):
            found[route.path] |= route.methods
    lines = (f'    "{path}": ({_quoted(sorted(methods))}),\n' for path, methods in sorted(found.items()))
    return HEADING + "".join(lines) + "}\n"


def _quoted(methods: list[str]) -> str:
    text = ", ".join(f'"{method}"' for method in methods)
    return text if len(methods) > 1 else f"{text},"


def print_methods() -> None:
    """Print it."""
    print(module(), end="")
