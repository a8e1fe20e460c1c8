"""What commands work with."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

from bot.access import Access
from bot.config import Config
from bot.conversation import Adapter, Reply
from bot.dispatch import Dispatch
from bot.estimate import Estimate
from bot.events import Events
from db.session import Database
from generator.catalogue import Catalogue


@dataclass(frozen=True, slots=True)
class Semilla:
    """Made once, in bot/app.py.

    Args:
        chats: those that are there, by their names.
        calls: those that are being answered.
    """

    config: Config
    access: Access
    database: Database
    catalogue: Catalogue
    estimate: Estimate
    events: Events
    dispatch: Dispatch
    chats: Mapping[str, Adapter]
    calls: set[asyncio.Task[Reply]] = field(default_factory=set)
    _turns: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary)

    def turn(self, of: str) -> asyncio.Lock:
        """Held while a member's request is accepted, or something decided, one after the other:
        what was asked for at the same moment counts for the limits, too."""
        return self._turns.setdefault(of, asyncio.Lock())
