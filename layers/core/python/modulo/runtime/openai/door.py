"""Which functions belong to the door, and how they answer."""

from collections.abc import Sequence
from typing import Final

from fastapi import APIRouter

from modulo.runtime.http import HttpFunction, handler_of
from modulo.runtime.openai.errors import openai_answer
from modulo.runtime.problems import OF_V1

V1_PREFIX: Final = "/v1"
"""The beginning of every path in a server; on AWS the stage of the REST API."""


def is_of_v1(function: str) -> bool:
    """Whether a function belongs to the door."""
    return function.startswith(OF_V1)


def v1_handler_of(router: APIRouter, *, uses: Sequence[str] = ()) -> HttpFunction:
    """The Lambda handler of a function of this door."""
    return handler_of(router, uses=uses, answer=openai_answer)
