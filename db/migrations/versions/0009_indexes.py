"""Indexes of what is asked for in every long history: guilds of a member, files of pictures."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_index("answers_of_members", "answers", ["member", "guild"])
    blurred = sa.text("blurred != ''")
    op.create_index("pictures_blurred", "pictures", ["blurred"], sqlite_where=blurred)
    # Of an expression: the models can't name it, as alembic doesn't compare such.
    op.execute(
        "CREATE INDEX pictures_over ON pictures (json_extract(recipe, '$.initial_image'))"
        " WHERE json_extract(recipe, '$.initial_image') IS NOT NULL"
    )
