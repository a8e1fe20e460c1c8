"""What a command line shows: progress on stderr, the reply on stdout, refusals on stderr."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from io import TextIOWrapper
from pathlib import Path
from typing import Protocol, TextIO

from rich.console import Console
from rich.progress import BarColumn, SpinnerColumn, TextColumn
from rich.progress import Progress as RichProgress
from rich.table import Table
from rich.text import Text

from bot.adapters.terminal.messages import Drawing, Message, Progress, Result
from bot.locales import say

MARKS = re.compile(r"\\([\\*`])|\*\*((?:\\.|[^\\])+?)\*\*|`((?:\\.|[^\\`])+?)`", re.DOTALL)
WORDS = re.compile(r'(?:[^\s"]|"(?:\\.|[^"\\])*"?)+')  # what is in quotes is of one word
GIVEN = re.compile(r'^([^\W\d][\w-]*):"([^"]+)"$')
PLAIN = re.compile(r"[\w:.=+-]+")
EXPANDED = re.compile(r'[$`%"“”„\\\n]')  # within double quotes, by cmd or by PowerShell
OK, FAILED, REFUSED = 0, 1, 2
EXIT_CODES = {"refused": REFUSED, "fault": FAILED}


class Screen:
    """Two streams, because what is written on the first may be read by another program."""

    def __init__(self, language: str) -> None:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, TextIOWrapper):  # a Windows code page has no 🌱
                stream.reconfigure(errors="replace")
        self.language = language
        self.output = _console(sys.stdout)
        self.errors = _console(sys.stderr, stderr=True)
        self.answer: int | None = None  # the accepted one that is being waited for
        self._view: View = Lines(self.errors)
        self._result: Result | None = None

    def say(self, key: str, **facts: object) -> None:
        """A sentence on stderr."""
        self.errors.print(marked(say(self.language, key, **facts)))

    @contextmanager
    def live(self) -> Iterator[None]:
        """While messages come."""
        self._view = Bar(self.errors) if self.errors.is_terminal else Lines(self.errors)
        with self._view.opened():
            yield

    def take(self, message: Message) -> None:
        if isinstance(message, Progress):
            self.answer = message.answer
            self._view.show(message)
        else:
            self.answer, self._result = None, message

    def finish(self, output: Path | None) -> int:
        """Shows the result and writes its pictures; gives the exit code."""
        return FAILED if self._result is None else self._finish(self._result, output)

    def _finish(self, result: Result, output: Path | None) -> int:
        code = EXIT_CODES.get(result.tone, OK if result.complete else FAILED)
        console = self.output if code == OK else self.errors
        if result.text:
            console.print(marked(result.text))
        for label, value in result.fields:
            console.print(Text.assemble((f"{label}: ", "bold"), value))
        try:
            self._pictures(result, output)
        except OSError as error:
            self.say("terminal-not-written", file=str(output), reason=error.strerror or str(error))
            code = FAILED
        for label, line in result.lines:
            if command := shell_line(line):
                text = command if label == line else f"{label}: {command}"
                console.print(Text(f"  {text}"), style="dim", soft_wrap=True)
        return code

    def _pictures(self, result: Result, output: Path | None) -> None:
        if result.file is not None:
            self.output.print(Text(_copied(result.file, output)))
        elif result.table and output is None:
            self.output.print(_table(result.pictures))
        else:
            for place, picture in enumerate(result.pictures):
                path = _copied(picture.path, _numbered(output, place, picture.code))
                self.output.print(marked(picture.caption))
                self.output.print(Text(f"  {path}"))


def _console(stream: TextIO | None, stderr: bool = False) -> Console:
    """Lines are as long as they like where nobody looks: in a pipe, in a stream that is closed."""
    seen = stream is not None and stream.isatty()
    return Console(highlight=False, soft_wrap=not seen, stderr=stderr)


class View(Protocol):
    """How progress is shown."""

    def opened(self) -> AbstractContextManager[object]: ...

    def show(self, progress: Progress) -> None: ...


class Bar:
    """On a terminal: a bar over the network calls."""

    def __init__(self, console: Console) -> None:
        columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(24))
        self._bar = RichProgress(*columns, console=console, transient=True)
        self._task = self._bar.add_task("", total=None, visible=False)

    def opened(self) -> AbstractContextManager[object]:
        return self._bar

    def show(self, progress: Progress) -> None:
        self._bar.update(
            self._task,
            description=progress.text,
            completed=progress.call,
            total=progress.calls or None,
            visible=True,
        )


class Lines:
    """Into a file or a pipe: a line for every stage, and not for every call."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._last = ""

    def opened(self) -> AbstractContextManager[object]:
        return nullcontext()

    def show(self, progress: Progress) -> None:
        if progress.call <= 1 and progress.text != self._last:
            self._console.print(Text(progress.text))
        self._last = progress.text


def marked(text: str) -> Text:
    """Semilla's markup as styled text."""
    styled, end = Text(), 0
    for match in MARKS.finditer(text):
        escaped, bold, code = match.groups()
        styled.append(text[end : match.start()])
        inner = re.sub(r"\\([\\*`])", r"\1", escaped or bold or code or "")
        styled.append(inner, style="bold" if bold else "cyan" if code else "")
        end = match.end()
    return styled.append(text[end:])


def shell_line(line: str, windows: bool = os.name == "nt") -> str:
    """A line of the chats as it is typed here: a shell is to read no more into it, whoever wrote
    its words. "" where that can't be had of Windows' two shells at once."""
    words = WORDS.findall(line[1:]) if line.startswith("/") else ["imagine", line]
    dashed = next((place for place, word in enumerate(words) if word.startswith("-")), None)
    if windows:
        words = [GIVEN.sub(r"--\1=\2", word) for word in words]
        if dashed is not None or any(map(EXPANDED.search, words)):
            return ""
        quoted = (word if PLAIN.fullmatch(word) else f'"{word}"' for word in words)
        return " ".join(("semilla", *quoted))
    if dashed is not None:
        words.insert(dashed, "--")  # it would be a flag of the terminal's own
    return shlex.join(("semilla", *words))


def _table(pictures: Iterable[Drawing]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, style="cyan")
    table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    table.add_column(no_wrap=True, justify="right", style="dim")
    for picture in pictures:
        table.add_row(picture.code, Text(" ".join(picture.alt.split())), picture.size)
    return table


def _numbered(output: Path | None, place: int, code: str) -> Path | None:
    """apple.png, apple-2.png, apple-3.png …, or in a folder by their ids."""
    if output is None:
        return None
    if output.is_dir():
        return output / f"{code}.png"
    return output.with_name(f"{output.stem}-{place + 1}{output.suffix}") if place else output


def _copied(path: str, target: Path | None) -> str:
    """Where the picture is now. Raises OSError."""
    if target is None:
        return path
    if target.is_dir():
        target = target / Path(path).name
    shutil.copyfile(path, target)
    return str(target)
