"""The first schema."""

from alembic import op

revision = "0001"
down_revision = None

STATEMENTS = (
    """
CREATE TABLE answers (
    id INTEGER NOT NULL,
    origin VARCHAR NOT NULL,
    adapter VARCHAR NOT NULL,
    guild VARCHAR NOT NULL,
    channel VARCHAR NOT NULL,
    thread VARCHAR NOT NULL,
    message VARCHAR NOT NULL,
    token VARCHAR,
    member VARCHAR NOT NULL,
    member_name VARCHAR NOT NULL,
    language VARCHAR NOT NULL,
    private BOOLEAN NOT NULL,
    line VARCHAR NOT NULL,
    created DATETIME NOT NULL,
    delivered DATETIME,
    PRIMARY KEY (id),
    UNIQUE (origin)
)
""",
    """
CREATE INDEX answers_outbox ON answers (id) WHERE delivered IS NULL
""",
    """
CREATE INDEX ix_answers_guild ON answers (guild)
""",
    """
CREATE TABLE drafts (
    id INTEGER NOT NULL,
    guild VARCHAR NOT NULL,
    code VARCHAR NOT NULL,
    member VARCHAR NOT NULL,
    options JSON NOT NULL,
    created DATETIME NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (guild, code)
)
""",
    """
CREATE TABLE jobs (
    id INTEGER NOT NULL,
    answer_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    guild VARCHAR NOT NULL,
    member VARCHAR NOT NULL,
    state VARCHAR(9) NOT NULL,
    recipe JSON NOT NULL,
    trace VARCHAR,
    parent_id INTEGER,
    relation VARCHAR(9),
    notes JSON NOT NULL,
    failure VARCHAR,
    failure_code VARCHAR,
    created DATETIME NOT NULL,
    started DATETIME,
    ended DATETIME,
    PRIMARY KEY (id),
    FOREIGN KEY(answer_id) REFERENCES answers (id),
    FOREIGN KEY(parent_id) REFERENCES pictures (id)
)
""",
    """
CREATE INDEX ix_jobs_answer_id ON jobs (answer_id)
""",
    """
CREATE INDEX ix_jobs_state ON jobs (state)
""",
    """
CREATE TABLE pictures (
    id INTEGER NOT NULL,
    guild VARCHAR NOT NULL,
    code VARCHAR NOT NULL,
    job_id INTEGER,
    member VARCHAR NOT NULL,
    member_name VARCHAR NOT NULL,
    visibility VARCHAR(7) NOT NULL,
    recipe JSON NOT NULL,
    prompt VARCHAR NOT NULL,
    file VARCHAR NOT NULL,
    pixel_hash VARCHAR NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    "key" JSON NOT NULL,
    trace VARCHAR NOT NULL,
    seconds DOUBLE NOT NULL,
    notes JSON NOT NULL,
    parent_id INTEGER,
    relation VARCHAR(9),
    link VARCHAR NOT NULL,
    created DATETIME NOT NULL,
    deleted DATETIME,
    PRIMARY KEY (id),
    UNIQUE (guild, code),
    UNIQUE (job_id),
    FOREIGN KEY(job_id) REFERENCES jobs (id),
    FOREIGN KEY(parent_id) REFERENCES pictures (id)
)
""",
    """
CREATE INDEX ix_pictures_file ON pictures (file)
""",
    """
CREATE INDEX ix_pictures_member ON pictures (member)
""",
    """
CREATE INDEX ix_pictures_parent_id ON pictures (parent_id)
""",
    """
CREATE INDEX ix_pictures_pixel_hash ON pictures (pixel_hash)
""",
    """
CREATE INDEX pictures_newest ON pictures (guild, id)
""",
    """
CREATE TABLE settings (
    guild VARCHAR NOT NULL,
    scope VARCHAR NOT NULL,
    owner VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    value VARCHAR NOT NULL,
    PRIMARY KEY (guild, scope, owner, name)
)
""",
    """
CREATE TABLE styles (
    guild VARCHAR NOT NULL,
    member VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    options JSON NOT NULL,
    PRIMARY KEY (guild, member, name)
)
""",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
