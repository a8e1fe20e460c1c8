"""The composition root: the only place that builds things."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from bot import housekeeping, watch
from bot.access import Access
from bot.commands.semilla import Semilla
from bot.config import Config
from bot.conversation import Adapter, Reply
from bot.delivery import Delivery
from bot.dispatch import Dispatch
from bot.estimate import Estimate
from bot.events import Events
from bot.holding import Holding
from db.session import Database
from generator.catalogue import Catalogue
from generator.client import LocalGenerator


@dataclass(frozen=True, slots=True)
class App:
    """An opened data folder with its queue and generator. One process owns a data folder."""

    semilla: Semilla
    _chats: dict[str, Adapter]
    _coming: asyncio.Queue[Adapter] = field(default_factory=asyncio.Queue)

    def add(self, adapter: Adapter) -> None:
        """One more chat, before `serve` or while it runs; it replaces the one of its name."""
        self._coming.put_nowait(adapter)

    @classmethod
    @asynccontextmanager
    async def open(cls, config: Config) -> AsyncIterator[App]:
        async with AsyncExitStack() as stack:
            storage = config.data / "pictures"
            database = await Database.open(config.data / "semilla.db", storage)
            stack.push_async_callback(database.close)
            generator = _generator(config)
            stack.push_async_callback(generator.close)
            events, estimate = Events(), Estimate()
            catalogue = Catalogue(config.models_folders, config.data / "cache")
            stack.callback(catalogue.close)
            # Large ones that nobody has hashed yet are left to housekeeping: it may take minutes.
            await asyncio.to_thread(catalogue.refresh, large=0)
            holding = Holding(database, events, catalogue)
            dispatch = Dispatch(database, generator, estimate, events, holding)
            dispatch.paused = await database.settings.drawing_is_paused()
            chats: dict[str, Adapter] = {}
            semilla = Semilla(
                config=config,
                access=Access(config.access, database.access, events, config.language),
                database=database,
                catalogue=catalogue,
                estimate=estimate,
                events=events,
                dispatch=dispatch,
                chats=chats,
            )
            stack.push_async_callback(_leave, semilla.calls)
            yield cls(semilla, chats)

    async def serve(self, adapters: Sequence[Adapter]) -> None:
        """Runs everything until it is cancelled; a part that fails by itself stops all."""
        _set_apart()
        semilla, named = self.semilla, self._chats
        named.update({adapter.name: adapter for adapter in adapters})
        delivery = Delivery(semilla.database, semilla.events, named, semilla.config.language)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(delivery.run(), name="delivery")
            tasks.create_task(semilla.dispatch.run(), name="dispatch")
            tasks.create_task(
                housekeeping.run(semilla, with_page="web" in named), name="housekeeping"
            )
            tasks.create_task(watch.run(semilla, named), name="watch")
            for adapter in adapters:
                tasks.create_task(adapter.run(), name=adapter.name)
            tasks.create_task(self._take_in(tasks, delivery), name="chats")

    async def _take_in(self, tasks: asyncio.TaskGroup, delivery: Delivery) -> None:
        running: dict[str, asyncio.Task[None]] = {}
        while True:
            adapter = await self._coming.get()
            if before := running.pop(adapter.name, None):
                before.cancel()
                await asyncio.wait([before])
            self._chats[adapter.name] = adapter
            running[adapter.name] = tasks.create_task(adapter.run(), name=adapter.name)
            await delivery.catch_up(tasks)


def _set_apart() -> None:
    """What has been built until now stays: a full search for garbage would go through all of it
    again and again, and everybody would wait meanwhile."""
    gc.freeze()
    gc.enable()


async def _leave(calls: Collection[asyncio.Task[Reply]]) -> None:
    """Nobody is there any more to be answered; what was accepted is in the database."""
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)


def _generator(config: Config) -> LocalGenerator:
    settings = config.generator
    return LocalGenerator(
        models_folders=config.models_folders,
        cache=config.data / "cache",
        threads=settings.threads,
        device=settings.device,
        preview_every=settings.preview_every,
        compiled=settings.compiled,
        rest_minutes=settings.rest_minutes,
    )
