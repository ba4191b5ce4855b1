"""A stub of the parts of pandas that pymilvus refers to, present only while pymilvus is imported.

pymilvus checks whether each value is a DataFrame, and none ever is here. Importing pandas for that check would
double the import time of a search and the size of its layer.
"""

import numbers
from collections.abc import Iterable, Mapping
from datetime import date, time, timedelta
from math import isnan
from typing import Any, Final, NoReturn


class DataFrame:
    """A class without instances."""

    def __new__(cls, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Refuse.

        Raises:
            TypeError: always.
        """
        raise TypeError("there is no pandas here")


def is_float(value: object) -> bool:
    """Whether the value is a floating-point number, including those of NumPy."""
    return isinstance(value, numbers.Real) and not isinstance(value, numbers.Rational)


def is_list_like(value: object) -> bool:
    """Whether the value is a collection, such as a list, set or array; texts are none."""
    if isinstance(value, (str, bytes, type)) or not isinstance(value, Iterable):
        return False
    return getattr(value, "ndim", 1) != 0


def is_array_like(value: object) -> bool:
    """Whether the value is a collection with a `dtype`."""
    return is_list_like(value) and hasattr(value, "dtype")


def is_scalar(value: object) -> bool:
    """Whether the value is a scalar: a number, text, time or None, including those of NumPy."""
    if value is None or isinstance(value, (str, bytes, numbers.Number, date, time, timedelta)):
        return True
    return hasattr(value, "dtype") and hasattr(value, "item") and not hasattr(value, "__setitem__")


def infer_dtype(values: Iterable[object], *, skipna: bool = True) -> str:
    """The name of the elements' type; `mixed` for types that pandas names and pymilvus does not know."""
    kinds = {_kind(value) for value in values if not (skipna and _missing(value))}
    if kinds == {"integer", "floating"}:
        return "mixed-integer-float"
    if "integer" in kinds and len(kinds) > 1:
        return "mixed-integer"
    return kinds.pop() if len(kinds) == 1 else "mixed" if kinds else "empty"


def _missing(value: object) -> bool:
    return value is None or (isinstance(value, numbers.Real) and is_float(value) and isnan(value))


def _kind(value: object) -> str:
    if isinstance(value, bool) or getattr(getattr(value, "dtype", None), "kind", None) == "b":
        return "boolean"
    if isinstance(value, numbers.Integral):
        return "integer"
    if is_float(value):
        return "floating"
    return "string" if isinstance(value, str) else "bytes" if isinstance(value, bytes) else "mixed"


STUBS: Final[Mapping[str, Mapping[str, Any]]] = {
    "pandas": {"DataFrame": DataFrame},
    "pandas.api": {},
    "pandas.api.types": {
        function.__name__: function for function in (infer_dtype, is_array_like, is_float, is_list_like, is_scalar)
    },
}
"""The stub modules by name, with their contents."""
