"""Start functions without what FastAPI, pydantic and Powertools import and no function uses.

FastAPI builds the models of the OpenAPI document, imports all of pydantic 1 to refuse its models, and OpenTelemetry to
find that nobody collects its spans; pydantic reads every distribution's entry points to find no plugin; Powertools
imports JMESPath and a tracer.

In a Lambda environment stubs stand for these modules; anywhere else, as in `modulo serve` and `modulo openapi`, the
real ones are loaded. tests/functions/test_lean_imports.py runs functions with the stubs, compares them with what they
stand for, and fails when an upgrade needs more of them.
"""

import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from types import MappingProxyType, ModuleType
from typing import Any, Final

LAMBDA: Final = "AWS_LAMBDA_FUNCTION_NAME"


class Placeholder:
    """Stands for a class that is named in annotations, defaults and `isinstance`, and that no function uses."""

    def __init__(self, *_args: object, **_kwargs: object) -> None:
        """An object without anything: whatever reads from it fails."""


class NoTelemetry:
    """FastAPI's spans, measurements and logs where no OpenTelemetry provider is."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        """Read nothing of the settings: without a provider they change nothing."""

    def enabled(self) -> bool:
        """Never."""
        return False


def no_operation(
    *,
    name: str,  # noqa: ARG001 - as FastAPI calls it
    function: Callable[..., Any] | None = None,  # noqa: ARG001 - as FastAPI calls it
) -> AbstractContextManager[None]:
    """Run a part of a request without a span."""
    return nullcontext()


def run_sync_endpoint(*, function: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    """Run an endpoint without a span."""
    return function(**arguments)


def ignore_route(*, scope: Any, path: str | None, mount: bool = False) -> None:
    """Tell no span which route was found."""


def ignore_refusal(exc: Exception) -> None:
    """Tell no log that a request was refused."""


def no_request_data(context: Any = None) -> None:
    """Nothing is kept for processors of spans."""


def not_instrumented(stack: Any) -> bool:  # noqa: ARG001 - as FastAPI calls it
    """No middleware of OpenTelemetry is in the application."""
    return False


def without_middleware(app: Any) -> Any:
    """The application itself, in place of a middleware around it that observes exceptions."""
    return app


async def pass_through(
    *,
    config: Any,  # noqa: ARG001 - as FastAPI calls it
    app: Callable[..., Awaitable[None]],
    scope: Any,
    receive: Any,
    send: Any,
) -> None:
    """Start and stop an application without OpenTelemetry's providers."""
    await app(scope, receive, send)


def no_plugins() -> tuple[()]:
    """The layers hold no plugin of pydantic."""
    return ()


STUBS: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "aws_lambda_powertools.tracing": {},
        "aws_lambda_powertools.utilities.jmespath_utils": {},
        "fastapi.openapi.docs": {},
        "fastapi.openapi.models": {},
        "fastapi.openapi.utils": {},
        "fastapi.telemetry": {},
        "fastapi.telemetry._api": {
            "_operation": no_operation,
            "_route_selected": ignore_route,
            "_run_sync_endpoint": run_sync_endpoint,
            "_validation_failed": ignore_refusal,
            "get_telemetry_data": no_request_data,
        },
        "fastapi.telemetry._asgi": {
            "ExceptionTelemetryMiddleware": without_middleware,
            "NativeTelemetry": NoTelemetry,
            "_legacy_otel": not_instrumented,
        },
        "fastapi.telemetry._runtime": {"lifespan": pass_through},
        "pydantic.color": {},
        "pydantic.plugin._loader": {"get_plugins": no_plugins},
        "pydantic.v1": {},
    }
)
"""The modules that are not loaded, and what their stubs hold; every other public name in them is a `Placeholder`."""


def in_lambda(environment: Mapping[str, str]) -> bool:
    """Whether this process is a Lambda environment."""
    return bool(environment.get(LAMBDA))


def use_stubs() -> None:
    """Put stubs where the real modules would be loaded; those that are loaded already stay."""
    for name, contents in STUBS.items():
        if name not in sys.modules:
            sys.modules[name] = stub(name, contents)


def stub(name: str, contents: Mapping[str, Any]) -> ModuleType:
    """A module that holds this, and a placeholder for any other public name."""

    def named(attribute: str) -> type[Placeholder]:
        if attribute.startswith("_"):
            raise AttributeError(attribute)
        made = type(attribute, (Placeholder,), {"__module__": name})
        setattr(module, attribute, made)
        return made

    module = ModuleType(name, f"Stub of {name}.")
    vars(module).update(contents, __getattr__=named)
    return module


if in_lambda(os.environ):
    use_stubs()
