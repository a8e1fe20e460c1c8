"""The class: its code for the day, its address, and how often a code can be tried."""

from __future__ import annotations

import ipaddress
import secrets
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from bot.conversation import Guild
from bot.events import Event

HOME = Guild("web:home")
CLASS = Guild("web:class")
WINDOW_SECONDS = 300.0
TRIES_EACH, TRIES_ALL = 5, 100  # wrong codes in a window: of one address, and of all together
JOINED_EACH = 45  # who come in from one address in a window: a class may come through one

# Adapters that a phone in the same wifi doesn't reach, by what systems call them.
VIRTUAL = (
    *("tun", "tap", "utun", "wg", "ppp", "ipsec", "vpn", "tailscale", "zerotier", "zt", "hamachi"),
    *("nord", "wintun", "docker", "br-", "veth", "virbr", "vmnet", "vmware", "vbox", "virtualbox"),
    *("vethernet", "hyper-v", "wsl", "lxc", "podman", "cni", "bluetooth", "lo"),
)
WIRELESS = ("wl", "wi-fi", "wifi", "wireless", "airport", "drahtlos", "inalámbrica")


class Moved(Event):
    """The class was opened or closed: whoever is in the room that was is in the other one now."""


class NoNetwork(Exception):
    """The computer has no private address that others could reach."""


class TooManyTries(Exception):
    """Wrong codes came too fast; `seconds` until the next may be tried."""

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


@dataclass
class ClassRoom:
    """Open while `address` is set. The code stays the same for a day, or until it is renewed.
    `find` gives the computer's address in its network, and raises NoNetwork."""

    clock: Callable[[], float] = time.monotonic
    today: Callable[[], date] = date.today
    find: Callable[[], str] = lambda: private_address()
    address: str = ""
    _code: str = ""
    _day: date | None = None
    _wrong: deque[tuple[float, str]] = field(default_factory=deque)
    _joined: deque[tuple[float, str]] = field(default_factory=deque)

    @property
    def is_open(self) -> bool:
        return bool(self.address)

    @property
    def code(self) -> str:
        if self._day != self.today():
            self._day, self._code = self.today(), _new_code()
        return self._code

    def renew(self) -> None:
        """Another code from now on, which nobody in the class has typed."""
        before = self.code
        while self._code == before:
            self._code = _new_code()
        self._joined.clear()

    def admits(self, code: str) -> bool:
        return self.is_open and secrets.compare_digest(code.encode(), self.code.encode())

    def try_code(self, code: str, address: str) -> bool:
        """Raises TooManyTries before it looks at the code."""
        now = self.clock()
        for times in (self._wrong, self._joined):
            while times and times[0][0] <= now - WINDOW_SECONDS:
                times.popleft()
        own, joined = (
            [when for when, who in times if who == address] for times in (self._wrong, self._joined)
        )
        everybodys = [when for when, _ in self._wrong]
        limits = ((own, TRIES_EACH), (everybodys, TRIES_ALL), (joined, JOINED_EACH))
        for at, limit in limits:
            if len(at) >= limit:
                raise TooManyTries(int(at[-limit] + WINDOW_SECONDS - now) + 1)
        admitted = self.admits(code)
        (self._joined if admitted else self._wrong).append((now, address))
        return admitted


def _new_code() -> str:
    return f"{secrets.randbelow(10_000):04}"


def private_address() -> str:
    """The address under which others in the same network reach this computer.

    Raises NoNetwork.
    """
    import psutil  # the system's adapters with their names; only needed for a class

    up = {name for name, state in psutil.net_if_stats().items() if state.isup}
    adapters = {
        name: [each.address for each in addresses if each.family.name == "AF_INET"]
        for name, addresses in psutil.net_if_addrs().items()
        if name in up
    }
    return choose_address(adapters)


def choose_address(adapters: Mapping[str, Sequence[str]]) -> str:
    """The wifi's before a cable's; never that of a VPN or of a virtual machine.

    Raises NoNetwork.
    """
    real = {name: all_ for name, all_ in adapters.items() if not _named(name, VIRTUAL)}
    for name in sorted(real, key=lambda name: (not _named(name, WIRELESS), name)):
        for address in real[name]:
            if _is_private(address):
                return address
    raise NoNetwork


def _is_private(text: str) -> bool:
    address = ipaddress.ip_address(text)
    return address.is_private and not address.is_loopback and not address.is_link_local


def _named(name: str, beginnings: Iterable[str]) -> bool:
    """Whether an adapter's name has one of these at the start of a word."""
    words = name.lower().replace("(", " ").split()
    return any(word.startswith(beginning) for word in words for beginning in beginnings)
