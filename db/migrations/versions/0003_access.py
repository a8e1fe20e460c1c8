"""Where Semilla is switched on, and who its owners are."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "places",
        sa.Column("guild", sa.String(), primary_key=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("changed", sa.DateTime(), nullable=False),
    )
    op.create_table(
        "owners",
        sa.Column("member", sa.String(), primary_key=True),
        sa.Column("adapter", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(), nullable=False),
    )
