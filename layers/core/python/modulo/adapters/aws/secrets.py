"""Passwords in AWS Secrets Manager, as RDS keeps them: JSON with `username` and `password`."""

import json

from modulo.adapters.aws.clients import LazyClient, translated_errors


def password(secret: str) -> str:
    """The password in a secret, by its name or ARN.

    Raises:
        Unavailable: Secrets Manager does not answer, or refuses.
        ValueError: the secret has another form.
    """
    client = LazyClient("secretsmanager")
    try:
        with translated_errors("secrets"):
            found = client().get_secret_value(SecretId=secret)["SecretString"]
    finally:
        client.close()
    try:
        return str(json.loads(found)["password"])
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"the secret {secret} is no JSON object with a password") from error
