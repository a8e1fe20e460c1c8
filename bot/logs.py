"""The log: a line of JSON for each record, with the request that it is about, and no secrets.

The standard library writes it: what the chats' libraries log comes the same way, and goes through
the same hands.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path

LOG_BYTES, LOGS_KEPT = 5_000_000, 3
HIDDEN = "…"
# Tokens as they stand in addresses: Telegram's, Discord's, and those of Discord's interactions.
TOKENS = re.compile(
    r"(?<!\d)\d{6,12}:[\w-]{30,}|\b[\w-]{23,30}\.[\w-]{6,7}\.[\w-]{27,}|(?<=/)[\w-]{60,}(?=[/\s\"?]|$)"
)
_about: ContextVar[Mapping[str, object]] = ContextVar("about")


@contextmanager
def about(**facts: object) -> Iterator[None]:
    """What is logged inside, also by the tasks that are begun there, carries these facts."""
    token = _about.set({**_about.get({}), **facts})
    try:
        yield
    finally:
        _about.reset(token)


class Lines(logging.Formatter):
    """Args:
    secrets: texts that must not be written, wherever they come from.
    """

    def __init__(self, secrets: Sequence[str] = ()) -> None:
        super().__init__()
        self._secrets = tuple(filter(None, secrets))

    def format(self, record: logging.LogRecord) -> str:
        written = datetime.fromtimestamp(record.created, UTC)
        fields = {
            "time": written.isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "part": record.name,
            **_about.get({}),
            "text": self._clean(record.getMessage()),
        }
        if record.exc_info:
            fields["trace"] = self._clean(self.formatException(record.exc_info))
        return json.dumps(fields, ensure_ascii=False, default=str)

    def _clean(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        return TOKENS.sub(HIDDEN, text)


class File(RotatingFileHandler):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Says so on stderr, without the record: nothing has been taken out of that."""
        kind, error, _ = sys.exc_info()
        if kind is not None and sys.stderr is not None:
            with suppress(OSError, ValueError):  # a full disk below it, a terminal that has gone
                sys.stderr.write(f"{self.baseFilename}: {kind.__name__}: {error}\n")


def write_into(file: Path, secrets: Sequence[str] = ()) -> None:
    """From now on, of all parts. Raises OSError."""
    handler = File(file, maxBytes=LOG_BYTES, backupCount=LOGS_KEPT, encoding="utf-8")
    handler.setFormatter(Lines(secrets))
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # else a line for each call to Telegram
