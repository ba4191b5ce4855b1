"""The database's migrations, run by each deployment."""

from typing import Any

from modulo.runtime.schedule import schedule_handler
from modulo.services import services


def work() -> dict[str, Any]:
    """Bring the schema up to date; doing it again changes nothing."""
    services().migrate()
    return {"migrated": True}


handler = schedule_handler(work)
