"""LocalStack's entry points to this plugin; each imports its implementation when it is loaded."""

import os
import sys
from typing import TYPE_CHECKING

from localstack import config
from localstack.runtime import hooks
from localstack.runtime.server.core import RuntimeServer, RuntimeServerPlugin
from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin
from localstack.services.plugins import Service, aws_provider

if TYPE_CHECKING:
    from modulo_localstack.executor import ProcessExecutor


class ProcessExecutorPlugin(RuntimeExecutorPlugin):
    """`LAMBDA_RUNTIME_EXECUTOR=process`."""

    name = "process"

    def load(self) -> "type[ProcessExecutor]":
        """The executor class, instantiated by LocalStack for each environment."""
        from modulo_localstack.executor import ProcessExecutor

        return ProcessExecutor


class LoopbackServerPlugin(RuntimeServerPlugin):
    """`GATEWAY_SERVER=loopback`."""

    name = "loopback"

    def load(self) -> RuntimeServer:
        """The server that listens on loopback only."""
        from modulo_localstack.server import LoopbackServer

        return LoopbackServer()


@aws_provider(api="scheduler", name="firing")
def scheduler() -> Service:
    """`PROVIDER_OVERRIDE_SCHEDULER=firing`."""
    from localstack.services.moto import MotoFallbackDispatcher

    from modulo_localstack.scheduler import FiringSchedulerProvider

    return Service.for_provider(FiringSchedulerProvider(), dispatch_table_factory=MotoFallbackDispatcher)


@hooks.on_infra_shutdown(priority=1_000, should_load=ProcessExecutorPlugin.name == config.LAMBDA_RUNTIME_EXECUTOR)
def exit_at_once() -> None:
    """Stop all function processes and exit without LocalStack's shutdown, which waits for every queue for nothing."""
    if executor := sys.modules.get("modulo_localstack.executor"):
        executor.stop_all()
    sys.stdout.flush()
    os._exit(0)
