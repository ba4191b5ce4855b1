"""What LocalStack finds through entry points; each loads its part when it is chosen."""

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
        """The class of which LocalStack makes one for each environment."""
        from modulo_localstack.executor import ProcessExecutor

        return ProcessExecutor


class LoopbackServerPlugin(RuntimeServerPlugin):
    """`GATEWAY_SERVER=loopback`."""

    name = "loopback"

    def load(self) -> RuntimeServer:
        """The server."""
        from modulo_localstack.server import LoopbackServer

        return LoopbackServer()


@aws_provider(api="scheduler", name="firing")
def scheduler() -> Service:
    """`PROVIDER_OVERRIDE_SCHEDULER=firing`."""
    from localstack.services.moto import MotoFallbackDispatcher

    from modulo_localstack.scheduler import FiringSchedulerProvider

    return Service.for_provider(FiringSchedulerProvider(), dispatch_table_factory=MotoFallbackDispatcher)


@hooks.on_infra_shutdown(priority=1_000, should_load=ProcessExecutorPlugin.name == config.LAMBDA_RUNTIME_EXECUTOR)
def leave() -> None:
    """End with all functions' processes, at once: LocalStack would wait for every queue, and has nothing to save."""
    if executor := sys.modules.get("modulo_localstack.executor"):
        executor.stop_all()
    sys.stdout.flush()
    os._exit(0)
