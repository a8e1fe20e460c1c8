"""What limits count of members who have had their requests erased."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "spent",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("member", sa.String(), nullable=False),
        sa.Column("created", sa.DateTime(), nullable=False),
        sa.Column("cost", sa.Integer(), nullable=False),
    )
    op.create_index("ix_spent_member", "spent", ["member"])
