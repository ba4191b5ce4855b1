"""Start functions without what FastAPI imports and no function uses.

FastAPI builds the models of the OpenAPI document and imports all of pydantic 1 to refuse its models: together a fifth
of a small function's cold start. In a Lambda environment placeholders stand for these modules; anywhere else, as in
`modulo serve` and `modulo openapi`, the real ones are loaded. tests/functions/test_lean_imports.py runs functions with
the placeholders and fails when an upgrade needs more of them.
"""

import os
import sys
from collections.abc import Mapping
from types import ModuleType
from typing import Final

LAMBDA: Final = "AWS_LAMBDA_FUNCTION_NAME"
PLACEHOLDERS: Final = ("fastapi.openapi.models", "pydantic.v1")
"""The modules that are not loaded."""


class Placeholder:
    """Stands for a class that is named in annotations, defaults and `isinstance`, and that no function uses."""

    def __init__(self, *_args: object, **_kwargs: object) -> None:
        """An object without anything: whatever reads from it fails."""


def in_lambda(environment: Mapping[str, str]) -> bool:
    """Whether this process is a Lambda environment."""
    return bool(environment.get(LAMBDA))


def use_placeholders() -> None:
    """Put placeholders where the real modules would be loaded; those that are loaded already stay."""
    for name in PLACEHOLDERS:
        if name not in sys.modules:
            sys.modules[name] = _module(name)


def _module(name: str) -> ModuleType:
    """A module in which every public name is a placeholder."""

    def named(attribute: str) -> type[Placeholder]:
        if attribute.startswith("_"):
            raise AttributeError(attribute)
        made = type(attribute, (Placeholder,), {"__module__": name})
        setattr(module, attribute, made)
        return made

    module = ModuleType(name, f"Placeholders for {name}.")
    vars(module)["__getattr__"] = named
    return module


if in_lambda(os.environ):
    use_placeholders()
