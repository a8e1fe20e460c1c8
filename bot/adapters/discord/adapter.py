"""Discord as an adapter: stays connected, and delivers whatever happens on the way."""

from __future__ import annotations

import asyncio
import logging
import zlib
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any, cast

import aiohttp
import discord

from bot.adapters.discord import rendering, token
from bot.adapters.discord.client import RETRY_SECONDS, Client
from bot.adapters.discord.markup import clipped
from bot.adapters.discord.places import NAME
from bot.adapters.discord.rights import lacking, takes_pictures
from bot.commands.semilla import Semilla
from bot.conversation import Reply, Unreachable
from bot.events import Changed
from bot.locales import say
from bot.replies import answer_reply
from db.models import Answer, JobState, now

log = logging.getLogger(__name__)

# An interaction's token is good for 15 minutes; the rest is for clocks that differ.
TOKEN_LIFE = timedelta(minutes=14, seconds=30)
# Edits notify nobody: after this, the author is called by a message of its own.
LATE = timedelta(minutes=1)
OTHERS_WRITTEN = 5  # since it was asked for: the placeholder is out of sight
LOOKED_BACK = 30  # messages among which an unconfirmed send is looked for
TOKEN_REVOKED = 4004  # the gateway closes with it
NO_REPLIES = 160002  # where the channel's earlier messages may not be read
NO_ACCESS = 50001
THREAD_CLOSED = 50083  # locked, or archived where Semilla may not open it


class DiscordAdapter:
    """`settled` is set once it is known whether the token is good; `state` tells it in words:
    a sentence of the locales and its facts."""

    name = NAME

    def __init__(self, semilla: Semilla, secret: str) -> None:
        self._semilla = semilla
        self._token = token.clean(secret)
        self._client = Client(semilla)
        self.settled = asyncio.Event()
        self.state: tuple[str, Mapping[str, Any]] = ("", {})

    async def run(self) -> None:
        """Stays connected until it is cancelled. A refused token ends it: the others go on."""
        beside: list[asyncio.Task[None]] = []
        try:
            if await self._log_in():
                beside += map(asyncio.create_task, (self._announce(), self._follow_changes()))
                await self._stay_connected()
        except discord.ConnectionClosed as closed:
            log.error("Discord closed the connection for good: %s", closed)
            bad = closed.code == TOKEN_REVOKED
            key = "discord-bad-token" if bad else "discord-closed"
            self.state = (key, {"code": str(closed.code)})
        finally:
            for each in beside:
                each.cancel()
            self.settled.set()
            await self._client.close()
            self._client.in_touch.set()  # what waits for it is tried again, by the next one

    async def _log_in(self) -> bool:
        while True:
            try:
                await self._client.login(self._token)
                return True
            except discord.LoginFailure:
                log.error("Discord does not accept the token")
                self.state = (token.trouble(self._token), {})
                return False
            except (aiohttp.ClientError, discord.HTTPException, OSError) as error:
                log.warning("Discord can't be reached: %s", error)
                self.state = ("discord-unreachable", {})
                await asyncio.sleep(RETRY_SECONDS)

    async def _stay_connected(self) -> None:
        """discord.py comes back by itself, but stumbles where it has never been connected."""
        while True:
            try:
                return await self._client.connect(reconnect=True)
            except AttributeError:
                connected: Any = self._client.ws
                if connected is not None:
                    raise
                log.warning("Discord's gateway can't be reached")
                self.state = ("discord-unreachable", {})
                await asyncio.sleep(RETRY_SECONDS)

    async def _announce(self) -> None:
        await self._client.wait_until_ready()
        link = token.invitation(self._client.application_id or 0)
        facts = {"name": str(self._client.user), "servers": len(self._client.guilds), "link": link}
        self.state = ("discord-ready", facts)
        self.settled.set()

    async def _follow_changes(self) -> None:
        """A picture that is deleted leaves its message, also where it was only promised there."""
        with self._semilla.events.follow() as follower:
            async for event in follower:
                if isinstance(event, Changed):
                    try:
                        await self._show_anew(event.answer)
                    except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
                        log.warning("answer %d is not shown as it is now: %s", event.answer, error)
                    except Exception:  # One that fails keeps no other from it.
                        log.exception("answer %d is not shown as it is now", event.answer)

    async def _show_anew(self, number: int) -> None:
        """In place. What one member alone may see is out of reach, and gone with their app."""
        answer = await self._semilla.database.answers.get(number)
        if answer is None or answer.adapter != NAME or answer.private or not answer.delivered:
            return
        reply = answer_reply(answer, answer.language)
        message = await rendering.message(self._semilla, reply, self._limit(answer))
        channel = self._client.get_partial_messageable(int(answer.thread or answer.channel or 0))
        await channel.get_partial_message(int(answer.message or 0)).edit(**message.options())

    async def _connected(self) -> None:
        """Raises ConnectionError once it has ended for good: another may have taken its place."""
        await self._client.in_touch.wait()
        if self._client.is_closed():
            raise ConnectionError("no longer connected to Discord")

    async def deliver(self, answer: Answer, reply: Reply) -> None:
        """Edits the placeholder while that is possible and noticed, else calls the author; what is
        private goes to them alone."""
        await self._connected()
        await self._client.answering.shown(answer.message)
        answer = await self._semilla.database.answers.get(answer.id) or answer
        async with self._client.answering.placeholders.closing(answer.id):
            if self._noticed(answer, reply.private) and await self._edit_placeholder(answer, reply):
                return
            if reply.private:
                await self._tell_author(answer, reply)
            else:
                await self._send_late(answer, reply)

    def _noticed(self, answer: Answer, private: bool) -> bool:
        """Whether an edit is still possible and seen: soon, and before others have written much.
        Nobody need see that what they cancelled is cancelled."""
        age = now() - answer.created
        if private or all(job.state is JobState.CANCELLED for job in answer.jobs):
            return age < TOKEN_LIFE
        place, placeholder = int(answer.thread or answer.channel or 0), int(answer.message or 0)
        return age < LATE and self._client.written_since(place, placeholder) < OTHERS_WRITTEN

    async def tell(self, member: str, reply: Reply) -> None:
        """A private message. Raises Unreachable where its receiver takes none."""
        await self._connected()
        message = await rendering.message(self._semilla, reply)
        try:
            user = await self._client.fetch_user(int(member.removeprefix(f"{NAME}:")))
            view = message.view or discord.utils.MISSING
            await user.send(message.content, files=message.uploads(), view=view)
        except (discord.Forbidden, discord.NotFound) as error:
            raise Unreachable(member) from error

    async def post(self, guild: str, channel: str, reply: Reply) -> None:
        """Silently, into a channel of the server that moderators read. Raises Unreachable."""
        await self._connected()
        message = await rendering.message(self._semilla, reply)
        try:
            number = int(channel)
            place: Any = self._client.get_channel(number) or await self._client.fetch_channel(
                number
            )
            if not takes_pictures(place, int(guild.removeprefix(f"{NAME}:"))):
                raise Unreachable(channel)
            await place.send(
                message.content,
                files=message.uploads(),
                view=message.view or discord.utils.MISSING,
                silent=True,
            )
        except (ValueError, discord.Forbidden, discord.NotFound, discord.InvalidData) as error:
            raise Unreachable(channel) from error

    async def _edit_placeholder(self, answer: Answer, reply: Reply) -> bool:
        """With the interaction's token; False when it or the message is out of reach."""
        if not (answer.message and answer.token):
            return False
        webhook = discord.Webhook.partial(
            self._client.application_id or 0, answer.token, client=self._client
        )
        message = await rendering.message(self._semilla, reply, self._limit(answer))
        try:
            await webhook.edit_message(int(answer.message), **message.options())
        except discord.HTTPException as error:
            if _may_pass(error):
                raise
            return False
        return True

    async def _send_late(self, answer: Answer, reply: Reply) -> None:
        """As a reply that calls its author; the placeholder becomes a link to it."""
        place = int(answer.thread or answer.channel or 0)
        channel = self._client.get_partial_messageable(place, guild_id=_server(answer))
        message = await rendering.message(self._semilla, reply, self._limit(answer))
        content = _calling(answer, message, len(reply.pictures))
        try:
            sent = await self._find_sent(channel, content)
            sent = sent or await self._send(channel, answer, message, content)
        except discord.HTTPException as error:
            if not (why := self._why_not(answer, error)):
                raise
            if not await self._edit_placeholder(answer, reply):
                await self._tell_instead(channel, answer, why)
            return
        text = say(answer.language, "discord-moved", link=sent.jump_url)
        if answer.message not in (None, "", str(sent.id)):
            with suppress(discord.HTTPException):
                placeholder = channel.get_partial_message(int(answer.message))
                await placeholder.edit(content=text, view=None, attachments=[])
        await self._semilla.database.answers.set_message(answer.id, str(sent.id))

    async def _find_sent(
        self, channel: discord.PartialMessageable, content: str
    ) -> discord.Message | None:
        """The message that a send of before has left, if its confirmation was lost."""
        with suppress(discord.Forbidden):
            async for message in channel.history(limit=LOOKED_BACK):
                own = message.author.id == getattr(self._client.user, "id", 0)
                if own and message.content.strip() == content.strip():
                    return message
        return None

    async def _send(
        self,
        channel: discord.PartialMessageable,
        answer: Answer,
        message: rendering.Message,
        content: str,
    ) -> discord.Message:
        send = partial(self._send_calling, channel, answer, message, content)
        try:
            return await send(_reference(answer))
        except discord.HTTPException as error:
            if error.code != NO_REPLIES:
                raise
            return await send(None)

    async def _send_calling(
        self,
        channel: discord.PartialMessageable,
        answer: Answer,
        message: rendering.Message,
        content: str,
        reference: discord.MessageReference | None,
    ) -> discord.Message:
        return await channel.send(
            content,
            files=message.uploads(),
            nonce=_nonce(answer, message),
            reference=cast(Any, reference),  # None is fine at run time
            mention_author=False,
            allowed_mentions=discord.AllowedMentions(
                users=[discord.Object(_author(answer))], replied_user=False
            ),
            view=message.view or discord.utils.MISSING,
        )

    def _why_not(self, answer: Answer, error: discord.HTTPException) -> str:
        """Why nothing can be sent there, in words; "" for what may pass, or is the bot's own token."""
        language, server = answer.language, _server(answer)
        if _may_pass(error) or error.status == 401:
            return ""
        if error.status == 404 or (server and self._client.get_guild(server) is None):
            return say(language, "discord-channel-gone")
        if error.code == THREAD_CLOSED:
            return say(language, "discord-thread-closed")
        # For a thread it is the channel that it hangs on whose permissions count.
        channel = self._client.get_channel(int(answer.channel or 0))
        name = f"#{getattr(channel, 'name', answer.channel)}"
        missing = lacking(channel, in_thread=bool(answer.thread))
        if not missing and error.code == NO_ACCESS:
            missing = "view_channel"
        if not missing:
            return say(language, "discord-not-sent", channel=name)
        permission = say(language, f"discord-permission-{missing.replace('_', '-')}")
        return say(language, "discord-no-permission", channel=name, permission=permission)

    async def _tell_instead(
        self, channel: discord.PartialMessageable, answer: Answer, why: str
    ) -> None:
        """In private, or where its author takes no messages in place of the placeholder: what is
        one's own can be edited where nothing can be sent."""
        if not await self._tell_author(answer, Reply(text=why)) and answer.message:
            with suppress(discord.HTTPException):
                placeholder = channel.get_partial_message(int(answer.message))
                await placeholder.edit(content=why, view=None, attachments=[])

    async def _tell_author(self, answer: Answer, reply: Reply) -> bool:
        """Where a member takes no messages, the picture is still in the history."""
        try:
            await self.tell(answer.member, reply)
        except Unreachable:
            log.warning("answer %d: its author takes no messages", answer.id)
            return False
        return True

    def _limit(self, answer: Answer) -> int:
        guild = self._client.get_guild(int(answer.guild.removeprefix(f"{NAME}:")))
        return guild.filesize_limit if guild else rendering.FILE_BYTES


def _calling(answer: Answer, message: rendering.Message, pictures: int) -> str:
    """What a message with so many pictures says, with a call to its author before it."""
    facts = {"mention": f"<@{_author(answer)}>", "pictures": pictures}
    call = say(answer.language, "discord-late", **facts)
    return clipped(f"{call}\n{message.content}")


def _author(answer: Answer) -> int:
    return int(answer.member.removeprefix(f"{NAME}:"))


def _may_pass(error: discord.HTTPException) -> bool:
    """Whether Discord may take it later. What it has refused it would refuse for ever."""
    return error.status == 429 or error.status >= 500


def _nonce(answer: Answer, message: rendering.Message) -> str:
    """The same for each try of one send; another where an answer has come to show something else,
    since Discord would give the message of before for it."""
    names = [name for name, _, _ in message.files]
    shown = zlib.crc32("\n".join((message.content, *names)).encode())
    return f"{answer.id}-{shown:08x}"


def _server(answer: Answer) -> int | None:
    """None for a private chat, which is a guild of one."""
    private = answer.guild == answer.member
    return None if private else int(answer.guild.removeprefix(f"{NAME}:"))


def _reference(answer: Answer) -> discord.MessageReference | None:
    if not answer.message:
        return None
    return discord.MessageReference(
        message_id=int(answer.message),
        channel_id=int(answer.thread or answer.channel),
        fail_if_not_exists=False,
    )
