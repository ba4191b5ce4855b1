"""Where the `modulo` command begins. What it draws with is not a part of the client, and may not be installed."""

import sys
from importlib import import_module

NEEDED = ("rich", "typer")


def start() -> None:
    """Run the command, or say what to install."""
    try:
        command = import_module("modulo_client.command.main")
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in NEEDED:
            raise
        sys.exit(f"modulo: the command needs {missing}: install the client with its extra `cli`, modulo-client[cli]")
    command.main()
