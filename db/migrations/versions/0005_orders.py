"""What a member ordered lately, found without reading all jobs."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_index("jobs_of_members", "jobs", ["member", "created"])
