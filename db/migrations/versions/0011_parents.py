"""Indexes for erasing and for what waits for a moderator; who a record is by, so that they can have
their name erased; who a ban is by was never shown."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    has_parent = sa.text("parent_id IS NOT NULL")
    op.create_index("jobs_of_parents", "jobs", ["parent_id"], sqlite_where=has_parent)
    held = sa.text("visibility = 'HELD'")
    op.create_index("pictures_held", "pictures", ["guild", "id"], sqlite_where=held)
    op.add_column("records", sa.Column("by", sa.String(), nullable=False, server_default=""))
    for name in ("by", "by_name"):
        op.drop_column("bans", name)
