"""Where a call comes from: Discord's servers, channels and people in Semilla's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import discord

from bot.conversation import Call, Guild, Member

NAME = "discord"
LANGUAGE_OF_LOCALE = {"es": "es", "en": "en"}


def call_of(
    interaction: discord.Interaction[Any], command: str, options: Mapping[str, str], language: str
) -> Call:
    """One use of a command, to be answered in the place where the interaction came from."""
    channel, thread = place_of(interaction)
    return Call(
        origin=f"{NAME}:{interaction.id}",
        adapter=NAME,
        guild=guild_of(interaction),
        member=member_of(interaction),
        language=language,
        command=command,
        options=options,
        channel=channel,
        thread=thread,
        token=interaction.token,
        age_restricted=age_restricted(interaction),
        here=f"<#{thread or channel}>",
    )


def guild_of(interaction: discord.Interaction[Any]) -> Guild:
    """The server, or for a private chat a guild of one."""
    if interaction.guild_id is None:
        return Guild(f"{NAME}:{interaction.user.id}", private=True)
    name = interaction.guild.name if interaction.guild else ""
    return Guild(f"{NAME}:{interaction.guild_id}", name)


def member_of(interaction: discord.Interaction[Any]) -> Member:
    """Whoever may manage messages or the server in all of it moderates Semilla there: what a
    channel allows besides (`interaction.permissions`) says nothing of the others."""
    user = interaction.user
    rights = getattr(user, "guild_permissions", discord.Permissions.none())
    roles = tuple(str(role.id) for role in getattr(user, "roles", ()))
    moderator = rights.manage_guild or rights.manage_messages or rights.administrator
    return Member(f"{NAME}:{user.id}", user.display_name, moderator, roles)


def language_of(interaction: discord.Interaction[Any], usual: str) -> str:
    """The member's own language, else the server's, else what Semilla is set to."""
    for locale in (interaction.locale, interaction.guild_locale):
        language = LANGUAGE_OF_LOCALE.get(str(locale or "")[:2])
        if language:
            return language
    return usual


def place_of(interaction: discord.Interaction[Any]) -> tuple[str, str]:
    """Channel and thread, as ids; the channel of a thread is the one that it hangs on."""
    channel = interaction.channel
    if isinstance(channel, discord.Thread):
        return str(channel.parent_id), str(channel.id)
    return str(interaction.channel_id or ""), ""


def age_restricted(interaction: discord.Interaction[Any]) -> bool:
    is_nsfw = getattr(interaction.channel, "is_nsfw", None)
    return bool(is_nsfw()) if is_nsfw else False
