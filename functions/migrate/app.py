"""The database's migrations: a custom resource of each deployment, before functions change."""

from modulo.runtime.custom_resource import custom_resource_handler
from modulo.services import services


def work(seconds: float | None) -> dict[str, str]:
    """Bring the schema up to date; repeating it changes nothing."""
    return {"Revision": services().migrate(seconds=seconds)}


handler = custom_resource_handler(work)
