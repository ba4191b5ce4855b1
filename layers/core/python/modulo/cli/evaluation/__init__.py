"""`modulo eval`: puts a golden set of questions to a collection and measures what comes back."""

from modulo.domain.errors import ModuloError


class EvaluationError(ModuloError):
    """The evaluation cannot be done; the message says why."""
