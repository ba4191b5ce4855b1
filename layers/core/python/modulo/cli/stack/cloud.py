"""The local cloud: S3, SQS and the Scheduler, with the resources that the template declares on AWS."""

import importlib
import json
import sys
from collections.abc import Mapping
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
ATTEMPTS = 4  # then a message goes to the dead-letter queue
DEAD_LETTER_SECONDS = 14 * 86_400
DEAD_LETTERS = "dead_letters"
"""What the queues gave up; nobody misses a tick, so those go elsewhere."""
QUEUES: Mapping[str, Mapping[str, str]] = {
    "ingest": {"VisibilityTimeout": "960"},
    "fetch": {"VisibilityTimeout": "960"},
    "purge": {"VisibilityTimeout": "960"},
    "schedules": {"VisibilityTimeout": "60", "MessageRetentionPeriod": "3600"},  # an old tick is worth nothing
}
SCHEDULES = {"reset_quotas": "cron(0 0 * * ? *)", "sweep": "rate(1 minute)"}


class Cloud(Service):
    """MiniStack, reduced to three services; objects, queues and schedules survive a restart."""

    name = "cloud"

    _directories: ClassVar[tuple[str, ...]] = ("objects", "state", "tmp")

    def prepare(self) -> None:
        """Make the secret key and the directories."""
        private_directory(self.data)
        kept_secret(self.data / "secret")
        for name in self._directories:
            private_directory(self.data / name)

    def program(self, port: int) -> Program:
        """The server; it saves queues and schedules when it is told to stop, objects at once."""
        environment = {
            **plain_environment(),
            "GATEWAY_PORT": str(port),
            "BIND_HOST": HOST,
            "MINISTACK_REGION": REGION,
            "SERVICES": "s3,sqs,scheduler",
            "IOT_MTLS_ENABLED": "0",  # these two would listen on all interfaces
            "SFTP_ENABLED": "0",
            "AUTH": "true",  # policies, signatures of forms, and no access for other web pages
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": self._secret(),
            "PERSIST_STATE": "1",
            "STATE_DIR": str(self.data / "state"),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(self.data / "objects"),
            "TMPDIR": str(self.data / "tmp"),
            "DOCKER_HOST": f"unix://{self.data}/no-docker",  # it needs no containers: leave the machine's alone
            "LOG_LEVEL": "INFO",
        }
        return Program([sys.executable, "-m", "modulo.cli.stack.cloud_server"], environment)

    def ready(self, port: int) -> bool:
        """Ask for its health."""
        return answers_http(port, "/_ministack/health")

    def environment(self, port: int) -> dict[str, str]:
        """Where it is, and what was made there."""
        access = {
            "AWS_ENDPOINT_URL": f"http://{HOST}:{port}",
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": self._secret(),
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
        }
        queues = make_resources(access)
        return {**access, "BLOBS_BUCKET": BUCKET, **{f"{name.upper()}_QUEUE_URL": url for name, url in queues.items()}}

    def _secret(self) -> str:
        return (self.data / "secret").read_text()


def make_resources(access: dict[str, str]) -> dict[str, str]:
    """Make the bucket, the queues and the schedules where they are missing; the queues' addresses."""
    boto3 = importlib.import_module("boto3")  # slow to load, and only this service needs it

    session = boto3.Session(
        aws_access_key_id=access["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=access["AWS_SECRET_ACCESS_KEY"],
        region_name=REGION,
    )
    s3, sqs, scheduler = (
        session.client(name, endpoint_url=access["AWS_ENDPOINT_URL"]) for name in ("s3", "sqs", "scheduler")
    )

    s3.create_bucket(Bucket=BUCKET)
    kept = {"MessageRetentionPeriod": str(DEAD_LETTER_SECONDS)}
    queues = {DEAD_LETTERS: make_queue(sqs, DEAD_LETTERS, kept)}
    for name, special in QUEUES.items():
        dead = f"{name}-dead" if name == "schedules" else DEAD_LETTERS
        make_queue(sqs, dead, kept)
        redrive = {"deadLetterTargetArn": queue_arn(dead), "maxReceiveCount": ATTEMPTS}
        attributes = {
            **special,
            "RedrivePolicy": json.dumps(redrive),
            "Policy": json.dumps(queue_policy(name)),
        }
        queues[name] = make_queue(sqs, name, attributes)
    configure_bucket(s3)
    for name, expression in SCHEDULES.items():
        make_schedule(scheduler, name, expression)
    # What fell due while the stack was down is not made up for by the server. Both may run at any time.
    for name in SCHEDULES:
        sqs.send_message(QueueUrl=queues["schedules"], MessageBody=schedule_message(name))
    return queues


def queue_arn(name: str) -> str:
    """The queue's name on the cloud."""
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"


def schedule_message(name: str) -> str:
    """What a schedule puts into its queue: the function to run."""
    return json.dumps({"function": name})


def queue_policy(name: str) -> dict[str, Any]:
    """Who may send to a queue besides the account: the bucket to `ingest`, the schedules to theirs."""
    senders = {"ingest": "s3.amazonaws.com", "schedules": "scheduler.amazonaws.com"}
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": senders.get(name, "sqs.amazonaws.com")},
        "Action": "sqs:SendMessage",
        "Resource": queue_arn(name),
        "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def make_queue(sqs: "SQSClient", name: str, attributes: Mapping[str, str]) -> str:
    """Make the queue, or bring an older one's attributes up to date; its address."""
    try:
        return sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]  # type: ignore[arg-type]
    except sqs.exceptions.QueueNameExists:
        url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
        sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)  # type: ignore[arg-type]
        return url


def configure_bucket(s3: "S3Client") -> None:
    """Let browsers upload, and announce every object to `ingest`."""
    rule: CORSRuleTypeDef = {
        "AllowedMethods": ["GET", "HEAD", "POST"],
        "AllowedOrigins": ["*"],  # the address is presigned, and no cookie is involved
        "AllowedHeaders": ["*"],
        "ExposeHeaders": ["ETag", "Content-Disposition"],
        "MaxAgeSeconds": 3_000,
    }
    s3.put_bucket_cors(Bucket=BUCKET, CORSConfiguration={"CORSRules": [rule]})
    wanted: QueueConfigurationTypeDef = {"QueueArn": queue_arn("ingest"), "Events": ["s3:ObjectCreated:*"]}
    present = s3.get_bucket_notification_configuration(Bucket=BUCKET).get("QueueConfigurations", [])
    if [{name: value for name, value in one.items() if name in wanted} for one in present] != [wanted]:
        # Each change sends a test event to the queue, so it is not made again at every start.
        s3.put_bucket_notification_configuration(
            Bucket=BUCKET, NotificationConfiguration={"QueueConfigurations": [wanted]}
        )


def make_schedule(scheduler: Any, name: str, expression: str) -> None:
    """Make the schedule, or bring an older one up to date; it sends the function's name to `schedules`."""
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
