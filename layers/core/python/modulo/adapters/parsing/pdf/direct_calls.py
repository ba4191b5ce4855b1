"""Calls of PDFium with plain addresses."""

import ctypes
from collections.abc import Callable
from typing import Any


def direct(function: Any, result: Any, *arguments: Any) -> Callable[..., Any]:
    """A function of PDFium that takes plain addresses: half the time of a call goes into wrapping them."""
    address = ctypes.cast(function, ctypes.c_void_p).value or 0
    called: Callable[..., Any] = ctypes.PYFUNCTYPE(result, *arguments)(address)
    return called
