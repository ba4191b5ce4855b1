"""Secrets in Secrets Manager: read once, read again when refused, and never written out."""

import json
import logging
from collections.abc import Callable

import pytest

from modulo.adapters.aws import stored_secret
from modulo.adapters.aws.stored_secret import RENEW_SECONDS, SecretReader, StoredSecret, is_reference
from modulo.domain.errors import Unavailable
from tests.contracts.provider import Answer, Asked, Provider

ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:modulo/milvus-AbCdEf"
TEXT = "s3cret"


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "key")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def reading(values: list[str]) -> Callable[[str], str]:
    def read(arn: str) -> str:
        assert arn == ARN
        return values.pop(0)

    return read


@pytest.mark.parametrize(
    ("kept", "secret"),
    [
        (TEXT, TEXT),
        (json.dumps({"username": "modulo", "password": TEXT}), TEXT),
        (json.dumps({"value": TEXT}), TEXT),
        (json.dumps({"username": "modulo"}), '{"username": "modulo"}'),
        ("[1]", "[1]"),
        ("123", "123"),
    ],
)
def test_a_secret_is_a_text_or_a_member_of_an_object(kept: str, secret: str) -> None:
    assert StoredSecret(ARN, read=reading([kept])).value() == secret


def test_a_secret_is_read_once() -> None:
    secret = StoredSecret(ARN, read=reading([TEXT]))
    assert [secret.value() for _ in range(3)] == [TEXT] * 3


def test_a_refused_secret_is_read_again_but_not_all_the_time() -> None:
    clock = Clock()
    secret = StoredSecret(ARN, read=reading(["old", "old", "new"]), clock=clock)
    assert secret.value() == "old"
    assert secret.renewed("old") is None, "it was read just now"
    clock.now += RENEW_SECONDS
    assert secret.renewed("old") is None, "it has not changed"
    clock.now += RENEW_SECONDS
    assert (secret.renewed("old"), secret.value()) == ("new", "new")
    assert secret.renewed("old") == "new", "another thread was refused as well"


def test_a_secret_that_could_not_be_read_is_read_when_it_is_needed_again() -> None:
    def down(_arn: str) -> str:
        raise Unavailable(dependency="secrets")

    secret = StoredSecret(ARN, read=down)
    with pytest.raises(Unavailable):
        secret.value()
    secret = StoredSecret(ARN, read=reading([TEXT]))
    assert secret.value() == TEXT


def test_a_reference_is_told_from_a_secret() -> None:
    assert is_reference(ARN)
    assert not is_reference("root:Milvus")
    assert not is_reference("arn:aws:iam::123456789012:role/x")


def served(monkeypatch: pytest.MonkeyPatch, provider: Provider) -> SecretReader:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", provider.url)
    return SecretReader()


def test_a_reader_asks_for_the_secret_in_the_region_of_its_arn(monkeypatch: pytest.MonkeyPatch) -> None:
    with Provider(Answer({"SecretString": TEXT})) as provider:
        assert served(monkeypatch, provider)(ARN) == TEXT
    (asked,) = provider.asked
    assert (asked.method, asked.path, asked.body) == ("POST", "/", {"SecretId": ARN})
    assert asked.headers["X-Amz-Target"] == "secretsmanager.GetSecretValue"
    assert asked.headers["X-Amz-Security-Token"] == "token"
    assert "/eu-central-1/secretsmanager/aws4_request" in asked.headers["Authorization"]


def test_a_failing_server_is_asked_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [Answer(status=503), Answer({"SecretString": TEXT})]
    with Provider(lambda _: answers.pop(0)) as provider:
        assert served(monkeypatch, provider)(ARN) == TEXT


@pytest.mark.parametrize(
    ("answer", "times"),
    [
        (Answer({"__type": "AccessDeniedException", "Message": TEXT}, status=400), 1),
        (Answer(TEXT.encode(), status=500), 2),
        (Answer([TEXT], status=500), 2),
    ],
)
def test_what_cannot_be_read_is_unavailable_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, answer: Answer, times: int
) -> None:
    asked: list[Asked] = []

    def reply(request: Asked) -> Answer:
        asked.append(request)
        return answer

    with caplog.at_level(logging.DEBUG), Provider(reply) as provider, pytest.raises(Unavailable) as caught:
        served(monkeypatch, provider)(ARN)
    assert caught.value.extra == {"dependency": "secrets"}
    assert len(asked) == times
    assert TEXT not in caplog.text + str(caught.value)


@pytest.mark.parametrize("body", [{}, {"SecretBinary": "czNjcmV0"}, [], b"no JSON"])
def test_a_secret_that_is_no_text_is_unavailable(monkeypatch: pytest.MonkeyPatch, body: object) -> None:
    with Provider(Answer(body)) as provider, pytest.raises(Unavailable):
        served(monkeypatch, provider)(ARN)


def test_a_server_that_is_gone_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_secret, "SECONDS", 0.2)
    with Provider(Answer()) as provider:
        reader = served(monkeypatch, provider)
    with pytest.raises(Unavailable):
        reader(ARN)


def test_no_other_text_is_asked_for() -> None:
    with pytest.raises(ValueError, match="no ARN"):
        SecretReader()("https://example.org/secret")
