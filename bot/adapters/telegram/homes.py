"""Where a picture or a request belongs that is meant in a private chat: to a group of its member."""

from __future__ import annotations

from telegram import Bot, ChatMember, User
from telegram.error import TelegramError

from bot.adapters.telegram.places import NAME, Moderators
from bot.commands.declaration import COMMANDS
from bot.commands.home import of_own
from bot.commands.semilla import Semilla
from bot.conversation import Call, Guild, Member, Refusal
from db.history import Asker

GROUPS = f"{NAME}:-"  # how their guilds begin
INSIDE = (ChatMember.MEMBER, ChatMember.ADMINISTRATOR, ChatMember.OWNER)


class Homes:
    def __init__(self, semilla: Semilla, bot: Bot, moderators: Moderators) -> None:
        self._history = semilla.database.history
        self._semilla = semilla
        self._bot = bot
        self._moderators = moderators

    async def of(self, call: Call, user: User) -> tuple[Guild, Member] | None:
        """None for what belongs to the private chat itself, and for what the member may not see:
        that is answered as if it didn't exist. Raises Refusal for a request in the name of a group
        that the member isn't in any more."""
        guild = await self._of_picture(call, user) or await of_own(self._semilla, call)
        if guild is None or not guild.startswith(GROUPS):
            return None
        if await self._is_inside(_group(guild), user.id) is False:
            raise Refusal("not-inside")
        moderator = await self._moderators.among(_group(guild), user.id)
        name = await self._semilla.access.name(guild) or ""
        return Guild(guild, name), Member(call.member.id, user.full_name, moderator)

    async def _of_picture(self, call: Call, user: User) -> str | None:
        code, person = COMMANDS[call.command].picture(call.options), call.member.id
        if not code or await self._history.get(Asker(call.guild.id, person), code):
            return None
        for guild in await self._history.guilds_with(code, GROUPS):
            group = _group(guild)
            if not await self._is_inside(group, user.id):
                continue
            moderator = await self._moderators.among(group, user.id)
            if await self._history.get(Asker(guild, person, moderator), code):
                return guild
        return None

    async def _is_inside(self, group: int, user: int) -> bool | None:
        """None where Telegram doesn't say."""
        try:
            found = await self._bot.get_chat_member(group, user)
        except TelegramError:
            return None
        restricted = found.status == ChatMember.RESTRICTED and getattr(found, "is_member", False)
        return found.status in INSIDE or restricted


def _group(guild: str) -> int:
    return int(guild.removeprefix(f"{NAME}:"))
