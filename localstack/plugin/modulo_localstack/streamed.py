"""A response that a function streamed, as the whole that an invoker without streaming gets."""

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

from modulo_localstack.exchange import Answer

MODE = "Lambda-Runtime-Function-Response-Mode"
ERROR_TYPE = "lambda-runtime-function-error-type"
ERROR_BODY = "lambda-runtime-function-error-body"
PRELUDE_END = b"\0" * 8


def whole(parts: Sequence[bytes], trailers: Mapping[str, str]) -> Answer:
    """The prelude and the body as a gateway's proxy response; an error in the trailers fails the invocation.

    A body that is no text is sent in base64.
    """
    if ERROR_TYPE in trailers:
        return Answer(base64.b64decode(trailers.get(ERROR_BODY, "")) or b"{}", failed=True)
    prelude, _, body = b"".join(parts).partition(PRELUDE_END)
    response: dict[str, Any] = json.loads(prelude)
    try:
        response |= {"body": body.decode(), "isBase64Encoded": False}
    except UnicodeDecodeError:
        response |= {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
    return Answer(json.dumps(response).encode())
