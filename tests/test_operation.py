"""What whoever runs Semilla works with: log, numbers, health, copies, age of pictures, notices."""

from __future__ import annotations

import asyncio
import errno
import io
import json
import logging
import lzma
import os
import shutil
import socket
import sqlite3
import stat
import subprocess
import sys
import tarfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest
import time_machine
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy.exc import IntegrityError

from bot import archive, card, cli, doctor, housekeeping, logs, metrics, processes, watch
from bot.app import App
from bot.commands.declaration import COMMANDS
from bot.conversation import Call, Guild, Member, Role, Tone
from bot.events import Loading, Waiting
from db import backup
from db.history import Asker
from db.models import PlaceState, Visibility, now
from db.privacy import Owned
from db.session import Database
from tests.chat import ANA, CLASS, Chat, open_chat, settings
from tests.kills import check_files, check_rows
from tests.rows import GUILD, PNG, answer, draw, job, picture, request
from tests.test_catalogue import large
from tests.test_terminal import CODE, Shell, free_port

# Four bytes and a hole, in the form that pax archives have them.
SPARSE, HUGE = b"1\n0\n4\n".ljust(512, b"\0") + b"data", 300_000_000
POSIX = pytest.mark.skipif(os.name == "nt", reason="the running one is asked by a signal")


def test_a_line_of_the_log_tells_its_request_and_no_secret(tmp_path: Path) -> None:
    telegram = "123456789:AAHn-3dQ0kVbLxT7wq9sYcJ2mZpR4uEfGhI"
    root, before = logging.getLogger(), logging.getLogger().handlers[:]
    try:
        logs.write_into(tmp_path / "log", ["hunter2 is my password"])
        with logs.about(request=17), logs.about(job=3):
            logging.getLogger("bot.test").info("hunter2 is my password and %s", telegram)
            logging.getLogger("x").info("POST https://chat.test/bot%s/sendPhoto", telegram)
            try:
                raise ValueError(telegram)
            except ValueError:
                logging.getLogger("bot.test").exception("failed")
        logging.getLogger("bot.test").info("after")
    finally:
        root.handlers[:] = before
    text = (tmp_path / "log").read_text(encoding="utf-8")
    first, _, failed, after = map(json.loads, text.splitlines())
    assert (first["request"], first["job"], first["level"]) == (17, 3, "info")
    assert "ValueError" in failed["trace"]
    assert "request" not in after
    assert telegram[10:] not in text
    assert "hunter2" not in text


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a file that is always full")
def test_a_log_that_can_not_be_written_says_so_and_no_secret(
    capsys: pytest.CaptureFixture[str],
) -> None:
    root, before = logging.getLogger(), logging.getLogger().handlers[:]
    try:
        logs.write_into(Path("/dev/full"), ["hunter2"])
        logging.getLogger("bot.test").warning("the password is %s", "hunter2")
    finally:
        root.handlers[:] = before
    said = capsys.readouterr().err
    assert "No space left" in said
    assert "hunter2" not in said


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a file that is always full")
def test_a_log_and_a_terminal_that_are_both_gone_end_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    root, before = logging.getLogger(), logging.getLogger().handlers[:]
    gone = io.StringIO()
    gone.close()
    with open("/dev/full", "wb", buffering=0) as full:
        try:
            logs.write_into(Path("/dev/full"))
            for stderr in (gone, io.TextIOWrapper(full, write_through=True)):
                monkeypatch.setattr(sys, "stderr", stderr)
                logging.getLogger("bot.test").warning("nobody reads this")
        finally:
            root.handlers[:] = before


async def test_an_error_of_the_database_has_neither_tokens_nor_words(database: Database) -> None:
    secret = answer(token="aW50ZXJhY3Rpb24", line="/imagine a zebra", member=None)
    with pytest.raises(IntegrityError) as raised:
        await database.answers.accept(secret, [])
    assert "aW50" not in str(raised.value)
    assert "zebra" not in str(raised.value)


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A home with Semilla running, until a test stops it."""
    return Shell(tmp_path_factory.mktemp("home"), free_port())


@pytest.fixture(scope="module")
def running(shell: Shell) -> Iterator[subprocess.Popen[str]]:
    with shell.start("run") as process:
        assert process.stdout is not None
        for _ in range(4):
            process.stdout.readline()
        yield process
        process.kill()


@POSIX
def test_while_a_huge_model_is_read_semilla_answers_and_can_be_stopped(tmp_path: Path) -> None:
    large(tmp_path / "models" / "huge", gigabytes=200)
    shell = Shell(tmp_path, free_port())
    with shell.start("run", SEMILLA_GENERATOR__MODELS_FOLDERS=str(tmp_path / "models")) as process:
        assert process.stdout is not None
        assert "is ready at" in process.stdout.readline()
        time.sleep(1)  # it has begun to read
        process.terminate()
        try:
            assert process.wait(10) == 0
        finally:
            process.kill()


def test_the_numbers_and_the_health_are_there_for_other_programs(
    shell: Shell, running: subprocess.Popen[str]
) -> None:
    page = f"http://127.0.0.1:{shell.port}"
    with urllib.request.urlopen(f"{page}/health", timeout=20) as answer:
        assert json.load(answer)["good"] is True
    with urllib.request.urlopen(f"{page}/metrics", timeout=20) as answer:
        text = answer.read().decode()
    assert "semilla_pictures_total" in text
    assert "semilla_disk_free_bytes " in text
    assert "process_resident_memory_bytes" in text


async def test_what_prometheus_counts_goes_down_for_no_erasure(tmp_path: Path) -> None:
    async def counted() -> dict[str, float]:
        families = text_string_to_metric_families((await metrics.exposition(chat.semilla)).decode())
        counters = [
            sample for each in families if each.type == "counter" for sample in each.samples
        ]
        return {sample.name: sample.value for sample in counters}

    async with open_chat(tmp_path) as chat:
        await chat.ask("a cat steps:2 count:2")
        before = await counted()
        await chat.type("/privacy delete sure:yes")
        after = await counted()
    assert before["semilla_pictures_total"] == 2
    assert before["semilla_drawing_seconds_total"] > 0
    assert all(after[name] >= value for name, value in before.items())


async def test_the_owner_sees_how_it_goes_in_numbers_only(tmp_path: Path) -> None:
    assert COMMANDS["stats"].role is Role.OWNER
    async with open_chat(tmp_path) as chat:
        await chat.ask("a zebra steps:2")
        await chat.ask("a cat steps:2", guild=Guild("chat:other"), member=Member("chat:bo", "Bo"))
        call = Call(
            origin="1",
            adapter="chat",
            guild=CLASS,
            member=ANA,
            language="en",
            command="stats",
        )
        reply = await COMMANDS["stats"].run(chat.semilla, call)
    assert "2 pictures by 2 people in 2 places" in reply.text
    assert "zebra" not in reply.text


async def test_a_picture_removed_by_age_keeps_its_recipe_and_is_made_again(tmp_path: Path) -> None:
    async with open_chat(tmp_path) as chat:
        with time_machine.travel(now() - timedelta(days=31)):
            (old,) = (await chat.ask("a cat seed:5 steps:3")).pictures
        file = chat.semilla.database.storage.path(old.file)
        long_ago = file.stat().st_mtime - 32 * 24 * 3600
        os.utime(file, (long_ago, long_ago))
        (young,) = (await chat.ask("a dog seed:5 steps:3")).pictures
        semilla = chat.semilla
        config = semilla.config.model_copy(
            update={"history": semilla.config.history.model_copy(update={"keep_days": 30})}
        )
        aging = asyncio.create_task(housekeeping.run(replace(semilla, config=config), False))
        async with asyncio.timeout(20):
            while file.exists():  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        aging.cancel()
        shown = await chat.type("/history")
        assert [each.code for each in shown.pictures] == [young.code]
        assert f"/reroll {old.code}" in shown.text
        assert "a cat" in (await chat.type(f"/show {old.code}")).text
        refused = await chat.type(f"/upscale {old.code}")
        assert (refused.tone, refused.buttons[0][0].line) == (Tone.REFUSED, f"/reroll {old.code}")
        (again,) = (await chat.ask(f"/reroll {old.code}")).pictures
        assert "Identical" in again.caption
    check_rows(tmp_path)


@pytest.mark.parametrize(
    ("name", "days"),
    [
        *[(f"cache/shown/{name}", 1) for name in ("ab-4.webp", "cd.new")],
        *[(f"{name}/semilla.db", 1) for name in (".restore-abcd_123", ".backup-abcd_123")],
        *[("models/.mine.part/unet/config.json", 30), ("models/dream.safetensors.part", 30)],
        *[("models/old.pth.part", 30), ("models/dream.civitai.info.part", 30)],
        ("before-restore-20260101-120000-000001/semilla.db", 30),
        ("semilla.db.before-0007", 30),
        ("unclaimed-2026-01-01/ab.png", 30),
    ],
)
async def test_what_was_left_behind_is_removed_once_nobody_can_want_it(
    tmp_path: Path, name: str, days: int
) -> None:
    file = tmp_path / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"words and pictures")
    async with open_chat(tmp_path):
        await asyncio.sleep(0.3)
        assert file.exists()
    with time_machine.travel(time.time() + days * 24 * 3600 + 60):
        async with open_chat(tmp_path), asyncio.timeout(20):
            while file.exists():  # noqa: ASYNC110
                await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    "name",
    [
        *("semilla.db.before-exam", "before-restore-keep/a", ".backup-weekly/a", ".restore-me/a"),
        *("unclaimed-by-ana/a.png", "models/other-program.part", "models/film.mkv.part"),
    ],
)
def test_what_others_keep_in_the_data_folder_stays(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"somebody's")
    with time_machine.travel(time.time() + 400 * 24 * 3600):
        housekeeping.remove_leftovers(tmp_path)
    assert file.exists()


def test_one_thing_that_can_not_be_removed_keeps_nothing_else_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    others, last = tmp_path / ".backup-abcd_123", tmp_path / "semilla.db.before-0007"
    others.mkdir()
    last.touch()

    def closed(path: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr("shutil.rmtree", closed)
    with time_machine.travel(time.time() + 31 * 24 * 3600):
        housekeeping.remove_leftovers(tmp_path)
    assert (others.exists(), last.exists()) == (True, False)


async def test_the_owner_is_told_once_that_the_disk_is_nearly_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "LOOK_EVERY_SECONDS", 0.02)
    monkeypatch.setattr(watch, "NEARLY_FULL_BYTES", 0)
    async with open_chat(tmp_path) as chat:
        await chat.semilla.database.access.add_owner("chat:owner", "chat")
        monkeypatch.setattr(watch, "NEARLY_FULL_BYTES", 10**18)
        await told(chat, 1)
        await asyncio.sleep(0.2)
        assert len(chat.told) == 1
        monkeypatch.setattr(watch, "NEARLY_FULL_BYTES", 0)
        await told(chat, 2)
    (first, full), (_, well) = chat.told
    assert first == "chat:owner"
    assert "disk is nearly full" in full.text
    assert "room on the disk again" in well.text


async def test_a_disk_that_is_away_for_a_while_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "LOOK_EVERY_SECONDS", 0.02)
    async with open_chat(tmp_path / "data") as chat:
        await chat.semilla.database.access.add_owner("chat:owner", "chat")
        (tmp_path / "data").rename(tmp_path / "away")
        await asyncio.sleep(0.2)
        (tmp_path / "away").rename(tmp_path / "data")
        monkeypatch.setattr(watch, "NEARLY_FULL_BYTES", 10**18)
        await told(chat, 1)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("discord-bad-token", "Discord: its token isn't accepted"),
        ("telegram-bad-token", "@BotFather"),
        ("telegram-two-copies", "another copy of Semilla uses this token"),
    ],
)
async def test_the_owner_is_told_of_a_chat_that_has_lost_its_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: str, words: str
) -> None:
    monkeypatch.setattr(watch, "LOOK_EVERY_SECONDS", 0.02)

    class Losing(Chat):
        state: tuple[str, dict[str, str]] = ("", {})

    async with open_chat(tmp_path, Losing) as chat:
        await chat.semilla.database.access.add_owner("chat:owner", "chat")
        Losing.state = (state, {})
        await told(chat, 1)
        Losing.state = ("discord-ready", {})
        await asyncio.sleep(0.2)
    ((owner, notice),) = chat.told
    assert owner == "chat:owner"
    assert words in notice.text


@pytest.mark.parametrize(
    ("cuda", "words"),
    [(None, "make gpu"), ("12.8", 'It says: "Torch not compiled with CUDA enabled"')],
)
async def test_the_owner_is_told_of_a_card_that_nothing_uses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cuda: str | None, words: str
) -> None:
    """Also where the driver or torch has no use for it, as the worker finds out."""
    monkeypatch.setattr(watch, "LOOK_EVERY_SECONDS", 0.02)
    monkeypatch.setattr(card, "torch_build", lambda: card.TorchBuild("2.13.0", cuda))
    monkeypatch.setattr(card, "is_there", lambda: True)
    async with open_chat(tmp_path) as first:
        await first.semilla.database.access.add_owner("chat:owner", "chat")
    async with open_chat(tmp_path) as chat:
        await told(chat, 1)
    ((owner, notice),) = chat.told
    assert owner == "chat:owner"
    assert words in notice.text


async def told(chat, times: int) -> None:
    async with asyncio.timeout(20):
        while len(chat.told) < times:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_the_owner_pauses_the_drawing_and_the_memory_is_freed_until_it_goes_on(
    tmp_path: Path,
) -> None:
    async with open_chat(tmp_path) as chat:
        await chat.semilla.database.access.add_owner(ANA.id, "chat")
        teacher = Member("chat:teacher", "Tea", moderator=True)
        assert (await chat.ask("a cat steps:2")).pictures
        assert "Whom?" in (await chat.type("/pause", member=teacher)).text
        assert "until /resume" in (await chat.type("/pause")).text
        async with asyncio.timeout(20):
            while chat.semilla.dispatch.worker is not None:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        with chat.semilla.events.follow(guild=CLASS.id) as follower:
            accepted = await chat.type("a dog steps:2", member=teacher)
            assert "not drawing just now" in accepted.text
            told = [follower.queue.get_nowait() for _ in range(follower.queue.qsize())]
            assert told, "whoever waits is told of the pause, and nothing begins"
            assert all(isinstance(event, Waiting) and event.paused for event in told)
            assert "1 picture waits" in (await chat.type("/resume")).text
            assert accepted.answer is not None
            assert (await chat.wait_for(accepted.answer)).pictures
            events = [follower.queue.get_nowait() for _ in range(follower.queue.qsize())]
        assert any(isinstance(event, Loading) for event in events), "the model was let go"


async def test_the_drawing_stays_paused_over_a_restart(tmp_path: Path) -> None:
    async with open_chat(tmp_path) as chat:
        await chat.semilla.database.access.add_owner(ANA.id, "chat")
        await chat.type("/pause")
        accepted = await chat.type("a cat steps:1")
    async with open_chat(tmp_path) as chat:
        assert "not drawing just now" in (await chat.type("a dog steps:1")).text
        await chat.semilla.dispatch.ready.wait()
        assert not chat.semilla.dispatch.running()
        assert "2 pictures wait" in (await chat.type("/resume")).text
        assert accepted.answer is not None
        assert (await chat.wait_for(accepted.answer)).pictures
    async with open_chat(tmp_path) as chat:
        assert not chat.semilla.dispatch.paused


@POSIX
def test_a_backup_made_while_it_runs_brings_everything_back(
    shell: Shell, running: subprocess.Popen[str]
) -> None:
    code = CODE.search(shell.run("imagine", "a cat", "--seed", "5", "--steps", "3").stdout)[1]
    copied = shell.run("backup", "semilla.tar")
    assert copied.returncode == 0, copied.stderr
    assert stat.S_IMODE((shell.folder / "semilla.tar").stat().st_mode) == 0o600
    assert running.poll() is None
    assert shell.run("delete", code, "--sure").returncode == 0
    restored = shell.run("restore", "semilla.tar")
    assert restored.returncode == 0, restored.stderr
    assert running.wait(20) == 0  # it was stopped for that
    check_rows(shell.data)
    check_files(shell.data)
    assert "Identical" in shell.run("reroll", code).stdout
    (kept,) = shell.data.glob("before-restore-*")
    assert (kept / "semilla.db").exists()


async def test_a_backup_brings_everything_back_but_what_had_been_erased_before_it(
    database: Database, tmp_path: Path
) -> None:
    erased = await draw(database, member="web:bea")
    over = request(initial_image=erased.file)
    accepted = await database.answers.accept(answer(), [job(over)])
    await database.jobs.done(accepted.jobs[0].id, picture(over, await _put(database, b"over")))
    await database.privacy.erase(Owned("web:bea"))
    assert backup.back_up(tmp_path, tmp_path / "semilla.tar") == backup.Written(1, damaged=0)
    assert backup.unpack(tmp_path / "semilla.tar", tmp_path / "unpacked") == 1


@pytest.mark.parametrize("command", [["doctor"], ["history"], ["run"], ["backup", "b.tar"]])
@pytest.mark.parametrize("spoilt", ["all", "a page"])
def test_a_damaged_database_is_told_with_what_to_do(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: list[str],
    spoilt: str,
) -> None:
    if spoilt == "a page" and command[0] not in ("doctor", "backup"):
        pytest.skip("a start doesn't read all of it")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEMILLA_DATA", str(tmp_path))
    monkeypatch.setenv("SEMILLA_WEB__PORT", str(free_port()))
    asyncio.run(_with_a_picture(tmp_path))
    content = bytearray((tmp_path / "semilla.db").read_bytes())
    first, last = (0, len(content)) if spoilt == "all" else (4096 * 4, 4096 * 5)
    content[first:last] = b"x" * (last - first)
    (tmp_path / "semilla.db").write_bytes(content)
    assert cli.main([*command, "--lang", "en"]) == 1
    said = capsys.readouterr()
    assert "The database can't be read" in " ".join((said.out + said.err).split())
    assert not (tmp_path / "b.tar").exists()


def test_the_doctor_says_which_folder_of_models_can_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("no folder")
    folders = {"SEMILLA_GENERATOR__MODELS_FOLDERS": str(tmp_path / "models")}
    config = settings(tmp_path / "data", **folders)
    found = [each.text for each in doctor.findings(config, "en")]
    assert any(f"The models' folder {tmp_path / 'models'} can't be read" in text for text in found)


def test_the_doctor_names_a_huge_model_without_reading_all_of_it(tmp_path: Path) -> None:
    large(tmp_path / "models" / "huge", gigabytes=200)
    folders = {"SEMILLA_GENERATOR__MODELS_FOLDERS": str(tmp_path / "models")}
    config = settings(tmp_path / "data", **folders)
    found = [each.text for each in doctor.findings(config, "en")]
    assert any("semilla, huge" in text for text in found)


def test_a_port_that_needs_rights_is_told_apart_from_one_in_use(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def forbid(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(socket, "create_server", forbid)
    told = doctor.port_trouble("127.0.0.1", 80, "en")
    assert told is not None
    assert "may not listen on the port 80" in told
    assert "SEMILLA_WEB__PORT=8000" in told


async def test_the_health_tells_of_a_database_and_a_disk_that_have_gone(tmp_path: Path) -> None:
    async with App.open(settings(tmp_path / "data")) as app:
        assert (await metrics.health(app.semilla)).good
        (tmp_path / "data").rename(tmp_path / "gone")
        await app.semilla.database.close()
        found = await metrics.health(app.semilla)
        (tmp_path / "gone").rename(tmp_path / "data")
    assert (found.database, found.disk) == (False, False)


async def test_what_a_backup_should_have_and_has_not_is_found(
    database: Database, tmp_path: Path
) -> None:
    lost = (await draw(database)).file
    backup.back_up(tmp_path, tmp_path / "semilla.tar")
    with (
        tarfile.open(tmp_path / "semilla.tar") as whole,
        tarfile.open(tmp_path / "less", "w") as less,
    ):
        for each in whole:
            if not each.name.endswith(lost):
                less.addfile(each, whole.extractfile(each))
    with pytest.raises(backup.BadBackup, match=lost):
        backup.unpack(tmp_path / "less", tmp_path / "unpacked")


async def test_a_bit_that_has_fallen_over_in_a_backup_is_found(
    database: Database, tmp_path: Path
) -> None:
    await draw(database, "a red marigold")
    backup.back_up(tmp_path, tmp_path / "semilla.tar")
    whole = (tmp_path / "semilla.tar").read_bytes()
    (tmp_path / "semilla.tar").write_bytes(whole.replace(b"marigold", b"marigole"))
    with pytest.raises(backup.BadBackup, match=r"semilla\.db"):
        backup.unpack(tmp_path / "semilla.tar", tmp_path / "unpacked")


@pytest.mark.parametrize("command", ["doctor", "history", "run"])
@pytest.mark.parametrize("trouble", ["it can't be opened", "another program holds it"])
def test_a_database_that_is_out_of_reach_is_told_as_that_and_not_as_damaged(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
    trouble: str,
) -> None:
    monkeypatch.setenv("SEMILLA_DATA", str(tmp_path))
    monkeypatch.setenv("SEMILLA_WEB__PORT", str(free_port()))
    path = tmp_path / "semilla.db"
    if trouble == "it can't be opened":
        path.mkdir()
        assert cli.main([command, "--lang", "en"]) == 1
    else:
        monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, timeout=0))
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            assert cli.main([command, "--lang", "en"]) == 1
    said = capsys.readouterr()
    words = " ".join((said.out + said.err).split())
    assert "The database can't be reached" in words
    assert "Nothing is lost" in words
    assert "backup" not in words


async def test_a_damaged_picture_spoils_no_backup_and_is_told(
    database: Database, tmp_path: Path
) -> None:
    whole, damaged = await draw(database), await draw(database)
    database.storage.path(damaged.file).write_bytes(b"\0" * 100)
    assert backup.back_up(tmp_path, tmp_path / "semilla.tar") == backup.Written(1, damaged=1)
    assert backup.unpack(tmp_path / "semilla.tar", tmp_path / "unpacked") == 1
    restored = await Database.open(tmp_path / "unpacked" / "semilla.db", tmp_path / "pictures")
    by_code = [await restored.history.get(Asker(GUILD, ""), e.code) for e in (whole, damaged)]
    assert [each and each.file for each in by_code] == [whole.file, ""]
    await restored.close()


def test_a_backup_of_a_newer_semilla_is_refused_before_anything_is_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SEMILLA_DATA", str(tmp_path))
    asyncio.run(_with_a_picture(tmp_path))
    with closing(sqlite3.connect(tmp_path / "semilla.db")) as newer, newer:
        newer.execute("UPDATE alembic_version SET version_num = '9999'")
    backup.back_up(tmp_path, tmp_path / "semilla.tar")
    assert cli.main(["restore", str(tmp_path / "semilla.tar"), "--lang", "en"]) == 2
    assert "by a newer Semilla" in " ".join(capsys.readouterr().err.split())
    assert not list(tmp_path.glob("before-restore-*"))


async def test_only_what_a_backup_has_of_semilla_is_unpacked(
    database: Database, tmp_path: Path
) -> None:
    await draw(database)
    backup.back_up(tmp_path, tmp_path / "semilla.tar")
    (tmp_path / "owner.json").write_text("{}")
    with tarfile.open(tmp_path / "semilla.tar", "a") as archive:
        for name in ("owner.json", "../escaped", "pictures/ab/owner.json"):
            archive.add(tmp_path / "owner.json", name)
    assert backup.unpack(tmp_path / "semilla.tar", tmp_path / "new" / "unpacked") == 1
    assert not (tmp_path / "new" / "escaped").exists()
    assert not list((tmp_path / "new").rglob("owner.json"))


async def test_what_would_grow_in_a_backup_is_not_unpacked(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await draw(database)
    backup.back_up(tmp_path, tmp_path / "semilla.tar")
    stranger = f"pictures/ab/ab{'0' * 62}"
    hole = tarfile.TarInfo(f"pictures/cd/cd{'0' * 62}")
    with tarfile.open(tmp_path / "semilla.tar", "a", format=tarfile.PAX_FORMAT) as archive:
        archive.add(tmp_path / "semilla.tar", stranger)
        hole.size = len(SPARSE)
        hole.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0"}
        hole.pax_headers |= {"GNU.sparse.name": hole.name, "GNU.sparse.realsize": str(HUGE)}
        archive.addfile(hole, io.BytesIO(SPARSE))
    with tarfile.open(tmp_path / "semilla.tar") as archive:
        assert archive.getmember(hole.name).size == HUGE
    assert backup.unpack(tmp_path / "semilla.tar", tmp_path / "unpacked") == 1
    assert len(list((tmp_path / "unpacked").rglob("*.*"))) == 2
    assert not (tmp_path / "unpacked" / stranger).exists(), "no row names it"
    assert not (tmp_path / "unpacked" / hole.name).exists()
    full = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)
    with pytest.raises(OSError, match="No space"):
        backup.unpack(tmp_path / "semilla.tar", tmp_path)


async def test_a_backup_that_is_packed_or_names_strange_files_is_none(
    database: Database, tmp_path: Path
) -> None:
    await draw(database)
    backup.back_up(tmp_path, tmp_path / "semilla.tar")
    packed = tmp_path / "packed"
    packed.write_bytes(lzma.compress((tmp_path / "semilla.tar").read_bytes()))
    with pytest.raises(backup.BadBackup):
        backup.unpack(packed, tmp_path / "unpacked")
    backup.unpack(tmp_path / "semilla.tar", tmp_path / "copy")
    with closing(sqlite3.connect(tmp_path / "copy" / "semilla.db")) as connection, connection:
        connection.execute("UPDATE pictures SET file = '../../secret'")
    (tmp_path / "copy" / "missing").write_text("../../secret")
    (tmp_path / "copy" / "sha256").unlink()
    with tarfile.open(tmp_path / "strange.tar", "w") as strange:
        strange.add(tmp_path / "copy", "")
    with pytest.raises(backup.BadBackup, match="secret"):
        backup.unpack(tmp_path / "strange.tar", tmp_path / "strange")


async def test_who_comes_as_an_owner_with_a_backup_is_told(
    database: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    await database.access.add_owner("discord:666", "discord")
    for number in range(12):
        await database.access.add_owner(f"discord:9{number:02}", "discord")
        await database.access.set_state(
            f"discord:{number}", PlaceState.ACTIVE, f"Lair {number}\x1b"
        )
    await database.access.set_state("discord:shut", PlaceState.IGNORED, "Shut")
    backup.back_up(tmp_path, tmp_path / "semilla.tar")
    monkeypatch.setenv("SEMILLA_DATA", str(tmp_path / "other#1?"))
    assert cli.main(["restore", str(tmp_path / "semilla.tar"), "--lang", "en"]) == 0
    said = " ".join(capsys.readouterr().err.split())
    assert "discord:666" in said
    assert "in 12 places where I didn't: Lair 0, Lair 1, Lair 10" in said
    assert "and 2 more." in said
    assert "Shut" not in said
    assert "and 3 more." in said, "of the owners"
    assert "\x1b" not in said
    (restored,) = (tmp_path / "other#1?").rglob("*.db")
    assert stat.S_IMODE(restored.stat().st_mode) & 0o077 == 0 or os.name == "nt"
    assert cli.main(["restore", str(tmp_path / "semilla.tar"), "--lang", "en"]) == 0
    said = capsys.readouterr().err
    assert "discord:666" not in said, "it is one already"
    assert "Lair" not in said


@POSIX
async def test_nobody_else_can_read_the_database(database: Database, tmp_path: Path) -> None:
    await draw(database)
    for name in ("semilla.db", "semilla.db-wal"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


async def test_a_backup_has_what_moderators_see_of_held_pictures(
    database: Database, tmp_path: Path
) -> None:
    blurred = await _put(database, b"blurred")
    await draw(database, visibility=Visibility.HELD, held_for="check", blurred=blurred)
    backup.back_up(tmp_path, tmp_path / "semilla.tar")
    assert backup.unpack(tmp_path / "semilla.tar", tmp_path / "unpacked") == 2
    assert (tmp_path / "unpacked" / "pictures" / blurred[:2] / blurred).exists()


async def _put(database: Database, content: bytes) -> str:
    return await database.storage.put(PNG + content)


class Contained:
    """A process of a container: a small init and what it runs."""

    def __init__(self, pid: int) -> None:
        self.ppid, self.name = partial(int, pid == 7), partial(str, "tini")


@POSIX
@pytest.mark.parametrize("owner", [{"pid": 1}, {"pid": 7}, {"pid": 8, "space": "pid:[1]"}])
def test_in_a_container_a_restore_ends_neither_it_nor_itself(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    owner: dict[str, Any],
) -> None:
    monkeypatch.setattr(psutil, "Process", Contained)
    killed: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda *process_and_signal: killed.append(process_and_signal))
    monkeypatch.setattr(archive, "STOP_SECONDS", 1.0)
    monkeypatch.setenv("SEMILLA_DATA", str(tmp_path))
    asyncio.run(_with_a_picture(tmp_path))
    backup.back_up(tmp_path, tmp_path / "semilla.tar")
    with processes.own(tmp_path):
        announced = asdict(processes.announce(tmp_path, "http://127.0.0.1:8000"))
        (tmp_path / "owner.json").write_text(json.dumps(announced | owner))
        assert cli.main(["restore", str(tmp_path / "semilla.tar"), "--lang", "en"]) == 2
    assert killed == []
    assert "Stop the container" in " ".join(capsys.readouterr().err.split())
    assert cli.main(["restore", str(tmp_path / "semilla.tar")]) == 0


async def _with_a_picture(folder: Path) -> None:
    database = await Database.open(folder / "semilla.db", folder / "pictures")
    await draw(database)
    await database.close()


@POSIX
def test_a_damaged_backup_changes_nothing(shell: Shell) -> None:
    code = CODE.search(shell.run("imagine", "a cat", "--steps", "2").stdout)[1]
    assert shell.run("backup", "semilla.tar").returncode == 0
    whole = bytearray((shell.folder / "semilla.tar").read_bytes())
    with tarfile.open(shell.folder / "semilla.tar") as archive:
        picture = next(each for each in archive if each.name.endswith(".png"))
    whole[picture.offset_data + 100] ^= 255
    (shell.folder / "semilla.tar").write_bytes(whole)
    refused = shell.run("restore", "semilla.tar")
    assert refused.returncode == 1
    assert "Nothing was changed" in refused.stderr
    assert code in shell.run("show", code).stdout
    assert shell.run("backup").returncode == 2
    assert "Which file?" in shell.run("backup", ".").stderr
