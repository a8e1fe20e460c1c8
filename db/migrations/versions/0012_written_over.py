"""An index of what is forgotten every minute; what was erased before is written over, as older
versions left it in the index of words."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    has_token = sa.text("token IS NOT NULL")
    op.create_index("answers_tokens", "answers", ["created"], sqlite_where=has_token)
    op.execute("PRAGMA user_version = 1")
