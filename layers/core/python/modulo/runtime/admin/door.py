"""One door for operators' commands: a name and arguments in, JSON out.

Whoever may invoke the function `admin` may do all of this in every tenant; IAM decides that, and no API leads here.
"""

import logging
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any, Final

from pydantic import ValidationError, validate_call
from pydantic_core import to_jsonable_python

from modulo.domain.errors import InvalidRequest, ModuloError, NotFound
from modulo.domain.field_messages import messages_of
from modulo.runtime.admin import backups, dead_letters, keys, reembeddings, tenants, users
from modulo.runtime.problem_details import details
from modulo.runtime.telemetry import add_log_fields, ended, invocation, outcome_of, request_id

COMMANDS: Final[Mapping[str, Callable[..., Any]]] = {
    "keys.create": keys.create_key,
    "keys.list": keys.list_keys,
    "keys.revoke": keys.revoke_key,
    "tenants.list": tenants.list_tenants,
    "tenants.delete": tenants.delete_tenant,
    "tenants.receipt": tenants.show_deletion,
    "tenants.reembed": reembeddings.reembed_collections,
    "users.list": users.list_users,
    "users.delete": users.delete_user,
    "users.receipt": users.show_deletion,
    "data.rebuild-vectors": backups.rebuild,
    "dead-letters.list": dead_letters.list_letters,
    "dead-letters.retry": dead_letters.retry,
    "dead-letters.discard": dead_letters.discard,
}
log = logging.getLogger(__name__)


def perform(command: str, arguments: Mapping[str, Any]) -> Any:
    """Run a command; its result as JSON has it.

    Raises:
        NotFound: there is no such command, or what it is about is not there.
        InvalidRequest: arguments are missing, unknown or of another type.
        ModuloError: as the command does.
    """
    if command not in COMMANDS:
        raise NotFound(f"There is no command {command!r}: it is one of {', '.join(COMMANDS)}.")
    try:
        result = validate_call(COMMANDS[command])(**arguments)
    except ValidationError as error:
        raise InvalidRequest(f"{command}: {messages_of(error.errors())}.") from error
    return to_jsonable_python(result)


def admin_handler() -> Callable[[Mapping[str, Any], Any], dict[str, Any]]:
    """The handler of a function that IAM alone opens: `{"command", "arguments"}` to `{"result"}` or `{"problem"}`.

    Commands are logged with their arguments, which hold no secret; results are not.
    """

    def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        with invocation(context):
            name = str(getattr(context, "aws_request_id", "-"))
            request_id.set(name)
            add_log_fields(request_id=name)
            started = perf_counter()
            command, arguments = event.get("command"), event.get("arguments") or {}
            try:
                result = perform(str(command), _named(arguments))
            except ModuloError as error:
                log.warning("%s %s failed: %s", command, arguments, error, extra=ended(outcome_of(error), started))
                return {"problem": details(error)}
            log.info("%s %s done", command, arguments, extra=ended("done", started))
            return {"result": result}

    return handler


def _named(arguments: Any) -> Mapping[str, Any]:
    if not isinstance(arguments, Mapping):
        raise InvalidRequest("The arguments are no object: name each of them.")
    return arguments
