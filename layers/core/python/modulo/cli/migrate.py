"""`modulo migrate`: bring the database's schema up to date."""

from modulo.services import services


def migrate() -> str:
    """Apply the missing migrations; the revision then reached."""
    return services().migrate()
