"""Modulo: serverless, multi-tenant retrieval-augmented generation."""

import gc

import modulo.lean_imports  # noqa: F401 - before anything here imports pydantic or FastAPI

__version__ = "0.1.0"

# What is loaded stays. Looking through it for garbage after every 700 objects, as is the default, would take
# a tenth of a function's start.
gc.set_threshold(50_000, 20, 50)
