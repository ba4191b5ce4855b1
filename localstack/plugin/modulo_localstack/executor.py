"""LocalStack's Lambda executor without Docker: runs each environment as a process."""

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

# A function process gets killed when the thread that started it ends, so this thread lives as long as LocalStack.
_SPAWNER = ThreadPoolExecutor(1, "function-spawner")
_RUNNING: "weakref.WeakSet[Environment]" = weakref.WeakSet()


def stop_all() -> None:
    """Stop all function processes."""
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(Environment.stop, list(_RUNNING)))


def spawn(*arguments: Any, **options: Any) -> "subprocess.Popen[bytes]":
    """Start a process from the spawner thread."""
    return _SPAWNER.submit(lambda: subprocess.Popen(*arguments, **options)).result()


def interpreter() -> Path:
    """The Python interpreter of the functions' virtual environment."""
    return Path(os.environ[PYTHON])


def function_of(version: FunctionVersion, variables: dict[str, Any]) -> Function:
    """The function to run, from LocalStack's function version."""
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
    """Runs one execution environment for LocalStack."""

    _environment: Environment

    def start(self, env_vars: dict[str, Any]) -> None:
        """Start the environment. As on AWS, a failed start is reported by the first invocation."""
        self.prepare_version(self.function_version)  # a layer's files may have been deleted meanwhile
        directory = Path(tempfile.gettempdir()) / "lambda-environments" / self.id
        self._environment = Environment(function_of(self.function_version, env_vars), directory, spawn=spawn)
        _RUNNING.add(self._environment)
        self._environment.start()

    def stop(self) -> None:
        """Stop after the current invocation, or at once if LocalStack is shutting down."""
        timeout = self.function_version.config.timeout
        self._environment.stop(grace_seconds=timeout, abort=events.infra_stopping.is_set)

    def invoke(self, payload: dict[str, str]) -> InvocationResult:
        """Run one invocation."""
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
        """Output written outside of invocations."""
        return self._environment.log()

    def get_address(self) -> str:
        """The environment's address: this machine."""
        return HOST

    def get_endpoint_from_executor(self) -> str:
        """LocalStack's address as seen by the function: this machine."""
        return HOST

    def get_runtime_endpoint(self) -> str:
        """Value of an environment variable; LocalStack's container protocol behind it is not used."""
        return f"http://{HOST}:{config.GATEWAY_LISTEN[0].port}"

    @classmethod
    def prepare_version(cls, function_version: FunctionVersion) -> None:
        """Unpack the code and the layers.

        Raises:
            ValueError: the function cannot run as a process; LocalStack reports the message with its state Failed.
        """
        settings = function_version.config
        if settings.package_type != PackageType.Zip:
            raise ValueError("container images are not supported; only zip packages can run as processes")
        found = next((interpreter().parents[1] / "lib").glob("python3.*")).name
        if settings.runtime != found:
            raise ValueError(f"the functions' interpreter is {found}, not {settings.runtime}")
        for code in (settings.code, *(layer.code for layer in settings.layers)):
            code.prepare_for_execution()

    @classmethod
    def cleanup_version(cls, function_version: FunctionVersion) -> None:
        """Nothing to do: LocalStack removes the code itself."""

    @classmethod
    def validate_environment(cls) -> bool:
        """Whether the functions' interpreter exists."""
        return PYTHON in os.environ and interpreter().exists()


@patch(ExecutionEnvironment.get_log_group_name)
def get_log_group_name(fn: Any, self: ExecutionEnvironment) -> str:
    """The log group configured for the function, which LocalStack stores but ignores."""
    return str((self.function_version.config.logging_config or {}).get("LogGroup") or fn(self))
