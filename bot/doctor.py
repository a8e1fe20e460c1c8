"""What works, what is missing, and how to get it."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import platform
import shutil
import socket
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import util
from pathlib import Path
from tempfile import TemporaryFile

from bot import card, processes
from bot.config import PLATFORMS, Config
from bot.locales import decimal, gigabytes, say

ROOM_BYTES = 2 * 10**9
OPEN_TO_ALL = 1024  # ports from here on need no right


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at, in words (Semilla's markup). `good` is None for a hint."""

    good: bool | None
    text: str


def findings(config: Config, language: str) -> Iterator[Finding]:
    """Looks at one thing after the other."""
    yield _python(language)
    yield _torch(language)
    yield _folder(config.data, language)
    yield _database(config, language)
    yield from _models(config, language)
    yield _picture_check(language)
    yield _page(config, language)
    yield from _chats(config, language)


def card_warning(language: str) -> str | None:
    """The sentence for a card that torch can't use, with the command that mends it."""
    version = card.unused()
    return say(language, "doctor-card-unused", version=version) if version else None


def port_trouble(host: str, port: int, language: str) -> str | None:
    """Why the page can't listen there, in a sentence; None when it can."""
    try:
        with socket.create_server((host, port), family=_family(host)):
            return None
    except OSError as error:
        forbidden = error.errno == errno.EACCES
        taken = error.errno == errno.EADDRINUSE or "in use" in str(error).lower()
    if not (taken or forbidden):
        return say(language, "host-not-here", host=host)
    other = str(port + 1 if OPEN_TO_ALL <= port < 65535 else 8000)
    # Windows forbids a port also while another program has it.
    key = "port-forbidden" if forbidden and port < OPEN_TO_ALL else "port-in-use"
    return say(language, key, port=str(port), other=other)


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _python(language: str) -> Finding:
    bits = struct.calcsize("P") * 8
    good = sys.version_info >= (3, 11) and bits == 64
    key = "doctor-python" if good else "doctor-python-old"
    return Finding(good, say(language, key, version=platform.python_version(), bits=str(bits)))


def _torch(language: str) -> Finding:
    build = card.torch_build()
    if build is None:
        return Finding(False, say(language, "doctor-torch-missing"))
    if warning := card_warning(language):
        return Finding(False, warning)
    key = "doctor-torch-cuda" if build.cuda and card.is_there() else "doctor-torch"
    return Finding(True, say(language, key, version=build.version, cuda=build.cuda or ""))


def _folder(data: Path, language: str) -> Finding:
    try:
        data.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=data):
            free = shutil.disk_usage(data).free
    except OSError as error:
        reason = error.strerror or str(error)
        return Finding(
            False, say(language, "doctor-folder-closed", folder=str(data), reason=reason)
        )
    key = "doctor-folder" if free > ROOM_BYTES else "doctor-folder-full"
    room = gigabytes(free, language)
    return Finding(free > ROOM_BYTES, say(language, key, folder=str(data), room=room))


def _database(config: Config, language: str) -> Finding:
    path = config.data / "semilla.db"
    if not path.exists():
        return Finding(None, say(language, "doctor-database-none"))
    from db.migrations import DatabaseNewer
    from db.session import DatabaseAway, DatabaseBroken  # after what is quick has been said

    try:
        with processes.own(config.data):
            asyncio.run(_look_into(path, config.data / "pictures"))
    except processes.Owned:
        return Finding(True, say(language, "doctor-database-used"))
    except DatabaseNewer:
        return Finding(False, say(language, "database-newer", file=str(path)))
    except DatabaseBroken as error:
        return Finding(False, say(language, "doctor-database-broken", reason=str(error)))
    except (OSError, DatabaseAway) as error:
        return Finding(False, say(language, "doctor-database-away", reason=str(error)))
    megabytes = decimal(path.stat().st_size / 10**6, language)
    return Finding(True, say(language, "doctor-database", size=megabytes))


async def _look_into(path: Path, pictures: Path) -> None:
    """Opens the database as a start would, so that what is wrong with it comes out."""
    from db.session import Database

    database = await Database.open(path, pictures)
    try:
        await database.look(whole=True)
    finally:
        await database.close()


def _models(config: Config, language: str) -> Iterator[Finding]:
    from generator.catalogue import Catalogue

    folders = config.models_folders
    catalogue = Catalogue(folders, config.data / "cache")
    try:
        catalogue.refresh(large=0)  # without hashing gigabytes, which says nothing about them
    except (OSError, KeyError, json.JSONDecodeError) as error:
        yield Finding(False, say(language, "doctor-models-broken", reason=str(error)))
        return
    names = ", ".join([*(model.name for model in catalogue.models()), *catalogue.later()])
    where = ", ".join(str(folder) for folder in folders)
    yield Finding(bool(names), say(language, "doctor-models", names=names, folders=where))
    for folder in folders:
        try:
            os.scandir(folder).close()
        except FileNotFoundError:  # it is made when there is something to put into it
            continue
        except OSError as error:
            facts = {"folder": str(folder), "reason": error.strerror or str(error)}
            yield Finding(None, say(language, "doctor-models-closed", **facts))


def _page(config: Config, language: str) -> Finding:
    web = config.web
    trouble = port_trouble(web.host, web.port, language)
    if trouble is None:
        return Finding(True, say(language, "doctor-port", port=str(web.port)))
    if owner := processes.find_owner(config.data):
        return Finding(True, say(language, "doctor-running", address=owner.address))
    return Finding(False, trouble)


def _picture_check(language: str) -> Finding:
    if util.find_spec("nudenet") is not None:
        return Finding(True, say(language, "doctor-check"))
    python = f'"{sys.executable}"' if " " in sys.executable else sys.executable
    return Finding(None, say(language, "doctor-check-none", python=python))


def _discord(config: Config, secret: str, language: str) -> Finding:
    from bot.adapters.discord import token  # takes a while, and few need it

    good, key, facts = asyncio.run(token.look(secret))
    return Finding(good, say(language, key, address=config.web.address, **facts))


def _chats(config: Config, language: str) -> Iterator[Finding]:
    address = f"{config.web.address}/connect"
    for platform_name in PLATFORMS:
        here = getattr(config, platform_name) is not None
        key = "chat-token-here" if here else "chat-token-missing"
        name, variable = platform_name.capitalize(), f"{platform_name.upper()}_TOKEN"
        text = say(language, key, name=name, variable=variable, address=address)
        yield Finding(True if here else None, text)
    if config.discord is not None:
        yield _discord(config, config.discord.get_secret_value(), language)
