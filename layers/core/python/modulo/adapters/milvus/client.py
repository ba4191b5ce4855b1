"""Imports pymilvus without pandas and requests; the only module that imports pymilvus."""

from modulo.adapters.milvus import pandas_stub
from modulo.adapters.milvus.stub_imports import lazy_module, stubbed_modules

# pymilvus uses `requests` only to look up the members of a global cluster, so that import waits until then.
with stubbed_modules({**pandas_stub.STUBS, "requests": lazy_module("requests")}):
    from pymilvus import (
        CollectionSchema,
        DataType,
        Function,
        FunctionType,
        MilvusClient,
        MilvusException,
    )
    from pymilvus.client.types import LoadState
    from pymilvus.exceptions import DataNotMatchException, ErrorCode, ParamError

__all__ = [
    "CollectionSchema",
    "DataNotMatchException",
    "DataType",
    "ErrorCode",
    "Function",
    "FunctionType",
    "LoadState",
    "MilvusClient",
    "MilvusException",
    "ParamError",
]
