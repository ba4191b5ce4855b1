"""The methods of each path that no function serves, in a deployment where each function serves one."""

from fastapi import APIRouter

from modulo.runtime.path_methods import PATH_METHODS
from modulo.runtime.problems import NoSuchEndpoint


def unserved_methods() -> APIRouter:
    """A router that knows the methods of every path: it answers OPTIONS, and 405 to what no path takes."""
    router = APIRouter()
    for path, methods in PATH_METHODS.items():
        router.add_api_route(path, _served_elsewhere, methods=list(methods))
    return router


async def _served_elsewhere() -> None:
    """A function of its own serves it; the gateway is not set up for that."""
    raise NoSuchEndpoint
