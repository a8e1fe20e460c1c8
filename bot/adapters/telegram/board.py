"""A busy group: finished pictures go out together, and one live message shows who waits."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from telegram import Message
from telegram.error import TelegramError

from bot.adapters.telegram import keyboards, rendering
from bot.adapters.telegram.pace import Closed, Urgency
from bot.adapters.telegram.places import asked_in
from bot.conversation import Button, Call, Reply, Shown
from bot.locales import escape, say
from bot.sheets import SHEET_PICTURES
from db.models import Answer

if TYPE_CHECKING:
    from bot.adapters.telegram.chats import Chats

log = logging.getLogger(__name__)

FEW = 3  # that wait: until then each answer is a message of its own
# In minutes: how long a sheet is filled, after which wait the live message comes, and how often it
# changes.
FILLED, FIRST_TOLD, TOLD = 0.1, 1 / 12, 1 / 6
TOLD_RESERVE = 6  # calls that the live message leaves to the others
TOLD_NAMES = 8


@dataclass(frozen=True, slots=True, eq=False)
class Finished:
    answer: Answer
    reply: Reply
    since: float
    out: asyncio.Future[None]


class Board:
    """Of one group, or of one topic in it."""

    def __init__(self, chats: Chats, chat: int, topic: str) -> None:
        self._chats = chats
        self._chat = chat
        self._topic = topic
        self._finished: list[Finished] = []
        self._expected: dict[int, Call] = {}
        self._live: Message | None = None
        self._nobody = asyncio.Event()
        self._running = self._telling = False

    def expect(self, answer: int, call: Call) -> None:
        self._expected[answer] = call
        self._nobody.clear()
        if not self._telling:
            self._telling = True
            self._chats.start(self._tell())

    async def put(self, answer: Answer, reply: Reply) -> None:
        """Returns when it is out. An exception means: it isn't."""
        loop = asyncio.get_running_loop()
        finished = Finished(answer, reply, loop.time(), loop.create_future())
        self._finished.append(finished)
        if not self._running:
            self._running = True
            self._chats.start(self._send_all())
        try:
            await finished.out
        finally:
            if finished in self._finished:
                self._finished.remove(finished)

    def done(self, answer: int) -> None:
        """Nobody waits for it any more, however it was delivered."""
        self._expected.pop(answer, None)
        if not self._expected:
            self._nobody.set()

    async def close(self) -> None:
        """What has finished is sent by the next connection."""
        for each in self._finished:
            if not each.out.done():
                each.out.set_exception(Closed())
        await self._remove_live()

    def move_to(self, other: Board) -> None:
        """The group has another id now: who waits, waits there. The live message stays behind."""
        for answer, call in self._expected.items():
            other.expect(answer, call)
        self._expected.clear()
        self._nobody.set()
        self._live = None

    async def _send_all(self) -> None:
        try:
            while self._finished:
                await self._fill()
                await self._send_some()
        finally:
            self._running = False

    async def _fill(self) -> None:
        """A sheet is worth waiting for, where there are not enough calls for single pictures."""
        pictures = sum(len(each.reply.pictures) for each in self._finished)
        if self._chats.calm(self._chat) and len(self._finished) <= FEW:
            return
        loop = asyncio.get_running_loop()
        until = self._finished[0].since + FILLED * self._chats.minute
        while pictures < SHEET_PICTURES and self._finished and loop.time() < until:
            await asyncio.sleep(FILLED * self._chats.minute / 10)
            pictures = sum(len(each.reply.pictures) for each in self._finished)

    async def _send_some(self) -> None:
        batch: list[Finished] = []

        async def make() -> None:
            if not batch:  # what has come until the group may be sent something
                batch.extend(self._next())
            if batch:
                await self._send(batch)

        try:
            await self._chats.pace(self._chat).call(Urgency.PICTURE, make)
        except Exception as error:  # noqa: BLE001 — each of them is tried again by itself
            for each in (finished for finished in batch if not finished.out.done()):
                each.out.set_exception(error)
        for each in (finished for finished in batch if not finished.out.done()):
            each.out.set_result(None)

    def _next(self) -> list[Finished]:
        """Those that go out together: in order, as many pictures as a sheet has."""
        if self._chats.calm(self._chat) and len(self._finished) <= FEW:
            taken = self._finished[:1]
        else:
            taken, pictures = [], 0
            for each in self._finished:
                pictures += len(each.reply.pictures)
                if taken and pictures > SHEET_PICTURES:
                    break
                taken.append(each)
        self._finished = self._finished[len(taken) :]
        return taken

    async def _send(self, batch: list[Finished]) -> None:
        """Inside the turn that the group has given."""
        answer = batch[0].answer
        if len(batch) == 1:
            message = await rendering.message(self._chats.semilla, batch[0].reply, answer.language)
            to = asked_in(answer)
        else:
            message, to = await self._sheet(batch), None
        loud = any(self._chats.late(each.answer) for each in batch)
        await self._chats.send_in_turn(self._chat, message, self._topic, to, loud)

    async def _sheet(self, batch: list[Finished]) -> rendering.Message:
        shown: list[tuple[Shown, str]] = [
            (picture, each.answer.member_name) for each in batch for picture in each.reply.pictures
        ]
        told = [
            f"{escape(each.answer.member_name)}: {each.reply.text}"
            for each in batch
            if each.reply.text
        ]
        beside = tuple(
            (Button(f"{button.label} · {each.answer.member_name}", button.line),)
            for each in batch
            for row in each.reply.buttons
            for button in row
        )
        if not shown:
            return rendering.plain("\n".join(told), keyboards.keyboard(Reply(buttons=beside)))
        language = batch[0].answer.language
        return await rendering.sheet(self._chats.semilla, shown, told, beside, language)

    async def _tell(self) -> None:
        """Keeps the live message as it is, while somebody waits."""
        before = ""
        try:
            await asyncio.sleep(FIRST_TOLD * self._chats.minute)
            while self._expected:
                text = self._waiting()
                if text != before and self._chats.pace(self._chat).spare > TOLD_RESERVE:
                    before = text
                    await self._show_live(text)
                with suppress(TimeoutError):
                    async with asyncio.timeout(TOLD * self._chats.minute):
                        await self._nobody.wait()
                await self._drop_erased()
        finally:
            self._telling = False
            await self._remove_live()

    async def _drop_erased(self) -> None:
        """What its member has had erased is never delivered: the row is gone, or empty and done."""
        for number in list(self._expected):
            answer = await self._chats.semilla.database.answers.get(number)
            if answer is None or answer.delivered is not None:
                self.done(number)

    def _waiting(self) -> str:
        calls = list(self._expected.values())
        names = Counter(call.member.name for call in calls).most_common(TOLD_NAMES)
        told = ", ".join(f"{name} ×{n}" if n > 1 else name for name, n in names)
        return say(calls[0].language, "telegram-waiting", count=len(calls), names=told)

    async def _show_live(self, text: str) -> None:
        language = next(iter(self._expected.values())).language
        mine = Button(say(language, "button-cancel-mine"), "/cancel")
        message = rendering.plain(text, keyboards.keyboard(Reply(buttons=((mine,),))))
        with suppress(TelegramError):  # the next one tells more
            if self._live is None:
                self._live = await self._chats.send(
                    self._chat, message, topic=self._topic, urgency=Urgency.PLACE
                )
            else:
                await self._chats.edit_text(
                    self._chat, self._live.message_id, message, Urgency.PLACE
                )

    async def _remove_live(self) -> None:
        if self._live is not None:
            live, self._live = self._live, None
            await self._chats.remove(self._chat, live.message_id)
