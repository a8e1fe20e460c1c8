"""`semilla models add FILE, FOLDER or HUB-ID`: a model for Semilla, beside a running one or not."""

from __future__ import annotations

import os
import re
from pathlib import Path

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

from bot.adapters.terminal.screen import FAILED, OK, REFUSED, Screen, marked
from bot.adapters.terminal.words import CommandLine
from bot.config import Config
from bot.locales import gigabytes, say
from generator import adding
from generator.adding import Damaged, NoRoom, NothingThere, Taken, Tell
from generator.folders import EMBEDDINGS
from generator.headers import Reason, Unusable

HUB_ID = re.compile(r"[\w.-]+/[\w.-]+(?:/[\w./-]+\.safetensors)?")


class Missing(Exception):
    """Neither a file or folder here nor a name that a hub gives."""


def usage(screen: Screen) -> int:
    for key in ("terminal-models-add", "models-add-what"):
        screen.output.print(marked(say(screen.language, key)))
    return OK


def add(config: Config, line: CommandLine, screen: Screen) -> int:
    """What it adds is seen by a running Semilla within seconds."""
    if len(line.words) != 3:
        screen.say("models-add-what")
        return REFUSED
    named, folder = line.words[2], config.own_models
    try:
        with Progress(
            TextColumn("{task.description}"), BarColumn(), DownloadColumn(), console=screen.errors
        ) as progress:
            path = _add(named, folder, _teller(progress))
    except Missing:
        screen.say("models-add-missing", name=named)
        return REFUSED
    except NothingThere as nothing:
        screen.say("models-add-nothing", name=named, choices=" ".join(nothing.choices) or "—")
        return REFUSED
    except Unusable as unusable:
        reason = say(screen.language, f"unusable-{unusable.reason.value}")
        screen.say("models-add-unusable", name=named, reason=reason)
        if unusable.reason is Reason.PICKLE:
            screen.say("models-add-embedding", folder=str(folder / EMBEDDINGS[0]))
        return REFUSED
    except Taken as taken:
        screen.say("models-add-taken", name=named, file=str(taken.path))
        return REFUSED
    except NoRoom as full:
        needed, free = (gigabytes(size, screen.language) for size in (full.needed, full.free))
        screen.say("models-add-no-room", needed=needed, free=free, folder=str(folder))
        return FAILED
    except Damaged as damaged:
        screen.say("models-add-damaged", name=str(damaged))
        return FAILED
    except OSError as error:  # also whatever goes wrong with a hub
        screen.say("models-add-failed", name=named, reason=str(error).partition("\n")[0])
        return FAILED
    screen.say("models-add-done", name=path.stem if path.is_file() else path.name, file=str(path))
    return OK


def _add(named: str, folder: Path, tell: Tell) -> Path:
    source = Path(os.path.expanduser(named))
    if source.is_file():
        return adding.add_file(source, folder, tell)
    if source.is_dir():
        return adding.add_folder(source, folder, tell)
    if not HUB_ID.fullmatch(named):
        raise Missing
    from huggingface_hub.errors import (  # type: ignore[attr-defined]
        HFValidationError,
        HTTPError,
        RepositoryNotFoundError,
    )

    try:
        return adding.add_from_hub(named, folder, tell)
    except (HFValidationError, RepositoryNotFoundError):
        raise Missing from None
    except HTTPError as error:
        raise OSError(str(error)) from error


def _teller(progress: Progress) -> Tell:
    tasks = {}

    def tell(name: str, done: int, size: int) -> None:
        if name not in tasks:
            tasks[name] = progress.add_task(name, total=size)
        progress.update(tasks[name], completed=done)

    return tell
