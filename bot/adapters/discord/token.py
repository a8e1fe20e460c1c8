"""The bot's token: whether Discord takes it, what was pasted in its place, and the invitation."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any

import aiohttp
import discord

PERMISSIONS = discord.Permissions(
    view_channel=True,
    send_messages=True,
    send_messages_in_threads=True,
    attach_files=True,
    read_message_history=True,
)
PATIENCE_SECONDS = 10.0
TOKEN = re.compile(r"[\w-]{20,}\.[\w-]{5,}\.[\w-]{20,}")
# The developers' pages show these beside the token.
MISTAKEN = {
    "discord-token-application": re.compile(r"\d{15,21}"),
    "discord-token-public-key": re.compile(r"[0-9a-f]{64}"),
    "discord-token-client-secret": re.compile(r"[\w-]{32}"),
}


def taken_for(token: str) -> str:
    """The sentence for what was taken for a token; "" where that can't be seen."""
    return next((key for key, pattern in MISTAKEN.items() if pattern.fullmatch(token)), "")


def trouble(token: str) -> str:
    """The sentence for a token that Discord doesn't take."""
    return taken_for(token) or "discord-bad-token"


def clean(secret: str) -> str:
    """As it is pasted from examples, too: "Bot MTk4…"."""
    return secret.strip().removeprefix("Bot ")


def invitation(application: int) -> str:
    """The link that adds the bot to a server, with just the permissions that it needs."""
    scopes = ("bot", "applications.commands")
    return discord.utils.oauth_url(application, permissions=PERMISSIONS, scopes=scopes)


async def look(token: str) -> tuple[bool | None, str, Mapping[str, Any]]:
    """Asks Discord about a token: whether it is good (None: nobody can say), a sentence and its
    facts."""
    token = clean(token)
    if not TOKEN.fullmatch(token):
        return False, trouble(token), {}
    client = discord.Client(intents=discord.Intents.none())
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await client.login(token)
        link = invitation(client.application_id or 0)
        grant = client.application is not None and client.application.bot_require_code_grant
        key = "discord-code-grant" if grant else "discord-token-good"
        return not grant, key, {"name": str(client.user), "link": link}
    except discord.LoginFailure:
        return False, trouble(token), {}
    except (aiohttp.ClientError, discord.HTTPException, OSError):
        return None, "discord-unreachable", {}
    finally:
        await client.close()
