"""What Semilla may do in a channel of Discord."""

from __future__ import annotations

from typing import Any

import discord

WANTED = ("view_channel", "send_messages", "attach_files")
WANTED_IN_THREADS = ("view_channel", "send_messages_in_threads", "attach_files")


def lacking(channel: Any, in_thread: bool) -> str:
    """The first permission that a picture in the channel, or in a thread that hangs on it, needs
    and Semilla hasn't; "" where nothing is missing that is known of."""
    if not isinstance(channel, discord.abc.GuildChannel) or channel.guild.me is None:
        return ""
    rights = channel.permissions_for(channel.guild.me)
    wanted = WANTED_IN_THREADS if in_thread else WANTED
    return next((name for name in wanted if not getattr(rights, name)), "")


def takes_pictures(channel: Any, guild: int) -> bool:
    """Whether it is a channel or thread of the guild where Semilla may show some."""
    if not isinstance(channel, discord.abc.Messageable) or _guild(channel) != guild:
        return False
    in_thread = isinstance(channel, discord.Thread)
    return not lacking(getattr(channel, "parent", channel), in_thread)


def _guild(channel: Any) -> int | None:
    return getattr(getattr(channel, "guild", None), "id", None)
