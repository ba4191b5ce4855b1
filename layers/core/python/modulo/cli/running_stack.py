"""How operators' commands find the stack that `modulo up` runs on this machine."""

import json
import os
from collections.abc import MutableMapping
from pathlib import Path

from modulo.cli.stack.stack import ENVIRONMENT_FILE
from modulo.domain.errors import Unavailable
from modulo_client.running_server import address_and_key, is_running

START = "start it with `make up`, name its directory with --data, or set DATABASE_URL to use another installation"
NOT_RUNNING = "start it with `make up`, or name its directory with --data"


def use_running_stack(data: Path, environment: MutableMapping[str, str] = os.environ) -> None:
    """Take the settings of the stack that runs on `data`; those given in the environment win.

    Where `DATABASE_URL` is given, nothing is taken: settings of two installations must not mix. AWS variables are
    always the stack's, as `modulo up` has it.

    Raises:
        Unavailable: no such stack is running, or it is still starting.
    """
    if environment.get("DATABASE_URL"):
        return
    if not is_running(data):
        raise Unavailable(f"Modulo is not running on {data}: {START}.")
    try:
        found: dict[str, str] = json.loads((data / ENVIRONMENT_FILE).read_text())
    except FileNotFoundError:
        raise Unavailable(f"Modulo is still starting on {data}: try again in a moment.") from None
    except OSError as error:
        raise Unavailable(f"The settings of the stack on {data} cannot be read: {error.strerror}.") from None
    for name in [name for name in environment if name.startswith("AWS_")]:
        del environment[name]
    for name, value in found.items():
        environment[name] = environment.get(name) or value


def running_address(data: Path) -> tuple[str, str]:
    """The API's base URL and the demo's key of the stack that runs on `data`.

    Raises:
        Unavailable: no such stack is running, it is still starting, or it was started by another user.
    """
    if not is_running(data):
        raise Unavailable(f"Modulo is not running on {data}: {NOT_RUNNING}.")
    try:
        found = address_and_key(data)
    except OSError as error:
        raise Unavailable(f"The address of the stack on {data} cannot be read: {error.strerror}.") from None
    if found is None:
        raise Unavailable(f"Modulo is still starting on {data}: try again in a moment.")
    return found
