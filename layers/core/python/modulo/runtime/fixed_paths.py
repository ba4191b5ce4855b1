"""Paths that end in a word where others end in a parameter: the fixed one comes first, as gateways have it."""

import re
from collections.abc import Mapping
from functools import cache

from modulo.runtime.path_methods import PATH_METHODS


def fixed_methods(path: str) -> tuple[str, ...] | None:
    """The methods of a path that would also match another path's parameter; None for any other path."""
    return next((methods for pattern, methods in _fixed_paths().items() if pattern.search(path)), None)


@cache
def _fixed_paths() -> Mapping[re.Pattern[str], tuple[str, ...]]:
    parametrised = {path.rpartition("/")[0] for path in PATH_METHODS if path.endswith("}")}
    fixed = [path for path in PATH_METHODS if not path.endswith("}") and path.rpartition("/")[0] in parametrised]
    return {re.compile(re.sub(r"\{\w+\}", "[^/]+", path) + r"\Z"): PATH_METHODS[path] for path in fixed}
