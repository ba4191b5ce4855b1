"""Where operators' commands run: in a deployment on AWS, or on the settings of this process."""

import json
import os
from pathlib import Path
from typing import Any

from modulo.cli.running_stack import use_running_stack
from modulo.domain.errors import ModuloError, Unavailable

READ_SECONDS = 900
"""As long as the function may take."""


class Refused(ModuloError):
    """The deployment refused the command."""

    title = "Refused"


def operate(stack: str | None, data: Path, command: str, arguments: dict[str, Any]) -> Any:
    """Run a command in the deployment `stack`, or else on the settings given or the stack that runs on `data`.

    Raises:
        ModuloError: the command failed, or could not be run there.
    """
    if stack is not None:
        return invoke(f"{stack}-admin", command, arguments)
    use_running_stack(data)
    from modulo.runtime.admin.door import perform  # noqa: PLC0415 - after the settings it reads

    return perform(command, arguments)


def invoke(function: str, command: str, arguments: dict[str, Any]) -> Any:
    """Run a command by a deployed function, with the credentials that boto3 finds.

    Raises:
        Refused: the command failed there.
        Unavailable: the function cannot be invoked, or failed itself.
    """
    import boto3  # noqa: PLC0415 - slow to import, and for this alone
    from botocore.config import Config  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    event = json.dumps({"command": command, "arguments": {name: _plain(value) for name, value in arguments.items()}})
    try:
        # A command is not repeated by itself: its first run may have done the work.
        config = Config(read_timeout=READ_SECONDS, retries={"total_max_attempts": 1})
        client = boto3.client("lambda", config=config, region_name=os.environ.get("AWS_REGION"))
        answer = client.invoke(FunctionName=function, Payload=event.encode())
        payload = json.loads(answer["Payload"].read())
    except (BotoCoreError, ClientError) as error:
        raise Unavailable(f"{function} cannot be invoked: {error}") from error
    if "FunctionError" in answer:
        raise Unavailable(f"{function} failed: {payload.get('errorMessage', payload)}. Its log tells more.")
    if "problem" in payload:
        raise Refused(payload["problem"]["detail"])
    return payload["result"]


def _plain(value: Any) -> Any:
    return value if isinstance(value, (str, int, bool, list, dict, type(None))) else str(value)
