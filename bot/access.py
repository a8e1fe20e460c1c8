"""Closed by default: Semilla answers only where its owner has switched it on."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable

from bot.config import AccessConfig
from bot.conversation import Button, Call, Refusal, Reply, Role
from bot.events import Events, Notice
from bot.locales import say
from db.access import Access as Places
from db.models import PlaceState

OWN_CHATS = frozenset({"web", "terminal"})  # on the owner's own computer
TRIES, PAUSE_SECONDS = 5, 600.0


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
        self._tries: list[float] = []
        self.code = f"{secrets.randbelow(9000) + 1000}"

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
        new = await self._places.ask(call.guild.id, call.guild.name)
        if new:
            await self._tell_owners(call)
        raise Refusal(why, repeated=not new)

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
        """Makes the caller an owner. Raises Refusal; after five wrong codes nobody may try."""
        self._tries = [at for at in self._tries if self._clock() - at < PAUSE_SECONDS]
        if len(self._tries) >= TRIES:
            raise Refusal("too-many-codes", minutes=round(PAUSE_SECONDS / 60))
        if not secrets.compare_digest(code.encode(), self.code.encode()):
            self._tries.append(self._clock())
            raise Refusal("wrong-code")
        self.code = f"{secrets.randbelow(9000) + 1000}"  # good for one owner
        await self._places.add_owner(call.member.id, call.adapter)

    async def activate(self, guild: str, name: str = "") -> None:
        await self._places.set_state(guild, PlaceState.ACTIVE, name)

    async def ignore(self, guild: str) -> None:
        await self._places.set_state(guild, PlaceState.IGNORED)

    async def name(self, guild: str) -> str | None:
        """What a guild is called; None when it has never been heard of."""
        place = await self._places.place(guild)
        return None if place is None else place.name or guild

    async def _tell_owners(self, call: Call) -> None:
        language = self._language
        name = call.guild.name or call.guild.id
        key = "asked-by-person" if call.guild.private else "asked-by-place"
        buttons = (
            Button(say(language, "button-activate"), f"/activate place:{call.guild.id}"),
            Button(say(language, "button-ignore"), f"/ignore {call.guild.id}"),
        )
        text = say(language, key, place=name, member=call.member.name)
        for owner in await self._places.owners():
            reply = Reply(text=text, buttons=(buttons,), private=True)
            self._events.publish(
                Notice(guild=call.guild.id, adapter=owner.adapter, member=owner.member, reply=reply)
            )
