"""What stops, kills or starves Semilla costs nobody an accepted request."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sqlite3
import subprocess
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import psutil
import pytest
import time_machine

from bot import housekeeping
from bot.conversation import Member, Tone
from bot.events import Running
from db import transactions
from db.models import Record, RecordKind, now
from db.session import Database
from tests import seedbed
from tests.chat import ANA, Chat, open_chat
from tests.kills import Siege, check_files, check_rows
from tests.test_house import ROOT

POSIX = pytest.mark.skipif(os.name == "nt", reason="signals and limits are of POSIX systems")
STOP_SECONDS = 10
OWN_MOUNT = ("unshare", "--map-root-user", "--mount", "sh", "-c")


@POSIX
def test_whatever_is_killed_each_accepted_request_is_shown_once(tmp_path: Path) -> None:
    seed = random.randrange(10**6)
    siege = Siege(tmp_path, random.Random(seed), longest_seconds=2.5)  # until all is drawn
    for _ in range(3):
        siege.kill()
    assert siege.stop_under_load() < STOP_SECONDS
    check_rows(siege.data)
    siege.finish()
    assert set(siege.delivered.values()) == {1}, f"seed {seed}"
    assert siege.pictures_shown == {"1"}


def can_mount() -> bool:
    try:
        mounting = "mount -t tmpfs tmpfs /mnt"
        return not subprocess.run(
            [*OWN_MOUNT, mounting], capture_output=True, check=False
        ).returncode
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not can_mount(), reason="a small file system of its own can't be made here")
def test_a_full_disk_is_told_and_costs_only_a_second_try(tmp_path: Path) -> None:
    # A worker that was prepared would see another disk.
    program = f"mount -t tmpfs -o size=4m tmpfs {tmp_path} && exec {seedbed.PYTHON} -m tests.full_disk {tmp_path}"
    ended = subprocess.run(
        [*OWN_MOUNT, program], cwd=ROOT, capture_output=True, timeout=120, check=False
    )
    assert ended.returncode == 0, ended.stderr.decode()[-3000:]


async def test_while_another_program_locks_the_database_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    be_quick(monkeypatch)
    for often in ("SWEEP_EVERY_SECONDS", "RETIRE_EVERY_SECONDS"):
        monkeypatch.setattr(housekeeping, often, 0.1)
    async with open_chat(tmp_path, SEMILLA_HISTORY__KEEP_DAYS="30") as chat:
        first = await chat.type("a cat steps:4")
        assert first.answer is not None
        freely = {"isolation_level": None, "check_same_thread": False}
        with closing(sqlite3.connect(tmp_path / "semilla.db", **freely)) as other:
            # In a thread: Semilla may be about to write, and would never come to its end.
            await asyncio.to_thread(other.execute, "BEGIN IMMEDIATE")
            assert (await chat.type("a dog steps:4")).tone is Tone.FAULT
            assert (await chat.type("/queue")).tone is Tone.PLAIN
            await asyncio.sleep(1)
            assert first.answer not in chat.delivered
        assert (await chat.wait_for(first.answer)).pictures
        assert (await chat.ask("a dog steps:4")).pictures
    assert len(chat.delivered) == 2


async def test_what_moderators_are_to_know_is_recorded_once_it_can_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    be_quick(monkeypatch)
    database = await Database.open(tmp_path / "semilla.db", tmp_path / "pictures")
    held = Record(guild="chat:class", kind=RecordKind.HELD, member="chat:ana", member_name="Ana")
    with closing(sqlite3.connect(tmp_path / "semilla.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        writing = asyncio.create_task(database.moderation.write(held))
        await asyncio.wait([writing], timeout=0.5)
    await writing
    assert [each.kind for each in await database.moderation.records("chat:class")] == [held.kind]
    await database.close()


def be_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that is locked is given up soon, and tried again soon."""
    quick = tuple("busy_timeout=300" if "busy" in p else p for p in transactions.PRAGMAS)
    monkeypatch.setattr(transactions, "PRAGMAS", quick)
    monkeypatch.setattr(transactions, "AGAIN_SECONDS", 0.1)


async def test_a_clock_set_back_mixes_up_nothing(tmp_path: Path) -> None:
    async with open_chat(tmp_path) as chat:
        (first,) = (await chat.ask("a cat seed:5 steps:3")).pictures
        with time_machine.travel(now() - timedelta(days=2)):
            (again,) = (await chat.ask(f"/reroll {first.code}")).pictures
            assert "Identical" in again.caption
            (last,) = (await chat.ask("a dog steps:3")).pictures
            shown = (await chat.type("/history")).pictures
            assert [each.code for each in shown] == [last.code, again.code, first.code]
            await chat.semilla.database.storage.sweep()
            await chat.type(f"/delete {again.code} sure:yes")
    with time_machine.travel(now() - timedelta(days=3)):
        async with open_chat(tmp_path) as chat:
            assert len((await chat.type("/history")).pictures) == 2
            assert not chat.delivered
    check_rows(tmp_path)
    check_files(tmp_path)


@pytest.mark.usefixtures("unprepared")
async def test_a_stop_in_the_moment_of_the_first_request_is_a_stop(tmp_path: Path) -> None:
    async with asyncio.timeout(30), open_chat(tmp_path) as chat:
        assert (await chat.type("a cat steps:1")).tone is Tone.ACCEPTED


async def test_what_is_accepted_of_those_who_hang_up_is_drawn_all_the_same(tmp_path: Path) -> None:
    async with open_chat(tmp_path, SEMILLA_LIMITS__WAITING="100") as chat:
        await chat.ask("a cat steps:1")
        for milliseconds in range(40):
            asking = asyncio.create_task(chat.type("a dog steps:1"))
            await asyncio.wait([asking], timeout=milliseconds / 1000)
            asking.cancel()
        async with asyncio.timeout(STOP_SECONDS * 6):
            while await chat.semilla.database.jobs.waiting_of(ANA.id):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        assert "Nobody waits" in (await chat.type("/queue")).text
    check_rows(tmp_path)


@POSIX
@pytest.mark.usefixtures("unprepared")  # the limit is its own
async def test_a_picture_too_large_for_the_memory_fails_alone(tmp_path: Path) -> None:
    async with open_chat(tmp_path) as chat:
        assert (await chat.ask("a cat steps:2")).pictures
        worker = psutil.Process(chat.semilla.dispatch.worker)
        usual = worker.rlimit(psutil.RLIMIT_AS)
        worker.rlimit(psutil.RLIMIT_AS, (worker.memory_info().vms + 2**24, usual[1]))
        refused = await chat.ask("a cat size:256x256 steps:2")
        assert "memory" in refused.text
        worker.rlimit(psutil.RLIMIT_AS, usual)
        assert (await chat.ask("a dog steps:2")).pictures
        assert chat.semilla.dispatch.worker == worker.pid


@POSIX
async def test_a_request_that_always_kills_the_generator_fails_and_its_neighbours_do_not(
    tmp_path: Path,
) -> None:
    async with open_chat(tmp_path) as chat:
        culprit = await chat.type("a cat steps:8", member=Member("chat:bea", "Bea"))
        assert culprit.answer is not None
        killing = asyncio.create_task(kill_whenever_it_runs(chat, culprit.answer))
        neighbours = [await chat.type("a dog steps:8") for _ in range(3)]
        told = await chat.wait_for(culprit.answer)
        assert "stopped the generator twice" in told.text
        for each in neighbours:
            assert each.answer is not None
            assert (await chat.wait_for(each.answer)).pictures
        killing.cancel()
        assert all(len(replies) == 1 for replies in chat.delivered.values())


async def kill_whenever_it_runs(chat: Chat, answer: int) -> None:
    killed = None
    with chat.semilla.events.follow(answer=answer) as events:
        async for event in events:
            worker = chat.semilla.dispatch.worker
            if isinstance(event, Running) and worker not in (None, killed):
                killed = worker
                os.kill(killed, signal.SIGKILL)
