"""An index of the prompts' words that knows no accents, kept by triggers."""

from alembic import op

revision = "0002"
down_revision = "0001"

STATEMENTS = (
    """
CREATE VIRTUAL TABLE IF NOT EXISTS pictures_words USING fts5(
    prompt, content='pictures', content_rowid='id', tokenize='unicode61 remove_diacritics 2')
""",
    """
CREATE TRIGGER IF NOT EXISTS pictures_words_insert AFTER INSERT ON pictures BEGIN
    INSERT INTO pictures_words(rowid, prompt) VALUES (new.id, new.prompt);
END
""",
    """
CREATE TRIGGER IF NOT EXISTS pictures_words_delete AFTER DELETE ON pictures BEGIN
    INSERT INTO pictures_words(pictures_words, rowid, prompt) VALUES ('delete', old.id, old.prompt);
END
""",
    """
CREATE TRIGGER IF NOT EXISTS pictures_words_update AFTER UPDATE OF prompt ON pictures BEGIN
    INSERT INTO pictures_words(pictures_words, rowid, prompt) VALUES ('delete', old.id, old.prompt);
    INSERT INTO pictures_words(rowid, prompt) VALUES (new.id, new.prompt);
END
""",
    "INSERT INTO pictures_words(pictures_words) VALUES ('rebuild')",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
