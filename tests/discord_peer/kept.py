"""What a loopback Discord keeps: messages, scripted faults, rate limits."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.discord_peer.payloads import BOT, Json


@dataclass
class Message:
    """One message as it stands now; `edits` counts how often it was changed."""

    id: int
    channel: int
    author: int = BOT
    content: str = ""
    components: list[Json] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    alts: dict[str, str] = field(default_factory=dict)
    ephemeral: bool = False
    loading: bool = False
    silent: bool = False
    mentions: Json = field(default_factory=dict)
    reference: int | None = None
    nonce: str | None = None
    edits: int = 0

    token: str = ""  # of the interaction that made it

    def buttons(self) -> dict[str, str]:
        """Label → custom id."""
        inside = [item for row in self.components for item in row.get("components", [])]
        return {item["label"]: item["custom_id"] for item in inside if item["type"] == 2}


@dataclass
class Fault:
    """The next `times` requests whose "METHOD path" begins with `of` are answered like this."""

    of: str
    status: int
    code: int = 0
    times: int = 1
    headers: dict[str, str] = field(default_factory=dict)
    after: bool = False  # only the answer is lost: what was asked has been done
    body: Json = field(default_factory=dict)


@dataclass
class Bucket:
    """So many requests in so many seconds; the others are sent back."""

    limit: int = 5
    seconds: float = 5.0
    times: list[float] = field(default_factory=list)

    def take(self, now: float) -> tuple[bool, dict[str, str]]:
        self.times = [each for each in self.times if now - each < self.seconds]
        free = len(self.times) < self.limit
        if free:
            self.times.append(now)
        after = self.seconds - (now - self.times[0])
        left = self.limit - len(self.times)
        return free, {
            "X-RateLimit-Limit": str(self.limit), "X-RateLimit-Remaining": str(left),
            "X-RateLimit-Reset-After": f"{after:.3f}", "Retry-After": f"{after:.3f}",
            "Via": "1.1 google",
        }  # fmt: skip
