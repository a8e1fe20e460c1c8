"""Where a picture belongs that is named in a private chat: a group that the member is in."""

from __future__ import annotations

from telegram import Bot, Chat, ChatMember, User
from telegram.error import TelegramError

from bot.adapters.telegram.places import NAME, Moderators
from bot.commands.declaration import COMMANDS
from bot.commands.semilla import Semilla
from bot.conversation import Guild, Member
from db.history import Asker

INSIDE = (ChatMember.MEMBER, ChatMember.ADMINISTRATOR, ChatMember.OWNER)


class Homes:
    def __init__(self, semilla: Semilla, bot: Bot, moderators: Moderators) -> None:
        self._history = semilla.database.history
        self._semilla = semilla
        self._bot = bot
        self._moderators = moderators

    async def of(
        self, chat: Chat, user: User, command: str, options: dict[str, str]
    ) -> tuple[Guild, Member] | None:
        """None for what belongs to the private chat itself, and for what the member may not see:
        that is answered as if it didn't exist."""
        code = COMMANDS[command].picture(options)
        person = f"{NAME}:{user.id}"
        if not code or await self._history.get(Asker(f"{NAME}:{chat.id}", person), code):
            return None
        for guild in await self._history.guilds_with(code, f"{NAME}:-"):
            group = int(guild.removeprefix(f"{NAME}:"))
            if not await self._is_inside(group, user.id):
                continue
            moderator = await self._moderators.among(group, user.id)
            if await self._history.get(Asker(guild, person, moderator), code):
                name = await self._semilla.access.name(guild) or ""
                return Guild(guild, name), Member(person, user.full_name, moderator)
        return None

    async def _is_inside(self, group: int, user: int) -> bool:
        try:
            found = await self._bot.get_chat_member(group, user)
        except TelegramError:
            return False
        restricted = found.status == ChatMember.RESTRICTED and getattr(found, "is_member", False)
        return found.status in INSIDE or restricted
