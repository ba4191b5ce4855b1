"""The stack's services as the product meets them: reachable, closed to strangers, still there after a restart."""

import os
import shutil
import socket
from collections.abc import Sequence
from pathlib import Path

import boto3
import httpx
import pg8000.dbapi
import psutil
import pytest
import redis
from pymilvus import DataType, MilvusClient
from sqlalchemy import make_url

from modulo.cli.stack import Stack, StackError
from modulo.cli.stack.lock import AlreadyRunning
from modulo.cli.stack.postgres import binaries

Environment = dict[str, str]


def connect(environment: Environment, **changes: str) -> pg8000.dbapi.Connection:
    url = make_url(environment["DATABASE_URL"])
    known = {"user": url.username, "password": url.password, "database": url.database}
    return pg8000.dbapi.connect(host=url.host, port=url.port, **{**known, **changes})


def query(environment: Environment, *statements: str) -> list[list[object]]:
    connection = connect(environment)
    cursor = connection.cursor()
    for statement in statements:
        cursor.execute(statement)
    rows = list(cursor.fetchall()) if cursor.description else []
    connection.commit()
    connection.close()
    return rows


def client(environment: Environment, service: str):
    return boto3.client(
        service,
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        region_name=environment["AWS_REGION"],
    )


def started(since: Sequence[psutil.Process] = ()) -> list[psutil.Process]:
    """Our processes but those known already: other tests' servers may be running."""
    return [process for process in psutil.Process().children(recursive=True) if process not in since]


class TestPostgres:
    def test_it_serves_the_database_with_a_collation_that_knows_more_than_ascii(self, postgres: Environment) -> None:
        assert query(postgres, "SELECT current_database(), lower('ÄÖ'), current_setting('TimeZone')") == [
            ["modulo", "äö", "UTC"]
        ]

    def test_it_asks_for_the_password(self, postgres: Environment) -> None:
        with pytest.raises(pg8000.dbapi.DatabaseError, match="28P01"):
            connect(postgres, password="guess")


class TestValkey:
    def test_it_answers_those_with_the_password_alone(self, valkey: Environment) -> None:
        with redis.Redis.from_url(valkey["CACHE_URL"]) as known:
            known.set("a", "1", ex=10)
            assert known.get("a") == b"1"
        port = make_url(valkey["CACHE_URL"]).port
        with redis.Redis(port=port) as stranger, pytest.raises(redis.AuthenticationError):
            stranger.get("a")


class TestMilvus:
    def test_it_serves_the_client(self, milvus: Environment) -> None:
        known = MilvusClient(milvus["MILVUS_URI"])
        assert not known.has_collection("nobody_made_this")
        known.close()
        assert milvus["MILVUS_INDEX"] == "FLAT"


class TestCloud:
    def test_a_stored_object_is_announced_to_the_ingest_queue(self, cloud: Environment) -> None:
        sqs = client(cloud, "sqs")
        client(cloud, "s3").put_object(Bucket=cloud["BLOBS_BUCKET"], Key="announced", Body=b"x")
        bodies = []
        while not any("announced" in body for body in bodies):
            received = sqs.receive_message(QueueUrl=cloud["INGEST_QUEUE_URL"], WaitTimeSeconds=5)
            bodies += [message["Body"] for message in received["Messages"]]

    def test_every_queue_gives_up_after_four_attempts(self, cloud: Environment) -> None:
        sqs = client(cloud, "sqs")
        for name in ("INGEST", "PURGE", "SCHEDULES"):
            url = cloud[f"{name}_QUEUE_URL"]
            attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
            assert ("schedules-dead" if name == "SCHEDULES" else "dead_letters") in attributes["RedrivePolicy"]
            assert '"maxReceiveCount": 4' in attributes["RedrivePolicy"]
        ingest = sqs.get_queue_attributes(QueueUrl=cloud["INGEST_QUEUE_URL"], AttributeNames=["VisibilityTimeout"])
        assert ingest["Attributes"]["VisibilityTimeout"] == "960"

    def test_the_schedules_are_there_and_what_was_missed_is_asked_for_at_the_start(self, cloud: Environment) -> None:
        schedules = client(cloud, "scheduler").list_schedules()["Schedules"]
        assert {schedule["Name"] for schedule in schedules} == {"reset_quotas", "sweep"}
        received = client(cloud, "sqs").receive_message(
            QueueUrl=cloud["SCHEDULES_QUEUE_URL"], MaxNumberOfMessages=10, WaitTimeSeconds=5
        )
        bodies = {message["Body"] for message in received["Messages"]}
        assert bodies == {'{"function": "reset_quotas"}', '{"function": "sweep"}'}

    def test_a_browser_may_upload_with_a_presigned_form_and_nothing_larger_than_it_says(
        self, cloud: Environment
    ) -> None:
        limits = [["content-length-range", 1, 4]]
        form = client(cloud, "s3").generate_presigned_post(cloud["BLOBS_BUCKET"], "form", Conditions=limits)
        preflight = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}
        allowed = httpx.options(form["url"], headers=preflight)
        assert allowed.headers["access-control-allow-origin"] == "*"
        assert httpx.post(form["url"], data=form["fields"], files={"file": b"1234"}).status_code == 204
        assert httpx.post(form["url"], data=form["fields"], files={"file": b"12345"}).status_code == 400
        forged = {**form["fields"], "x-amz-signature": "0" * 64}
        assert httpx.post(form["url"], data=forged, files={"file": b"1234"}).status_code >= 400

    def test_strangers_get_nothing(self, cloud: Environment) -> None:
        endpoint = cloud["AWS_ENDPOINT_URL"]
        assert httpx.get(f"{endpoint}/{cloud['BLOBS_BUCKET']}").status_code == 403
        assert httpx.post(f"{endpoint}/_ministack/reset").status_code == 403
        assert httpx.get(f"{endpoint}/_ministack/health", headers={"Host": "evil.example"}).status_code == 403


class TestLlm:
    def test_it_completes_a_chat_for_those_with_the_key(self, llm: Environment) -> None:
        request = {
            "model": llm["GENERATOR_MODEL"],
            "messages": [{"role": "user", "content": "What is the capital of France?"}],
            "max_tokens": 24,
            "temperature": 0,
        }
        url = f"{llm['GENERATOR_URL']}/chat/completions"
        assert httpx.post(url, json=request).status_code == 401
        key = {"Authorization": f"Bearer {llm['GENERATOR_API_KEY']}"}
        answer = httpx.post(url, json=request, headers=key, timeout=60).json()
        assert answer["choices"][0]["message"]["content"].strip()
        assert answer["usage"]["completion_tokens"] > 0


class TestStack:
    SERVICES = ("postgres", "valkey", "milvus", "cloud")

    def write(self, environment: Environment) -> None:
        query(environment, "CREATE TABLE kept (word text)", "INSERT INTO kept VALUES ('still here')")
        milvus = MilvusClient(environment["MILVUS_URI"])
        schema = milvus.create_schema()
        schema.add_field("id", DataType.INT64, is_primary=True)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=2)
        index = milvus.prepare_index_params()
        index.add_index("vector", index_type="FLAT", metric_type="COSINE")
        milvus.create_collection("kept", schema=schema, index_params=index)
        milvus.insert("kept", [{"id": 7, "vector": [1.0, 0.0]}])
        milvus.flush("kept")
        milvus.close()
        client(environment, "s3").put_object(Bucket=environment["BLOBS_BUCKET"], Key="kept é", Body=b"still here")
        client(environment, "sqs").send_message(QueueUrl=environment["PURGE_QUEUE_URL"], MessageBody="still here")

    def assert_kept(self, environment: Environment) -> None:
        assert query(environment, "SELECT word FROM kept") == [["still here"]]
        milvus = MilvusClient(environment["MILVUS_URI"])
        milvus.load_collection("kept")
        assert [row["id"] for row in milvus.query("kept", filter="id >= 0")] == [7]
        milvus.close()
        stored = client(environment, "s3").get_object(Bucket=environment["BLOBS_BUCKET"], Key="kept é")
        assert stored["Body"].read() == b"still here"
        received = client(environment, "sqs").receive_message(QueueUrl=environment["PURGE_QUEUE_URL"])
        assert received["Messages"][0]["Body"] == "still here"

    def test_data_survive_a_restart_only_this_machine_is_served_and_nothing_stays_behind(self, tmp_path: Path) -> None:
        # pytest's own directories can be entered by nobody but us: Postgres has to cope with that too.
        before = started()
        with Stack(tmp_path / "data", self.SERVICES) as stack:
            self.write(stack.environment)
            processes = started(since=before)
            listening = [c.laddr for p in processes for c in p.net_connections() if c.status == psutil.CONN_LISTEN]
            assert {address.ip.removeprefix("::ffff:") for address in listening} == {"127.0.0.1"}
            assert len(listening) == len(self.SERVICES)
            with pytest.raises(AlreadyRunning, match="running on"), Stack(tmp_path / "data", ["valkey"]):
                pass
        assert [p for p in processes if p.is_running()] == []
        with Stack(tmp_path / "data", self.SERVICES) as stack:
            self.assert_kept(stack.environment)

    @pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user reaches its own directories")
    def test_root_may_keep_everything_below_a_directory_that_only_root_enters(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        closed = tmp_path / "home"
        closed.mkdir(mode=0o700)
        package = binaries().parents[1]
        for part in (package, package.with_suffix(".libs")):
            shutil.copytree(part, closed / part.name, symlinks=True)
        moved = closed / package.name / binaries().relative_to(package)
        monkeypatch.setattr("modulo.cli.stack.postgres.binaries", lambda: moved)
        with Stack(closed / "data", ["postgres"], durable=False) as stack:
            assert query(stack.environment, "SELECT 1") == [[1]]

    def test_a_service_that_cannot_start_shows_its_log_and_takes_the_others_down(self, tmp_path: Path) -> None:
        with Stack(tmp_path, ["postgres"], durable=False):
            pass
        before = started()
        (tmp_path / "postgres" / "cluster" / "PG_VERSION").write_text("9")
        with (
            pytest.raises(StackError, match=r"(?s)postgres ended with exit code 1.*not compatible"),
            Stack(tmp_path, ["valkey", "postgres"], durable=False),
        ):
            pass
        assert started(since=before) == []

    def test_a_port_taken_in_between_costs_a_second_attempt(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from modulo.cli.stack import stack as module

        with socket.create_server(("127.0.0.1", 0)) as taken:
            ports = iter([taken.getsockname()[1], module.free_port()])
            monkeypatch.setattr(module, "free_port", lambda: next(ports))
            with Stack(tmp_path, ["valkey"]) as stack, redis.Redis.from_url(stack.environment["CACHE_URL"]) as cache:
                assert cache.ping()
