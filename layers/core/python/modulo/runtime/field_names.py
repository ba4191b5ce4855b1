"""The fields of a refused request by the names that its caller wrote: use cases know them by those of `/api`."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from modulo.domain.errors import InvalidRequest

NAMES: Final[Mapping[str, Sequence[str]]] = {
    "config_metadata.top_k": ("options.top_k", "top_k", "max_num_results", "tools.0.max_num_results"),
    "config_metadata.filters": ("options.filters", "filters", "tools.0.filters"),
    "config_metadata.search_type": ("options.search_type",),
    "config_metadata": ("options",),
}
"""What else a field of `/api` is called, there and on the other doors; the longer names first."""
UNLESS_WRITTEN: Final[Mapping[str, str]] = {"config_metadata.search_type": "search_defaults.search_type"}
"""What a field that a request leaves out is taken from."""


def as_written(error: InvalidRequest, given: Any) -> InvalidRequest:
    """The error, in which each field has the name that the body holds, where it holds it by another one."""
    errors = error.extra.get("errors") or ()
    renamed = [{**one, "field": _as_written(one["field"], given)} for one in errors]
    if renamed == list(errors):
        return error
    extra = {name: value for name, value in error.extra.items() if name != "errors"}
    return InvalidRequest.fields(renamed, retry_after=error.retry_after, **extra)


def _as_written(field: str, given: Any) -> str:
    for name, others in NAMES.items():
        if field == name or field.startswith(f"{name}."):
            written = next((one for one in (name, *others) if _holds(given, one.split("."))), None)
            if written is not None:
                return written + field.removeprefix(name)
            if field in UNLESS_WRITTEN:
                return UNLESS_WRITTEN[field]
    return field


def _holds(given: Any, path: Sequence[str]) -> bool:
    for name in path:
        if isinstance(given, list) and name.isdecimal() and int(name) < len(given):
            given = given[int(name)]
        elif isinstance(given, Mapping) and name in given:
            given = given[name]
        else:
            return False
    return True
