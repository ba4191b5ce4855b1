"""What a server does before its first request, so that no request has to load code while others wait.

An import keeps the interpreter busy, and with it every other request: health would answer half a second late.
"""

import gc
from contextlib import suppress

from modulo.domain.errors import ModuloError
from modulo.runtime.worker import function, function_names
from modulo.services import services


def warm_start() -> None:
    """Load what every function of the API uses; no connection is opened.

    What a missing or unreadable setting prevents is left to the first request, whose answer says so.
    """
    handlers = [function(name).handler for name in function_names()]
    for port in sorted({port for handler in handlers for port in getattr(handler, "uses", ())}):
        with suppress(ModuloError):
            services().load([port])
    gc.collect()
    gc.freeze()  # the collector need not look through any of it again, which takes a tenth of a second
