"""Labels: texts that a client keeps with a thing, which mean nothing to the service."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from modulo.domain.model import STORABLE

_KEYS: Any = {"minLength": 1, "maxLength": 64, "pattern": STORABLE}
_Key = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=STORABLE)]
_Value = Annotated[str, StringConstraints(max_length=512, pattern=STORABLE)]
Labels = Annotated[Mapping[_Key, _Value], Field(max_length=16, json_schema_extra={"propertyNames": _KEYS})]
"""At most 16 keys of 64 characters, with values of 512."""
