"""The database's migrations: a custom resource of each deployment, before functions change."""

from modulo.runtime.custom_resource import custom_resource_handler


def work(seconds: float | None) -> dict[str, str]:
    """Bring the schema up to date; repeating it changes nothing."""
    from modulo.services import services  # noqa: PLC0415 - where it cannot be imported, CloudFormation is told

    return {"Revision": services().migrate(seconds=seconds)}


handler = custom_resource_handler(work)
