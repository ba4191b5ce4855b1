"""Attributes as OpenAI has them."""

from collections.abc import Mapping

from modulo.domain.files.attributes import AttributeValue


def store_attributes(attributes: Mapping[str, AttributeValue]) -> dict[str, str | bool | float]:
    """Attributes as OpenAI has them: a list, which another door set, is its texts behind each other."""
    return {key: ", ".join(value) if isinstance(value, tuple) else value for key, value in attributes.items()}
