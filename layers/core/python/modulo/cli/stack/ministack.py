"""MiniStack as a target for deploying the whole template: functions run as local processes."""

import sys
from typing import ClassVar

from modulo.cli.stack.cloud import Cloud
from modulo.cli.stack.process import HOST, Program

SERVICES = "s3,sqs,scheduler,lambda,cloudformation,apigateway,cloudfront,iam,sts,secretsmanager,logs,monitoring,events"
PERSISTENCE_SETTINGS = {"PERSIST_STATE", "STATE_DIR", "S3_PERSIST", "S3_DATA_DIR"}


class MiniStack(Cloud):
    """The services that the template needs, with permissions enforced; all state is lost when it stops."""

    name = "ministack"

    _directories: ClassVar[tuple[str, ...]] = ("tmp", "functions")

    def program(self, port: int) -> Program:
        """The server, which starts a process for each running function."""
        reduced = super().program(port)
        environment = {
            **{name: value for name, value in reduced.environment.items() if name not in PERSISTENCE_SETTINGS},
            "SERVICES": SERVICES,
            "MINISTACK_HOST": HOST,  # the host in queue URLs
            "MODULO_FUNCTIONS_HOME": str(self.data / "functions"),
            "LAMBDA_EXECUTOR": "local",
        }
        return Program([sys.executable, "-m", "modulo.cli.stack.ministack_server"], environment)

    def environment(self, port: int) -> dict[str, str]:
        """Endpoint and credentials; resources come from the deployment."""
        return self._access(port)
