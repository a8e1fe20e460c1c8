"""What passes between a chat and the commands: calls one way, replies the other."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Any, Protocol

from db.models import Answer


@dataclass(frozen=True, slots=True)
class Guild:
    """Whose queue, history, settings and limits apply: a server, a chat, a room.

    `id` is unique over all chats: "discord:1234", "web:room", "terminal". A private chat is a
    guild of one.
    """

    id: str
    name: str = ""
    private: bool = False


class Role(IntEnum):
    """What somebody may do in a guild; each includes those before it."""

    MEMBER = 0
    MODERATOR = 1
    OWNER = 2  # of this Semilla, in every guild


@dataclass(frozen=True, slots=True)
class Member:
    """Who asks. `id` is unique over all chats: "discord:99", "web:Q3ZW…".

    `roles` are the platform's own ids of the roles that the member has in the guild. `is_chat`: a
    group or a channel speaks (on Telegram admins and others may), and who it is nobody knows.
    """

    id: str
    name: str
    moderator: bool = False
    roles: tuple[str, ...] = ()
    is_chat: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One use of a command.

    Args:
        origin: the platform's own id of the event, so that a second arrival is known.
        command: the canonical (English) name of a declared command.
        options: canonical option name → text as typed.
        image: bytes of an attached picture, not yet checked.
        language: "en" or "es".
        channel, thread, message: where the answer goes (`message`: the placeholder, once known).
        token: by which the answer is sent where a platform wants one; kept while it is good.
        age_restricted: whether the channel is for adults only.
        here: how the channel is written so that it can be tapped.
        aside: from a member's private chat, about the guild's: what comes of it stays private.
        confirmed: its author has been told how long it takes, and wants it.
    """

    origin: str
    adapter: str
    guild: Guild
    member: Member
    language: str
    command: str
    options: Mapping[str, str] = field(default_factory=dict)
    image: bytes | None = None
    channel: str = ""
    thread: str = ""
    message: str = ""
    token: str = ""
    age_restricted: bool = False
    here: str = ""
    aside: bool = False
    confirmed: bool = False

    def mentioned(self, text: str) -> str | None:
        """A member's id where a mention or an id of the platform is typed, or the whole id with
        the member's name."""
        own = OWN_ID.match(text)
        if own and own[1] == self.adapter:
            return own[0]
        mention = MENTION.fullmatch(text)
        return f"{self.adapter}:{mention[1] or mention[2]}" if mention else None


OWN_ID = re.compile(r"(\w+):-?\d+(?!\S)")
MENTION = re.compile(r"<@!?(\d+)>|@?(\d{5,20})")
BUTTON_BYTES = 64  # what every platform keeps with a button


@dataclass(frozen=True, slots=True)
class Button:
    """A command line of at most 64 bytes: no state, so it survives every restart."""

    label: str
    line: str

    @property
    def fits(self) -> bool:
        return len(self.line.encode()) <= BUTTON_BYTES


@dataclass(frozen=True, slots=True)
class Shown:
    """A finished picture as a reply shows it.

    Args:
        code: its short id in the guild.
        file: name of its PNG in the storage (sha256).
        alt: alternative text, the prompt.
        scale: whole number by which it is shown enlarged.
        title: its prompt, shortened (this and the next two in Semilla's markup, see Reply.text).
        facts: seed, id, seconds.
        notes: lines on where it comes from and what was done otherwise than asked.
        line: the command line that shows it with all that can be done with it.
        parent: number and id of the one that it was made from, for chats that can link to it.
    """

    code: str
    file: str
    width: int
    height: int
    alt: str
    scale: int = 1
    title: str = ""
    facts: str = ""
    notes: tuple[str, ...] = ()
    buttons: tuple[tuple[Button, ...], ...] = ()
    line: str = ""
    parent: tuple[int, str] | None = None

    @property
    def caption(self) -> str:
        """The words under it."""
        first = " · ".join(filter(None, (self.title, self.facts)))
        return "\n".join(filter(None, (first, *self.notes)))


@dataclass(frozen=True, slots=True)
class Field:
    """One input of a form, prefilled. `kind`: "text", "number" or "choice"."""

    name: str
    label: str
    value: str = ""
    kind: str = "text"
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Form:
    """Shown where a chat has forms; sending it calls `command` with the fields as options."""

    title: str
    command: str
    fields: tuple[Field, ...]


class Tone(StrEnum):
    """What a reply is, for chats that can colour it."""

    PLAIN = "plain"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    FAULT = "fault"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a chat shows.

    Args:
        text: in Semilla's markup: **bold**, `code`, lines; users' words escaped with backslashes.
        pictures: in order.
        pick: what stands over a list of them, for chats that take up one with it.
        buttons: rows under the whole reply.
        private: for its author only.
        answer: id of the accepted Answer whose pictures will follow, if any.
        form: to be filled in.
        file: name in the storage of a file to hand out as it is (the PNG).
        called: what that is called where it is saved, the id of its picture.
        repeated: it has been said in this place; only a chat that must answer shows it again.
    """

    text: str = ""
    pictures: tuple[Shown, ...] = ()
    pick: str = ""
    buttons: tuple[tuple[Button, ...], ...] = ()
    private: bool = False
    answer: int | None = None
    form: Form | None = None
    file: str | None = None
    called: str = ""
    tone: Tone = Tone.PLAIN
    repeated: bool = False

    @property
    def file_name(self) -> str:
        """What the file is called where it is saved."""
        stem, dot, suffix = (self.file or "").partition(".")
        return f"semilla-{self.called or stem[:8]}{dot}{suffix}"


class Refusal(Exception):
    """The member can mend it. `key` and `facts` name the sentence in the locales;
    `suggestions` are command lines to tap, `offers` others with a label: the name of a sentence.
    `repeated`: see Reply."""

    def __init__(
        self,
        key: str,
        suggestions: tuple[str, ...] = (),
        offers: tuple[tuple[str, str], ...] = (),
        repeated: bool = False,
        **facts: Any,
    ) -> None:
        super().__init__(key)
        self.key = key
        self.suggestions = suggestions
        self.offers = offers
        self.repeated = repeated
        self.facts = facts


class Unreachable(Exception):
    """A member can't be written to in private, or a channel not at all."""


class Adapter(Protocol):
    """A chat. It turns platform events into calls and shows replies."""

    name: str

    async def run(self) -> None:
        """Serves until it is cancelled."""

    async def deliver(self, answer: Answer, reply: Reply) -> None:
        """Shows the finished answer in its place. An exception means: not delivered, try again."""

    async def tell(self, member: str, reply: Reply) -> None:
        """Writes to a member in private. Raises Unreachable."""

    async def post(self, guild: str, channel: str, reply: Reply) -> None:
        """Writes into a channel of the guild (the platform's id) that moderators read. Raises
        Unreachable, also for what is another guild's: there its buttons would mean others."""
