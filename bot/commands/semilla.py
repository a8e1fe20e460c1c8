"""What commands work with."""

from __future__ import annotations

from dataclasses import dataclass

from bot.access import Access
from bot.config import Config
from bot.dispatch import Dispatch
from bot.estimate import Estimate
from bot.events import Events
from db.session import Database
from generator.catalogue import Catalogue


@dataclass(frozen=True, slots=True)
class Semilla:
    """Made once, in bot/app.py."""

    config: Config
    access: Access
    database: Database
    catalogue: Catalogue
    estimate: Estimate
    events: Events
    dispatch: Dispatch
