"""Who a browser is: a signed cookie makes it a member; a one-time key makes it the moderator."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from dataclasses import dataclass, replace
from pathlib import Path

from itsdangerous import BadSignature, URLSafeSerializer
from starlette.requests import Request
from starlette.responses import Response

from bot.locales import LANGUAGES
from bot.processes import write_private

SECRET = "web.key"  # noqa: S105  the name of the file
LIFE_SECONDS = 400 * 24 * 3600  # the longest that browsers keep a cookie


@dataclass(frozen=True, slots=True)
class Session:
    """What a browser's cookie says.

    Args:
        id: random, the member's for as long as the cookie lasts.
        name: the first name that a visitor gave; empty on the own computer.
        code: the class's code that a visitor typed.
        language: the chosen one; empty for the browser's own.
    """

    id: str
    name: str = ""
    moderator: bool = False
    code: str = ""
    language: str = ""


class Sessions:
    """Reads and writes the cookies. `key` opens the moderator's door once; `redeemed` is set when
    there is a new one."""

    def __init__(self, data: Path, port: int) -> None:
        self._secret = _secret(data / SECRET)
        self._serializer = URLSafeSerializer(self._secret, salt="session")
        # Browsers share cookies between the ports of a host.
        self._cookie = f"semilla-{port}"
        self.key = secrets.token_urlsafe(16)
        self.redeemed = asyncio.Event()

    def read(self, request: Request) -> Session | None:
        """None for a browser that was never here, or whose cookie isn't ours."""
        try:
            return Session(**self._serializer.loads(request.cookies.get(self._cookie, "")))
        except (BadSignature, TypeError):
            return None

    def new(self) -> Session:
        return Session(id=secrets.token_urlsafe(9))

    def save(self, response: Response, session: Session) -> None:
        fields = {name: getattr(session, name) for name in Session.__slots__}
        text = self._serializer.dumps({name: value for name, value in fields.items() if value})
        response.set_cookie(
            self._cookie, str(text), max_age=LIFE_SECONDS, httponly=True, samesite="lax"
        )

    def token(self, session: Session) -> str:
        """What this browser's forms carry, so that no other page can send them."""
        return hmac.new(self._secret.encode(), session.id.encode(), hashlib.sha256).hexdigest()[:32]

    def holds_token(self, session: Session, token: str) -> bool:
        return hmac.compare_digest(self.token(session).encode(), token.encode())

    def redeem(self, session: Session, key: str) -> Session | None:
        """The session as the moderator's, if the key is right; it is good for one browser."""
        if not hmac.compare_digest(self.key.encode(), key.encode()):
            return None
        self.key = secrets.token_urlsafe(16)
        self.redeemed.set()
        return replace(session, moderator=True)


def browser_language(accepted: str, fallback: str) -> str:
    """The first of a browser's languages that Semilla speaks (Accept-Language)."""
    ranked = []
    for each in accepted.split(","):
        tag, _, quality = each.strip().partition(";q=")
        try:
            ranked.append((-float(quality or 1), tag.split("-")[0].lower()))
        except ValueError:
            continue
    ranked.sort(key=lambda pair: pair[0])
    return next((tag for _, tag in ranked if tag in LANGUAGES), fallback)


def _secret(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        write_private(path, secrets.token_urlsafe(32))
        return path.read_text(encoding="utf-8").strip()
