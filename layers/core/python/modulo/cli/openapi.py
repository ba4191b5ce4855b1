"""`modulo openapi`: print the OpenAPI document."""

import json

from modulo.cli.openapi_document import openapi_document
from modulo.cli.serve import composed


def document() -> str:
    """The OpenAPI document as committed in `infra/openapi.json`."""
    return json.dumps(openapi_document(composed()), indent=2, ensure_ascii=False) + "\n"


def print_openapi() -> None:
    """Print it."""
    print(document(), end="")
