"""Passwords from Secrets Manager."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from modulo.adapters.aws import secrets
from modulo.domain.errors import Unavailable


class Store:
    def __init__(self, answer: str | None) -> None:
        self._answer = answer

    def get_secret_value(self, **asked: str) -> dict[str, Any]:
        assert asked == {"SecretId": "arn"}
        if self._answer is None:
            raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "GetSecretValue")
        return {"SecretString": self._answer}

    def close(self) -> None:
        """Nothing is open."""


def answering(monkeypatch: pytest.MonkeyPatch, answer: str | None) -> None:
    monkeypatch.setattr(secrets.LazyClient, "_create", lambda _client: Store(answer))


def test_the_password_is_read_as_rds_writes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, json.dumps({"username": "modulo", "password": "s3cret"}))
    assert secrets.password("arn") == "s3cret"


@pytest.mark.parametrize("answer", ["s3cret", "[]", "{}", '"s3cret"'])
def test_a_secret_of_another_form_is_named_and_not_shown(monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    answering(monkeypatch, answer)
    with pytest.raises(ValueError, match=r"^the secret arn is no JSON object with a password$"):
        secrets.password("arn")


def test_a_refusal_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, None)
    with pytest.raises(Unavailable):
        secrets.password("arn")
