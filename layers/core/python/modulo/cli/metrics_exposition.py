"""This process' metrics for Prometheus, to holders of `METRICS_TOKEN`."""

import hmac
from typing import Final

from modulo.domain.errors import NotFound, Unauthenticated
from modulo.services import services

MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


def metrics_exposition(authorization: str) -> bytes:
    """The metrics in Prometheus' text format.

    Raises:
        Unauthenticated: the header is not the token's, or none is set.
        NotFound: the process keeps none, because they are written to logs or nowhere.
    """
    token = services().settings.metrics_token
    expected = f"Bearer {token.get_secret_value()}" if token else ""
    if not expected or not hmac.compare_digest(authorization.encode(), expected.encode()):
        raise Unauthenticated("Send the token of METRICS_TOKEN.")
    exposition = getattr(services().metrics, "exposition", None)
    if exposition is None:
        chosen = services().settings.metrics
        raise NotFound(
            f"METRICS={chosen} keeps nothing that could be read here: set METRICS=prometheus, or leave it out."
        )
    return bytes(exposition())
