"""What Discord sends of people, servers and channels, as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

APPLICATION, BOT, OWNER = 1000, 1000, 999
GUILD, CHANNEL, ANA = 2000, 3000, 4000
FORUM, ADULTS = 3001, 3002  # other channels of the same server
Json = dict[str, Any]
EVERYTHING = str((1 << 50) - 1)
TALK = str(1 << 10 | 1 << 11 | 1 << 15 | 1 << 16 | 1 << 38)  # see, write, attach, read, in threads
MODERATORS = 5001  # a role that has every right


@dataclass(frozen=True)
class Place:
    """Where something is asked: a channel of a server, a thread (`parent`: what it hangs on), or,
    without a server, a private chat."""

    guild: int | None = GUILD
    channel: int = CHANNEL
    parent: int | None = None
    age_restricted: bool = False

    def as_json(self) -> Json:
        if self.guild is None:
            return {"id": str(self.channel), "type": 1, "flags": 0, "last_message_id": None}
        if self.parent is None:
            return channel_json(self.guild, self.channel, self.age_restricted)
        times = {"archive_timestamp": "2026-01-01T00:00:00+00:00", "auto_archive_duration": 60}
        return {
            **channel_json(self.guild, self.channel), "type": 11, "parent_id": str(self.parent),
            "owner_id": str(OWNER), "message_count": 1, "member_count": 1,
            "thread_metadata": {"archived": False, "locked": False, **times},
        }  # fmt: skip


HERE = Place()


def bot() -> Json:
    return {
        "id": str(BOT), "username": "Semilla", "discriminator": "0", "avatar": None, "bot": True,
        "global_name": None, "flags": 0, "verified": True, "mfa_enabled": False, "locale": "en-US",
    }  # fmt: skip


def application() -> Json:
    owner = {**bot(), "id": str(OWNER), "bot": False}
    return {
        "id": str(APPLICATION), "name": "Semilla", "icon": None, "description": "",
        "bot_public": True, "bot_require_code_grant": False, "verify_key": "", "owner": owner,
        "team": None, "summary": "", "flags": 0,
    }  # fmt: skip


def person(number: int) -> Json:
    name = "ana" if number == ANA else f"member{number}"
    names = {"username": name, "global_name": name.capitalize()}
    return {"id": str(number), "discriminator": "0", "avatar": None, **names}


def channel_json(guild: int = GUILD, channel: int = CHANNEL, age_restricted: bool = False) -> Json:
    return {
        "id": str(channel), "type": 0, "guild_id": str(guild), "name": "art", "position": 0,
        "permission_overwrites": [], "nsfw": age_restricted, "parent_id": None, "last_message_id": None,
        "topic": None, "rate_limit_per_user": 0, "flags": 0,
    }  # fmt: skip


def seeds() -> Json:
    """The server that the bot is in from the start."""
    forum = channel_json(GUILD, FORUM) | {"type": 15, "available_tags": []}
    return guild_json(GUILD, "Seeds", (channel_json(), forum, channel_json(GUILD, ADULTS, True)))


def role_json(role: int, name: str, rights: str) -> Json:
    return {
        "id": str(role), "name": name, "permissions": rights, "position": 0, "color": 0,
        "hoist": False, "managed": False, "mentionable": False, "flags": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
    }  # fmt: skip


def guild_json(guild: int, name: str, channels: Sequence[Json]) -> Json:
    roles = [
        role_json(guild, "@everyone", TALK), role_json(MODERATORS, "Moderators", EVERYTHING)
    ]  # fmt: skip
    me = {
        "user": bot(), "roles": [], "joined_at": "2026-01-01T00:00:00+00:00", "deaf": False,
        "mute": False, "flags": 0,
    }  # fmt: skip
    return {
        "id": str(guild), "name": name, "owner_id": str(OWNER), "roles": roles,
        "channels": list(channels), "members": [me], "threads": [], "emojis": [], "stickers": [],
        "features": [], "member_count": 2, "large": False, "premium_tier": 0, "voice_states": [],
        "presences": [], "stage_instances": [], "guild_scheduled_events": [], "unavailable": False,
        "preferred_locale": "en-US", "nsfw_level": 0, "verification_level": 0, "mfa_level": 0,
        "default_message_notifications": 0, "explicit_content_filter": 0, "system_channel_flags": 0,
        "afk_timeout": 300, "nsfw": False, "premium_progress_bar_enabled": False,
    }  # fmt: skip


def registered(number: int, command: Json) -> Json:
    return {
        "id": str(number), "application_id": str(APPLICATION), "version": "1",
        "default_member_permissions": None, "description": "", **command,
    }  # fmt: skip
