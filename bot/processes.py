"""What differs between operating systems: the lock, private files, signals. Nowhere else."""

from __future__ import annotations

import asyncio
import getpass
import json
import os
import secrets
import signal
import stat
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock, Timeout

FILES = 4096
LOCK, OWNER = "lock", "owner.json"
FIRST = 1  # the process that a container ends with
INITS = ("systemd", "init", "launchd")  # first processes that go on when what they began ends
# Whoever owns a file, whatever the user's name and Windows' language are.
OWNER_RIGHTS = "*S-1-3-4:F"


class Owned(Exception):
    """Another process owns the data folder."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Where the process that owns a data folder listens.

    Args:
        address: "http://127.0.0.1:8000", without a slash at its end.
        key: what it wants to see in a request from this user's terminal.
        space: where `pid` is its number, as a container counts its own.
    """

    address: str
    key: str
    pid: int
    space: str = ""


@contextmanager
def own(data: Path) -> Iterator[None]:
    """Owns the data folder for as long as the context lasts. Raises Owned, and OSError.

    The system frees the lock with its process, however that ends.
    """
    data.mkdir(parents=True, exist_ok=True)
    lock = FileLock(data / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise Owned from None
    try:
        (data / OWNER).unlink(missing_ok=True)  # of one that was killed
        yield
        (data / OWNER).unlink(missing_ok=True)
    finally:
        lock.release()


def want_files() -> None:
    """More open files than the few that some systems begin with: every page that is open has one."""
    with suppress(ImportError, OSError, ValueError):  # not on Windows; forbidden in some containers
        import resource

        few, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = FILES if most == resource.RLIM_INFINITY else min(FILES, most)
        if few != resource.RLIM_INFINITY and few < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def make_private(folder: Path) -> None:
    """Makes a folder that other users can't look into, or closes one that they can. One that is
    open to its group alone was made so by somebody, and stays; so does what can't be changed, as
    it is another user's. On Windows what is in a user's profile is closed. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    mode = folder.stat().st_mode
    if os.name != "nt" and mode & stat.S_IRWXO:
        with suppress(PermissionError):
            folder.chmod(mode & stat.S_IRWXU)


def announce(data: Path, address: str) -> Owner:
    """Tells this user's other processes where the owner listens."""
    owner = Owner(address, secrets.token_urlsafe(32), os.getpid(), _space())
    write_private(data / OWNER, json.dumps(asdict(owner)))
    return owner


def find_owner(data: Path) -> Owner | None:
    """Who has announced to own the data folder. It may have been killed since: see `own`."""
    try:
        return Owner(**json.loads((data / OWNER).read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None  # nobody yet, or caught in the middle of being written


def ends_alone(owner: Owner) -> bool:
    """Whether it can be ended from here, and others go on: not what a container runs, by itself or
    below a small init, nor a process of a container that this one isn't in."""
    import psutil

    if owner.space not in ("", _space()) or owner.pid == FIRST:
        return False
    with suppress(psutil.Error):
        above = psutil.Process(owner.pid).ppid()
        return above != FIRST or psutil.Process(FIRST).name() in INITS
    return True


def _space() -> str:
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:  # not on Linux, where containers are
        return ""


def write_private(path: Path, text: str) -> None:
    """Writes a file that only its user can read, at no moment anybody else."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    if os.name == "nt":
        command = ["icacls", str(temporary), "/inheritance:r", "/grant:r", OWNER_RIGHTS]
        subprocess.run(command, check=False, capture_output=True)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    temporary.replace(path)


def user() -> str:
    """The system's name of who runs this; the number of one that has no name, as in a container."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


@contextmanager
def on_stop(stop: Callable[[], object]) -> Iterator[None]:
    """Calls `stop` in the running event loop when the user or the system wants an end."""
    loop = asyncio.get_running_loop()
    names = ("SIGINT", "SIGTERM", "SIGBREAK")  # Windows has the first and the last
    wanted = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = {
        number: signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop))
        for number in wanted
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
