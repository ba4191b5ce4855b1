"""The local cloud: S3, SQS and EventBridge Scheduler, with the resources that template.yaml declares on AWS."""

import importlib
import json
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar

from modulo.cli.stack.process import HOST, Program, answers_http, plain_environment
from modulo.cli.stack.service import Service, kept_secret, private_directory

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CORSRuleTypeDef, QueueConfigurationTypeDef
    from mypy_boto3_sqs import SQSClient

REGION = "us-east-1"
ACCOUNT = "000000000000"
ACCESS_KEY = "modulo"
BUCKET = "modulo"
MAX_RECEIVES = 4  # then a message moves to the dead-letter queue
DEAD_LETTER_SECONDS = 14 * 86_400
DEAD_LETTERS = "dead_letters"
"""The dead-letter queue of all queues but `schedules`, whose lost ticks need no record."""
QUEUES: Mapping[str, Mapping[str, str]] = {
    "ingest": {"VisibilityTimeout": "960"},
    "fetch": {"VisibilityTimeout": "960"},
    "purge": {"VisibilityTimeout": "960"},
    "schedules": {"VisibilityTimeout": "60", "MessageRetentionPeriod": "3600"},  # ticks are not worth keeping longer
}
SCHEDULES = {"reset_quotas": "cron(0 0 * * ? *)", "sweep": "rate(1 minute)"}


class Cloud(Service):
    """MiniStack with three services; objects, queues and schedules survive a restart."""

    name = "cloud"

    _directories: ClassVar[tuple[str, ...]] = ("objects", "state", "tmp")

    def prepare(self) -> None:
        """Create the secret key and the directories."""
        private_directory(self.data)
        kept_secret(self.data / "secret")
        for name in self._directories:
            private_directory(self.data / name)

    def program(self, port: int) -> Program:
        """The server. It saves objects at once, and queues and schedules when it stops."""
        environment = {
            **plain_environment(),
            "GATEWAY_PORT": str(port),
            "BIND_HOST": HOST,
            "MINISTACK_REGION": REGION,
            "SERVICES": "s3,sqs,scheduler",
            "IOT_MTLS_ENABLED": "0",  # IoT and SFTP would listen on all interfaces
            "SFTP_ENABLED": "0",
            "AUTH": "true",  # enforces policies and signatures, and denies other web pages access
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": self._secret(),
            "PERSIST_STATE": "1",
            "STATE_DIR": str(self.data / "state"),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(self.data / "objects"),
            "TMPDIR": str(self.data / "tmp"),
            "DOCKER_HOST": f"unix://{self.data}/no-docker",  # keep it away from the machine's containers
            "LOG_LEVEL": "INFO",
        }
        return Program([sys.executable, "-m", "modulo.cli.stack.cloud_server"], environment)

    def ready(self, port: int) -> bool:
        """Query its health endpoint."""
        return answers_http(port, "/_ministack/health")

    def environment(self, port: int) -> dict[str, str]:
        """Endpoint, credentials, bucket and queue URLs."""
        access = self._access(port)
        queues = make_resources(access)
        return {**access, "BLOBS_BUCKET": BUCKET, **{f"{name.upper()}_QUEUE_URL": url for name, url in queues.items()}}

    def _access(self, port: int) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": f"http://{HOST}:{port}",
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": self._secret(),
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
        }

    def _secret(self) -> str:
        return (self.data / "secret").read_text()


def make_resources(access: dict[str, str]) -> dict[str, str]:
    """Create the bucket, queues and schedules that are missing; the queue URLs by name."""
    boto3 = importlib.import_module("boto3")  # slow to import, and only this service needs it
    botocore_config = importlib.import_module("botocore.config")

    bounded = botocore_config.Config(connect_timeout=5, read_timeout=20, retries={"total_max_attempts": 3})
    session = boto3.Session(
        aws_access_key_id=access["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=access["AWS_SECRET_ACCESS_KEY"],
        region_name=REGION,
    )
    s3, sqs, scheduler = (
        session.client(name, endpoint_url=access["AWS_ENDPOINT_URL"], config=bounded)
        for name in ("s3", "sqs", "scheduler")
    )

    with suppress(s3.exceptions.BucketAlreadyOwnedByYou):  # after a kill, the server refuses what it otherwise accepts
        s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})  # as on AWS
    kept = {"MessageRetentionPeriod": str(DEAD_LETTER_SECONDS)}
    queues = {DEAD_LETTERS: make_queue(sqs, DEAD_LETTERS, kept)}
    for name, special in QUEUES.items():
        dead = f"{name}-dead" if name == "schedules" else DEAD_LETTERS
        make_queue(sqs, dead, kept)
        redrive = {"deadLetterTargetArn": queue_arn(dead), "maxReceiveCount": MAX_RECEIVES}
        attributes = {
            **special,
            "RedrivePolicy": json.dumps(redrive),
            "Policy": json.dumps(queue_policy(name)),
        }
        queues[name] = make_queue(sqs, name, attributes)
    configure_bucket(s3)
    for name, expression in SCHEDULES.items():
        make_schedule(scheduler, name, expression)
    # The server does not make up for ticks missed while the stack was down, so run both functions once at startup.
    for name in SCHEDULES:
        sqs.send_message(QueueUrl=queues["schedules"], MessageBody=schedule_message(name))
    return queues


def queue_arn(name: str) -> str:
    """The queue's ARN."""
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"


def schedule_message(name: str) -> str:
    """The message a schedule sends: the name of the function to run."""
    return json.dumps({"function": name})


def queue_policy(name: str) -> dict[str, Any]:
    """The queue's policy: the bucket may send to `ingest`, the scheduler to `schedules`."""
    senders = {"ingest": "s3.amazonaws.com", "schedules": "scheduler.amazonaws.com"}
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": senders.get(name, "sqs.amazonaws.com")},
        "Action": "sqs:SendMessage",
        "Resource": queue_arn(name),
        "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def make_queue(sqs: "SQSClient", name: str, attributes: Mapping[Any, str]) -> str:
    """Create the queue or update its attributes; its URL."""
    try:
        return sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    except sqs.exceptions.QueueNameExists:
        url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
        sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)
        return url


def configure_bucket(s3: "S3Client") -> None:
    """Allow uploads from browsers (CORS), and notify `ingest` of every new object."""
    rule: CORSRuleTypeDef = {
        "AllowedMethods": ["GET", "HEAD", "POST"],
        "AllowedOrigins": ["*"],  # uploads are presigned and use no cookies
        "AllowedHeaders": ["*"],
        "ExposeHeaders": ["ETag", "Content-Disposition"],
        "MaxAgeSeconds": 3_000,
    }
    s3.put_bucket_cors(Bucket=BUCKET, CORSConfiguration={"CORSRules": [rule]})
    wanted: QueueConfigurationTypeDef = {"QueueArn": queue_arn("ingest"), "Events": ["s3:ObjectCreated:*"]}
    present = s3.get_bucket_notification_configuration(Bucket=BUCKET).get("QueueConfigurations", [])
    if [{name: value for name, value in one.items() if name in wanted} for one in present] != [wanted]:
        # Every change sends a test event to the queue, so do nothing if the configuration is current.
        s3.put_bucket_notification_configuration(
            Bucket=BUCKET, NotificationConfiguration={"QueueConfigurations": [wanted]}
        )


def make_schedule(scheduler: Any, name: str, expression: str) -> None:
    """Create or update a schedule that sends the function's name to `schedules`."""
    schedule = {
        "Name": name,
        "ScheduleExpression": expression,
        "ScheduleExpressionTimezone": "UTC",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {
            "Arn": queue_arn("schedules"),
            "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/modulo-schedules",
            "Input": schedule_message(name),
        },
    }
    try:
        scheduler.create_schedule(**schedule)
    except scheduler.exceptions.ConflictException:
        scheduler.update_schedule(**schedule)
