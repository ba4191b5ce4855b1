"""The model of what a client sends as JSON: no value is taken for one of another type.

Pydantic takes 0 for false, true for 1 and "1" for 1. Here a type means what it means in JSON Schema, by which the API
is described, and in OpenAI's API: numbers and booleans are not given as text or as one another; 1.0 is an integer.
"""

from collections.abc import Callable, Iterator, MutableMapping
from typing import Any, Final

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError
from pydantic_core.core_schema import no_info_before_validator_function

from modulo.domain.model import FrozenModel

Node = MutableMapping[str, Any]
INNER: Final = ("schema", "items_schema", "keys_schema", "values_schema", "choices", "fields", "definitions")
"""The members of a schema that hold the schemas inside."""


def _keep_types(schema: Any) -> None:
    """Change the schemas of numbers and booleans in a schema, in place."""
    for inner in _inner(schema):
        match inner:
            case {"type": "function-before", "function": {"function": function}} if function in _CHECKS:
                continue
            case {"type": "bool" | "float"}:
                inner["strict"] = True
            case {"type": "int"}:
                _check_before(inner, _integer)
            case {"type": "literal", "expected": [bool(), *_]}:
                _check_before(inner, _boolean)
            case {"type": "literal", "expected": [int(), *_]}:
                _check_before(inner, _integer)
            case _:
                _keep_types(inner)


def _inner(schema: Node) -> Iterator[Node]:
    for name in INNER:
        held = schema.get(name, ())
        if not isinstance(held, dict):
            yield from held
        elif isinstance(held.get("type"), str):
            yield held
        else:  # schemas by the names of fields, of which one may be "type", or by tags
            yield from held.values()


def _check_before(schema: Node, check: Callable[[Any], Any]) -> None:
    checked = no_info_before_validator_function(check, dict(schema))
    schema.clear()
    schema.update(checked)


def _integer(given: Any) -> Any:
    if type(given) is int or (isinstance(given, float) and given.is_integer()):
        return given
    raise PydanticCustomError("int_type", "Input should be a valid integer")


def _boolean(given: Any) -> Any:
    if isinstance(given, bool):
        return given
    raise PydanticCustomError("bool_type", "Input should be a valid boolean")


_CHECKS: Final = (_integer, _boolean)


class RequestModel(FrozenModel):
    """Immutable; unknown fields and values of other types are rejected."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """The schema, with each type as JSON Schema has it."""
        schema = handler(source)
        _keep_types(handler.resolve_ref_schema(schema))
        return schema
