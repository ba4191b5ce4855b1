"""MiniStack as a cloud to deploy the whole template to: functions run as processes of this machine."""

import sys

from modulo.cli.stack.cloud import ACCESS_KEY, REGION, Cloud
from modulo.cli.stack.process import HOST, Program
from modulo.cli.stack.service import kept_secret, private_directory

SERVICES = "s3,sqs,scheduler,lambda,cloudformation,apigateway,iam,sts,logs,monitoring,events"
KEPT = {"PERSIST_STATE", "STATE_DIR", "S3_PERSIST", "S3_DATA_DIR"}


class MiniStack(Cloud):
    """The services that the template needs, permissions enforced; it forgets everything when it stops."""

    name = "ministack"

    def prepare(self) -> None:
        """Make the secret key and the directories."""
        private_directory(self.data)
        kept_secret(self.data / "secret")
        for name in ("tmp", "functions"):
            private_directory(self.data / name)

    def program(self, port: int) -> Program:
        """The server, in front of processes that run the functions."""
        reduced = super().program(port)
        environment = {
            **{name: value for name, value in reduced.environment.items() if name not in KEPT},
            "SERVICES": SERVICES,
            "MINISTACK_HOST": HOST,  # as queues' addresses name it
            "MODULO_FUNCTIONS_HOME": str(self.data / "functions"),
            "LAMBDA_EXECUTOR": "local",
        }
        return Program([sys.executable, "-m", "modulo.cli.stack.ministack_server"], environment)

    def environment(self, port: int) -> dict[str, str]:
        """Where it is; what is there is deployed."""
        return {
            "AWS_ENDPOINT_URL": f"http://{HOST}:{port}",
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": self._secret(),
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
        }
