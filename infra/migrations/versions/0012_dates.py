"""Add the documents' own creation and modification dates as timestamps, for filters."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_MOMENTS = """
    UPDATE generations SET {name} = CASE WHEN pg_input_is_valid(said, 'timestamptz') THEN CAST(said AS timestamptz) END
    FROM (
        SELECT tenant_id, file_id, number,
            (document ->> '{name}') || substr('0001-01-01', length(document ->> '{name}') + 1)
            || CASE WHEN document ->> '{name}' ~ 'T.*(Z|[+-][0-9:]+)$' THEN '' ELSE ' UTC' END AS said
        FROM generations WHERE document ->> '{name}' ~ '^[12][0-9]{{3}}(-[0-9]{{2}}(-[0-9]{{2}}(T.*)?)?)?$'
    ) dated
    WHERE (generations.tenant_id, generations.file_id, generations.number)
        = (dated.tenant_id, dated.file_id, dated.number)
"""


def upgrade() -> None:
    """Add the columns and fill them from the stored documents."""
    for name in ("creation_date", "mod_date"):
        op.add_column("generations", sa.Column(name, sa.TIMESTAMP(timezone=True), nullable=True))
        op.execute(_MOMENTS.format(name=name))


def downgrade() -> None:
    """Drop the columns; the documents keep the dates as text."""
    for name in ("creation_date", "mod_date"):
        op.drop_column("generations", name)
