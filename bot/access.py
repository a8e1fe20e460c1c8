"""Closed by default: Semilla answers only where its owner has switched it on."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable

from bot.config import AccessConfig
from bot.conversation import Button, Call, Refusal, Reply, Role
from bot.events import Events
from bot.locales import say
from db.access import Access as Places
from db.codes import LONGEST, random_code, read_code
from db.models import PlaceState

OWN_CHATS = frozenset({"web", "terminal"})  # on the owner's own computer
TRIES, PAUSE_SECONDS = 5, 600.0  # wrong codes of one member within the seconds
TOLD_AT_ONCE = 10  # of the places that wait for an owner


class Access:
    """`code`, shown at the start to whoever hosts Semilla, makes the one who types it its owner."""

    def __init__(
        self,
        config: AccessConfig,
        places: Places,
        events: Events,
        language: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._config = config
        self._places = places
        self._events = events
        self._language = language
        self._clock = clock
        self._tries: list[tuple[float, str]] = []
        self.code = _new_code()

    async def role(self, call: Call) -> Role:
        """What the member may do here. In a private chat everybody is their own moderator."""
        own = call.adapter in OWN_CHATS and call.member.moderator
        if own or await self._places.owns(call.member.id):
            return Role.OWNER
        return Role.MODERATOR if call.member.moderator or call.guild.private else Role.MEMBER

    async def admit(self, call: Call) -> None:
        """Raises Refusal where Semilla isn't switched on: said once to a new place, of which her
        owner is told then, and `repeated` ever after."""
        why = await self._shut(call)
        if why is None:
            return
        guild = call.guild
        name = call.member.name if guild.private else guild.name
        new = await self._places.ask(guild.id, name, guild.private)
        owners = await self._places.owners()
        if new:
            question = _question(self._language, guild.id, name, guild.private, call.member.name)
            for owner in owners:
                self._events.tell(owner.adapter, owner.member, question)
        raise Refusal(why if owners else "no-owner", repeated=not new)

    async def admits(self, call: Call) -> bool:
        return await self._shut(call) is None

    async def _shut(self, call: Call) -> str | None:
        """The sentence that says why nothing is answered there; None where it is switched on."""
        if self._config.open or call.adapter in OWN_CHATS:
            return None
        if await self._places.state(call.guild.id) is PlaceState.ACTIVE:
            return None
        if not call.guild.private:
            return "not-activated"
        if await self._places.owns(call.member.id):
            return None
        if not self._config.private_chats:
            return "private-chats-off"
        known = await self._places.is_known(call.member.id)
        return None if known else "private-chats-for-members"

    async def try_code(self, call: Call, code: str) -> None:
        """Makes the caller an owner. Raises Refusal; after five wrong codes they may not try."""
        since, member = self._clock() - PAUSE_SECONDS, call.member.id
        self._tries = [(at, who) for at, who in self._tries if at > since]
        own = [who for _, who in self._tries if who == member]
        if len(own) >= TRIES:
            raise Refusal("too-many-codes", minutes=round(PAUSE_SECONDS / 60))
        if not secrets.compare_digest(read_code(code).encode(), self.code.encode()):
            self._tries.append((self._clock(), member))
            raise Refusal("wrong-code")
        self.code = _new_code()  # good for one owner
        await self._places.add_owner(call.member.id, call.adapter)

    async def activate(self, guild: str, name: str = "") -> None:
        await self._places.set_state(guild, PlaceState.ACTIVE, name)

    async def ignore(self, guild: str) -> None:
        await self._places.set_state(guild, PlaceState.IGNORED)

    async def name(self, guild: str) -> str | None:
        """What a guild is called; None when it has never been heard of."""
        place = await self._places.place(guild)
        return None if place is None else place.name or guild

    async def tell_waiting(self, call: Call) -> str:
        """Asks the caller, an owner, in private about the places that have asked and wait, the
        latest of them; gives the sentence that says so, "" when none waits."""
        count, places = await self._places.waiting(TOLD_AT_ONCE)
        for each in reversed(places):
            name = each.name or each.guild
            question = _question(call.language, each.guild, name, each.private)
            self._events.tell(call.adapter, call.member.id, question)
        facts = {"count": count, "told": len(places), "left": count - len(places)}
        return say(call.language, "places-waiting", **facts) if count else ""


def _new_code() -> str:
    """Long enough that no crowd guesses it, so strangers' wrong ones needn't keep the owner out."""
    return random_code(LONGEST)


def _question(language: str, guild: str, name: str, private: bool, member: str = "") -> Reply:
    """What an owner is asked about a place. `member`: who asked there, where that is known."""
    key = "asked-by-person" if private else "asked-by-member" if member else "asked-by-place"
    buttons = (
        Button(say(language, "button-activate"), f"/activate place:{guild}"),
        Button(say(language, "button-ignore"), f"/ignore {guild}"),
    )
    text = say(language, key, place=name or guild, member=member)
    return Reply(text=text, buttons=(buttons,), private=True)
