"""Which pictures were made in channels for adults."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column(
        "pictures", sa.Column("age_restricted", sa.Boolean(), nullable=False, server_default="0")
    )
    op.execute(
        "UPDATE pictures SET age_restricted = 1 WHERE job_id IN (SELECT jobs.id FROM jobs"
        " JOIN answers ON answers.id = jobs.answer_id WHERE answers.age_restricted)"
    )
