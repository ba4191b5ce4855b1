"""What turns events of every kind into calls of use cases."""

import modulo.runtime.lean_imports  # noqa: F401 - before anything here imports FastAPI
