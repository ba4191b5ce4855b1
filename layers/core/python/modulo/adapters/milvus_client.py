"""What the adapters use of pymilvus, imported without what only others use of it; the only module that imports it."""

from modulo.adapters import pandas_absent
from modulo.adapters.light_imports import deferred, standing_in

# It asks with `requests` where the parts of a global cluster are, should there be one.
with standing_in({**pandas_absent.OFFERED, "requests": deferred("requests")}):
    from pymilvus import (
        AnnSearchRequest,
        CollectionSchema,
        DataType,
        Function,
        FunctionType,
        MilvusClient,
        MilvusException,
        RRFRanker,
    )
    from pymilvus.client.types import LoadState
    from pymilvus.exceptions import DataNotMatchException, ErrorCode, ParamError

__all__ = [
    "AnnSearchRequest",
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
    "RRFRanker",
]
