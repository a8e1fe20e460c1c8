"""What commands work with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.access import Access
from bot.config import Config
from bot.conversation import Adapter
from bot.dispatch import Dispatch
from bot.estimate import Estimate
from bot.events import Events
from db.session import Database
from generator.catalogue import Catalogue


@dataclass(frozen=True, slots=True)
class Semilla:
    """Made once, in bot/app.py. `chats`: those that are there, by their names."""

    config: Config
    access: Access
    database: Database
    catalogue: Catalogue
    estimate: Estimate
    events: Events
    dispatch: Dispatch
    chats: Mapping[str, Adapter]
