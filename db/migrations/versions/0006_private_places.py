"""Which places that asked are private chats."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("places", sa.Column("private", sa.Boolean(), nullable=False, server_default="0"))
