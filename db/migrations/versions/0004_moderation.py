"""Who may not ask, what moderators did, requests and pictures that wait for them."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column(
        "answers", sa.Column("age_restricted", sa.Boolean(), nullable=False, server_default="0")
    )
    op.add_column("answers", sa.Column("trusted", sa.Boolean(), nullable=False, server_default="0"))
    op.add_column("pictures", sa.Column("held_for", sa.String(), nullable=False, server_default=""))
    op.add_column("pictures", sa.Column("blurred", sa.String(), nullable=False, server_default=""))
    op.create_table(
        "bans",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("guild", sa.String(), nullable=False),
        sa.Column("member", sa.String(), nullable=False, index=True),
        sa.Column("member_name", sa.String(), nullable=False),
        sa.Column("until", sa.DateTime(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("by_name", sa.String(), nullable=False),
        sa.Column("created", sa.DateTime(), nullable=False),
        sa.Column("lifted", sa.DateTime(), nullable=True),
    )
    op.create_table(
        "records",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("guild", sa.String(), nullable=False, index=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("member", sa.String(), nullable=False, index=True),
        sa.Column("member_name", sa.String(), nullable=False),
        sa.Column("by_name", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("created", sa.DateTime(), nullable=False),
    )
    op.create_table(
        "reviews",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("guild", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("adapter", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("thread", sa.String(), nullable=False),
        sa.Column("age_restricted", sa.Boolean(), nullable=False),
        sa.Column("member", sa.String(), nullable=False, index=True),
        sa.Column("member_name", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("command", sa.String(), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("word", sa.String(), nullable=False),
        sa.Column("created", sa.DateTime(), nullable=False),
        sa.Column("asked", sa.DateTime(), nullable=True),
        sa.Column("decided", sa.DateTime(), nullable=True),
        sa.UniqueConstraint("guild", "code"),
    )
