"""Lambda without Docker: LocalStack's executor, with a process for each environment."""

import os
import subprocess
import tempfile
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from localstack import config
from localstack.aws.api.lambda_ import PackageType
from localstack.runtime import events
from localstack.services.lambda_.invocation.execution_environment import ExecutionEnvironment
from localstack.services.lambda_.invocation.lambda_models import FunctionVersion, InvocationResult
from localstack.services.lambda_.invocation.runtime_executor import RuntimeExecutor
from localstack.utils.patch import patch

from modulo_localstack.environment import Environment
from modulo_localstack.exchange import Invocation
from modulo_localstack.process import Function
from modulo_localstack.runtime_api import HOST

PYTHON = "MODULO_LAMBDA_PYTHON"
INTERNAL = (
    "LOCALSTACK_RUNTIME_",
    "LOCALSTACK_FUNCTION_",
    "LOCALSTACK_POST_",
    "LOCALSTACK_MAX_",
    "AWS_LAMBDA_FUNCTION_TIMEOUT",
)

# A function's process dies with the thread that started it: this one lives as long as LocalStack.
_SPAWNER = ThreadPoolExecutor(1, "function-spawner")
_RUNNING: "weakref.WeakSet[Environment]" = weakref.WeakSet()


def stop_all() -> None:
    """End every function's process."""
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(Environment.stop, list(_RUNNING)))


def spawn(*arguments: Any, **options: Any) -> "subprocess.Popen[bytes]":
    """Start a process from the one thread that never ends."""
    return _SPAWNER.submit(lambda: subprocess.Popen(*arguments, **options)).result()


def interpreter() -> Path:
    """The Python of the functions' virtual environment."""
    return Path(os.environ[PYTHON])


def function_of(version: FunctionVersion, variables: dict[str, Any]) -> Function:
    """What LocalStack stores of a function's version, as what is to be run."""
    settings = version.config
    layers = [layer.code for layer in settings.layers]
    return Function(
        handler=settings.handler,
        version=version.id.qualifier,
        python=interpreter(),
        runtime=settings.runtime,
        code=settings.code.get_unzipped_code_location(),
        layers=tuple(code.get_unzipped_code_location() for code in layers),
        watched=tuple(
            code.get_unzipped_code_location() for code in (settings.code, *layers) if code.is_hot_reloading()
        ),
        timeout=settings.timeout,
        memory=settings.memory_size,
        variables={name: str(value) for name, value in variables.items() if not name.startswith(INTERNAL)},
    )


class ProcessExecutor(RuntimeExecutor):
    """One execution environment."""

    _environment: Environment

    def start(self, env_vars: dict[str, Any]) -> None:
        """Start it; why it does not start is what its first invocation answers, as on AWS."""
        self.prepare_version(self.function_version)  # a layer may have been deleted from the disk meanwhile
        place = Path(tempfile.gettempdir()) / "lambda-environments" / self.id
        self._environment = Environment(function_of(self.function_version, env_vars), place, spawn=spawn)
        _RUNNING.add(self._environment)
        self._environment.start()

    def stop(self) -> None:
        """End it, after what it is doing; at once where LocalStack itself ends."""
        self._environment.stop(patience=self.function_version.config.timeout, hurry=events.infra_stopping.is_set)

    def invoke(self, payload: dict[str, str]) -> InvocationResult:
        """Run the function once."""
        invocation = Invocation(
            request_id=payload["invoke-id"],
            function_arn=payload["invoked-function-arn"],
            payload=payload["payload"].encode(),
            trace_id=payload["trace-id"],
        )
        result = self._environment.invoke(invocation)
        return InvocationResult(
            request_id=invocation.request_id,
            payload=result.answer.payload,
            is_error=result.answer.failed,
            logs=result.log,
        )

    def get_logs(self) -> str:
        """What it wrote outside of invocations."""
        return self._environment.log()

    def get_address(self) -> str:
        """Where it is: here."""
        return HOST

    def get_endpoint_from_executor(self) -> str:
        """Where LocalStack is for the function: here too."""
        return HOST

    def get_runtime_endpoint(self) -> str:
        """LocalStack's own protocol for containers, which is not spoken; only a variable's value."""
        return f"http://{HOST}:{config.GATEWAY_LISTEN[0].port}"

    @classmethod
    def prepare_version(cls, function_version: FunctionVersion) -> None:
        """Unpack the code and the layers.

        Raises:
            ValueError: the function cannot run here, which becomes the reason of its state Failed.
        """
        settings = function_version.config
        if settings.package_type != PackageType.Zip:
            raise ValueError("images need containers; only zip packages run as processes")
        found = next((interpreter().parents[1] / "lib").glob("python3.*")).name
        if settings.runtime != found:
            raise ValueError(f"the functions' interpreter is {found}, not {settings.runtime}")
        for code in (settings.code, *(layer.code for layer in settings.layers)):
            code.prepare_for_execution()

    @classmethod
    def cleanup_version(cls, function_version: FunctionVersion) -> None:
        """LocalStack removes the code itself."""

    @classmethod
    def validate_environment(cls) -> bool:
        """Whether there is an interpreter."""
        return PYTHON in os.environ and interpreter().exists()


@patch(ExecutionEnvironment.get_log_group_name)
def get_log_group_name(fn: Any, self: ExecutionEnvironment) -> str:
    """The log group that the function names, which LocalStack stores and then forgets."""
    return str((self.function_version.config.logging_config or {}).get("LogGroup") or fn(self))
