"""Runs the migrations inside this process."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import URL, create_engine

from db.transactions import prepare

FOLDER = Path(__file__).parent


def upgrade(path: Path, revision: str = "head") -> None:
    """Brings the database file to the revision: wholly, or it stays as it is."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    engine = create_engine(URL.create("sqlite", database=str(path)))
    prepare(engine)
    try:
        with engine.execution_options(writes=True).begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
    finally:
        engine.dispose()
