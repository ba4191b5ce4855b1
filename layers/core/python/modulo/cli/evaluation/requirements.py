"""Requirements: what a run's measures must reach."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from modulo.cli.evaluation import EvaluationError
from modulo.cli.evaluation.bootstrap import Estimate
from modulo.cli.evaluation.measures import MEASURES
from modulo.domain.field_messages import messages_of

SAMPLES = Path(__file__).with_name("samples.requirements.json")
"""What is required of the sample documents in CI."""

_FORM = TypeAdapter(dict[str, Annotated[float, Field(ge=0, le=1)]])


class InvalidRequirements(EvaluationError):
    """The file of requirements cannot be read."""


def read_requirements(path: Path) -> dict[str, float]:
    """The least value of each measure that the file names.

    Raises:
        InvalidRequirements: it cannot be read, or names a measure that does not exist.
    """
    try:
        required = _FORM.validate_python(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise InvalidRequirements(f"{path} cannot be read: {error.strerror}.") from None
    except ValidationError as error:
        raise InvalidRequirements(f"{path}: {messages_of(error.errors())}.") from None
    except ValueError as error:
        raise InvalidRequirements(f"{path} is not JSON: {error}") from None
    for name in required:
        if name not in MEASURES:
            raise InvalidRequirements(f"{path}: there is no measure {name!r}; there are {', '.join(MEASURES)}.")
    return required


def missed(required: Mapping[str, float], measured: Mapping[str, Estimate]) -> list[str]:
    """What is not reached, each in a line; a measure that no question says anything about is not reached."""
    lines = []
    for name, least in required.items():
        if name not in measured:
            lines.append(f"{name} was not measured, {least:.3f} is required")
        elif measured[name].value < least:
            lines.append(f"{name} is {measured[name].value:.3f}, {least:.3f} is required")
    return lines
