"""By whom and from where a request was stopped, so that it is asked again just so; and which
pictures have a member's own photo under them."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

PICTURES = """
UPDATE pictures SET over_photo = 1 WHERE id IN (
    WITH RECURSIVE over (id, file) AS (
        SELECT id, file FROM pictures WHERE json_extract(recipe, '$.initial_image')
            NOT IN (SELECT file FROM pictures WHERE deleted IS NULL)
        UNION SELECT pictures.id, pictures.file FROM over
            JOIN pictures ON json_extract(pictures.recipe, '$.initial_image') = over.file
    )
    SELECT id FROM over
)
"""
JOBS = """
UPDATE jobs SET over_photo = 1 WHERE json_extract(recipe, '$.initial_image')
    NOT IN (SELECT file FROM pictures WHERE deleted IS NULL AND NOT over_photo)
"""


def upgrade() -> None:
    for name in ("aside", "moderator"):
        op.add_column("reviews", sa.Column(name, sa.Boolean(), nullable=False, server_default="0"))
    op.add_column("reviews", sa.Column("roles", sa.JSON(), nullable=False, server_default="[]"))
    for table in ("jobs", "pictures"):
        op.add_column(
            table, sa.Column("over_photo", sa.Boolean(), nullable=False, server_default="0")
        )
    op.execute(PICTURES)
    op.execute(JOBS)
