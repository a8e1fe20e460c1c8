"""`semilla …`: Semilla itself, or one command of it from a terminal.

Imports are inside the functions that need them: handing a command line to the owner of the data
folder takes a tenth of the time that opening a database and a generator does.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import time
import webbrowser
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import metadata
from typing import TYPE_CHECKING

from rich.text import Text

from bot import archive, doctor, logs, processes, usage
from bot import config as settings
from bot.adapters.terminal import client, words
from bot.adapters.terminal.messages import Request
from bot.adapters.terminal.screen import FAILED, OK, REFUSED, Screen, marked
from bot.adapters.terminal.words import BadWords, CommandLine
from bot.config import PLATFORMS, Config, ConfigError
from bot.locales import gigabytes, say

if TYPE_CHECKING:
    from bot.adapters.web.adapter import WebAdapter
    from bot.app import App
    from bot.chats import Chats
    from generator.catalogue import Catalogue

log = logging.getLogger(__name__)

INTERRUPTED = 130  # as shells have it: 128 + SIGINT
PATIENCE_SECONDS = 60.0  # for another command to be done with the data folder
LOOK_EVERY_SECONDS = 0.2
SIGNS = {True: ("✓", "green"), False: ("✗", "red"), None: ("·", "dim")}


class Ended(Exception):
    """Nothing more can be done: a sentence of the locales that says why, and its facts."""

    def __init__(self, key: str, **facts: str) -> None:
        super().__init__(key)
        self.key = key
        self.facts = facts


def main(arguments: list[str] | None = None) -> int:
    """Runs a command line; gives its exit code: 0, 1 for a fault or failure, 2 for a refusal."""
    screen = Screen(settings.system_language() or "en")
    try:
        return _run(sys.argv[1:] if arguments is None else arguments, screen)
    except BadWords as bad:
        screen.say(bad.key, **bad.facts)
        return REFUSED
    except ConfigError as error:
        screen.errors.print(error.text(screen.language), markup=False)
        return REFUSED
    except Ended as ended:
        screen.say(ended.key, **ended.facts)
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED


def _run(arguments: list[str], screen: Screen) -> int:
    line = words.read(arguments)
    screen.language = line.language or screen.language
    if "--version" in line.words[:1]:
        screen.output.print(f"Semilla {metadata.version('semilla')}")
        return OK
    first = line.words[0].casefold() if line.words else ""
    own = first in OWN and first != "models"
    _check(line.words, first, own)
    if not first or (line.help and own):
        return usage.everything(screen)
    if line.help:
        return usage.of_command(line.words, screen)
    config = settings.load()
    if line.language is None and settings.system_language() is None:
        screen.language = config.language
    _log_into(config)
    try:
        return OWN.get(first, _answer)(config, line, screen)
    except (Ended, BadWords, ConfigError):
        raise
    except Exception:  # Ours to mend, whatever it is: a sentence here, all of it in the log.
        log.exception("semilla %s", first)
        raise Ended("terminal-fault", file=str(config.data / "semilla.log")) from None


def _check(typed: tuple[str, ...], first: str, own: bool) -> None:
    """Raises BadWords for flags that Semilla hasn't, and words that go with none of its own
    commands."""
    others = [word for word in typed if word != OWN_FLAG.get(first)]
    flags = [word for word in others if word.startswith("-")]
    if flags and (own or flags[0] == typed[0]):
        raise BadWords("terminal-flag-unknown", flag=flags[0])
    if first in ALONE and len(others) > 1:
        raise BadWords("terminal-word-unknown", command=first, word=others[1])


def _log_into(config: Config) -> None:
    """Raises Ended when nothing can be written into the data folder."""
    tokens = (getattr(config, platform) for platform in PLATFORMS)
    secrets = [token.get_secret_value() for token in tokens if token is not None]
    try:
        processes.make_private(config.data)
        logs.write_into(config.data / "semilla.log", secrets)
    except OSError as error:
        reason = error.strerror or str(error)
        raise Ended("doctor-folder-closed", folder=str(config.data), reason=reason) from error


def _answer(config: Config, line: CommandLine, screen: Screen) -> int:
    """A declared command: handed to the owner of the data folder, or answered as its owner."""
    image = words.read_image(line.image) if line.image else None
    user = processes.user()
    request = Request(
        words=tuple(word.encode(errors="ignore").decode() for word in line.words),  # may be no text
        language=screen.language,
        member=f"terminal:{user}",
        name=user,
        image=image,
    )
    deadline, told = time.monotonic() + PATIENCE_SECONDS, False
    while time.monotonic() < deadline:
        with suppress(processes.Owned), processes.own(config.data):
            asyncio.run(_answer_as_owner(config, request, screen))
            return screen.finish(line.output)
        owner = processes.find_owner(config.data)
        with suppress(client.OwnerGone):
            if owner is not None:
                _hand_over(owner, request, screen)
                return screen.finish(line.output)
        if not told:
            screen.say("terminal-waiting")
            told = True
        time.sleep(LOOK_EVERY_SECONDS)
    raise Ended("terminal-busy")


def _hand_over(owner: processes.Owner, request: Request, screen: Screen) -> None:
    """Raises OwnerGone, and KeyboardInterrupt after the answer has been cancelled."""
    try:
        with screen.live():
            for message in client.send(owner, request):
                screen.take(message)
    except client.OwnerStopped:
        raise Ended("terminal-stopped") from None
    except client.TooLarge:
        raise Ended("web-too-large") from None
    except KeyboardInterrupt:
        if screen.answer is not None:
            client.cancel(owner, request, screen.answer)
            screen.say("terminal-cancelled")
        raise


@contextmanager
def _told(config: Config) -> Iterator[None]:
    """A database that can't be opened ends the command in words."""
    from db.migrations import DatabaseNewer
    from db.session import DatabaseAway, DatabaseBroken

    try:
        yield
    except DatabaseNewer:
        raise Ended("database-newer", file=str(config.data / "semilla.db")) from None
    except DatabaseBroken as error:
        log.exception("the database can't be opened")
        raise Ended("doctor-database-broken", reason=str(error)) from None
    except DatabaseAway as error:
        raise Ended("doctor-database-away", reason=str(error)) from None


async def _answer_as_owner(config: Config, request: Request, screen: Screen) -> None:
    from bot.adapters.terminal import service
    from bot.app import App

    with _told(config):
        async with App.open(config) as app:
            await _read_models(app.semilla.catalogue, screen)
            serving = asyncio.create_task(app.serve([service.Terminal()]))
            answering = asyncio.create_task(_follow(app, request, screen))
            try:
                await asyncio.wait({serving, answering}, return_when=asyncio.FIRST_COMPLETED)
                if serving.done():
                    serving.result()
                await answering
            finally:
                await _stop(answering, serving)
                if screen.answer is not None:
                    await service.cancel(app.semilla, screen.answer)
                    screen.say("terminal-cancelled")


async def _read_models(catalogue: Catalogue, screen: Screen) -> None:
    """All of them: the command may name any."""
    if later := catalogue.later():
        size = gigabytes(sum(later.values()), screen.language)
        screen.say("terminal-reading", count=len(later), size=size)
    await asyncio.to_thread(catalogue.refresh)


async def _follow(app: App, request: Request, screen: Screen) -> None:
    from bot.adapters.terminal import service

    with screen.live():
        async for message in service.converse(app.semilla, request):
            screen.take(message)


async def _stop(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


def _serve(config: Config, line: CommandLine, screen: Screen) -> int:
    """Semilla itself, until it is stopped."""
    if warning := doctor.card_warning(screen.language):
        screen.errors.print(marked(warning))
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        with suppress(processes.Owned), processes.own(config.data):
            if trouble := doctor.port_trouble(config.web.host, config.web.port, screen.language):
                screen.errors.print(marked(trouble))
                return FAILED
            asyncio.run(_serve_as_owner(config, screen, opens="--open" in line.words))
            return OK
        if owner := processes.find_owner(config.data):
            raise Ended("run-already", address=owner.address)
        time.sleep(LOOK_EVERY_SECONDS)
    raise Ended("terminal-busy")


def _serve_class(config: Config, line: CommandLine, screen: Screen) -> int:
    web = config.web.model_copy(update={"open_to_class": True})
    return _serve(config.model_copy(update={"web": web}), line, screen)


async def _serve_as_owner(config: Config, screen: Screen, opens: bool) -> None:
    from bot.adapters.telegram import webhook
    from bot.adapters.terminal import service
    from bot.adapters.web import health
    from bot.adapters.web.adapter import PortInUse, WebAdapter
    from bot.adapters.web.rooms import NoNetwork
    from bot.app import App
    from bot.chats import Chats

    with _told(config):
        async with App.open(config) as app:
            chats = Chats(app)
            hook = webhook.route(chats.telegram)
            routes = [*service.routes(app.semilla), *health.routes(app.semilla), hook]
            web = WebAdapter(app.semilla, config, routes, chats)
            chats.begin()
            serving = asyncio.create_task(app.serve([web, service.Terminal()]))
            greeting = asyncio.create_task(_greet(app, web, chats, screen, opens))
            with processes.on_stop(serving.cancel):
                try:
                    await serving
                except asyncio.CancelledError:
                    screen.say("run-stopped")
                except ExceptionGroup as parts:  # one of what serves has failed by itself
                    if parts.subgroup(NoNetwork):
                        raise Ended("run-no-network") from None
                    if parts.subgroup(PortInUse):
                        raise Ended("web-port-in-use", port=str(config.web.port)) from None
                    raise
                finally:
                    await _stop(greeting, serving)


async def _greet(
    app: App,
    web: WebAdapter,
    chats: Chats,
    screen: Screen,
    opens: bool,
) -> None:
    """Once the page answers: where it is, and what is missing for the other chats."""
    await web.started.wait()
    config = app.semilla.config
    processes.want_files()
    processes.announce(config.data, web.address)
    lines = [say(screen.language, "run-address", address=web.moderator_address)]
    if web.room.is_open:
        address = f"http://{web.room.address}"
        lines.append(say(screen.language, "run-class", address=address, code=web.room.code))
    for platform in (each for each in PLATFORMS if each not in chats.running):
        facts = {"name": platform.capitalize(), "variable": f"{platform.upper()}_TOKEN"}
        lines.append(
            say(screen.language, "chat-token-missing", address=f"{web.address}/connect", **facts)
        )
    if chats.running and not config.access.open:
        lines.append(say(screen.language, "run-access", code=app.semilla.access.code))
    if app.semilla.dispatch.paused:
        lines.append(say(screen.language, "run-paused"))
    lines.append(say(screen.language, "run-stop"))
    for line in lines:
        screen.output.print(marked(line))
    if opens:
        await asyncio.to_thread(webbrowser.open, web.moderator_address)
    for platform in chats.running:
        sentence, known = await chats.state(platform)
        if sentence:
            text = say(screen.language, sentence, **{"address": web.address, **known})
            screen.output.print(marked(text))
    while await web.sessions.redeemed.wait():  # an address is good for one browser
        web.sessions.redeemed.clear()
        text = say(screen.language, "run-next-address", address=web.moderator_address)
        screen.output.print(marked(text))


def _examine(config: Config, line: CommandLine, screen: Screen) -> int:
    """`semilla doctor`: 1 when something stands in the way."""
    good = True
    for finding in doctor.findings(config, screen.language):
        sign, colour = SIGNS[finding.good]
        screen.output.print(Text.assemble((f"{sign} ", colour), marked(finding.text)))
        good = good and finding.good is not False
    return OK if good else FAILED


def _models(config: Config, line: CommandLine, screen: Screen) -> int:
    """`semilla models` is a declared command, `semilla models add …` the terminal's own."""
    if line.words[1:2] != ("add",):
        return _answer(config, line, screen)
    from bot import models

    return models.add(config, line, screen)


OWN: Mapping[str, Callable[[Config, CommandLine, Screen], int]] = {
    "run": _serve,
    "doctor": _examine,
    "class": _serve_class,
    "clase": _serve_class,
    "backup": archive.back_up,
    "models": _models,
    "restore": archive.restore,
}
ALONE = ("run", "doctor", "class", "clase")
OWN_FLAG = dict.fromkeys(("run", "class", "clase"), "--open")
