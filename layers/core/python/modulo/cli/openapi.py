"""`modulo openapi`: the description of the API."""

import json

from modulo.cli.serve import composed


def document() -> str:
    """The OpenAPI document, as `infra/openapi.json` keeps it."""
    return json.dumps(composed().openapi(), indent=2, ensure_ascii=False) + "\n"


def print_openapi() -> None:
    """Print it."""
    print(document(), end="")
