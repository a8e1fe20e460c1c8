from __future__ import annotations

import asyncio
import hashlib
import os
import random
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from db.models import Answer, Job, JobState, Picture, now
from db.session import Database
from tests.rows import GUILD, MEMBER, PNG, answer, draw, job, picture, request


async def accepted(database: Database, jobs: int = 1, **changes: object) -> Answer:
    made = [job(request(seed=n), position=n) for n in range(jobs)]
    return await database.answers.accept(answer(**changes), made)


async def finish(database: Database, number: int) -> None:
    file = await database.storage.put(PNG + str(number).encode())
    made = await database.jobs.get(number)
    await database.jobs.done(number, picture(made.request, file))


async def outbox(database: Database) -> list[int]:
    return [each.id for each in await database.answers.outbox()]


async def test_an_answer_is_accepted_with_all_its_jobs_in_order(database: Database) -> None:
    made = await accepted(database, jobs=3)
    again = await database.answers.get(made.id)
    assert again is not None
    assert [each.request.seed for each in again.jobs] == [0, 1, 2]
    assert {each.state for each in again.jobs} == {JobState.QUEUED}
    assert [each.id for each in await database.jobs.waiting()] == [each.id for each in made.jobs]


async def test_a_call_that_arrives_twice_is_answered_once(database: Database) -> None:
    first = await accepted(database, jobs=2, origin="discord:1")
    second = await accepted(database, jobs=3, origin="discord:1", language="en")
    assert (second.id, len(second.jobs), second.language) == (first.id, 2, "es")
    assert len(await database.jobs.waiting()) == 2


async def test_a_call_that_arrives_many_times_at_once_is_answered_once(database: Database) -> None:
    arrivals = (accepted(database, origin="discord:1") for _ in range(20))
    assert len({each.id for each in await asyncio.gather(*arrivals)}) == 1
    assert len(await database.jobs.waiting()) == 1


async def test_many_calls_at_once_are_all_accepted(database: Database) -> None:
    arrivals = (accepted(database, jobs=2) for _ in range(100))
    assert len({each.id for each in await asyncio.gather(*arrivals)}) == 100
    assert len(await database.jobs.waiting()) == 200


async def test_an_answer_whose_jobs_cannot_be_written_is_not_accepted(database: Database) -> None:
    broken = [job(), job(parent_id=999)]
    with pytest.raises(IntegrityError):
        await database.answers.accept(answer("discord:1"), broken)
    assert await database.jobs.waiting() == []
    assert await database.answers.recent(GUILD, MEMBER) == []


async def test_what_can_be_seen_of_an_accepted_answer_needs_no_open_database(
    database: Database,
) -> None:
    parent = await draw(database)
    made = await database.answers.accept(answer(), [job(parent_id=parent.id)])
    await finish(database, made.jobs[0].id)
    found = await database.answers.get(made.id)
    await database.close()
    assert found is not None
    (only,) = found.jobs
    assert only.answer is found
    assert only.parent is not None
    assert only.parent.code == parent.code
    assert only.picture is not None
    assert only.picture.parent is None


async def test_an_answer_is_owed_once_all_its_jobs_have_ended(database: Database) -> None:
    made = await accepted(database, jobs=3)
    first, second, third = (each.id for each in made.jobs)
    await database.jobs.start([first, second])
    await finish(database, first)
    await database.jobs.fail(second, "fault", "X2")
    assert await outbox(database) == []
    assert await database.jobs.cancel(third)
    assert await outbox(database) == [made.id]
    await database.answers.delivered(made.id, message="99")
    assert await outbox(database) == []
    found = await database.answers.get(made.id)
    assert found is not None
    states = [each.state for each in found.jobs]
    assert states == [JobState.DONE, JobState.FAILED, JobState.CANCELLED]
    assert (found.message, found.jobs[1].failure, found.jobs[1].failure_code) == (
        "99",
        "fault",
        "X2",
    )


async def test_what_a_stop_interrupted_goes_back_in_line_first(database: Database) -> None:
    made = await accepted(database, jobs=3)
    first, second, third = (each.id for each in made.jobs)
    await database.jobs.start([first, second])
    assert [each.id for each in await database.jobs.waiting()] == [third]
    assert await database.jobs.requeue_running() == 2
    assert [each.id for each in await database.jobs.waiting()] == [first, second, third]


async def test_waiting_jobs_are_read_with_all_that_the_line_needs(database: Database) -> None:
    made = await accepted(database)
    (waiting,) = await database.jobs.waiting()
    assert (waiting.answer_id, waiting.guild, waiting.member) == (made.id, GUILD, MEMBER)
    assert (waiting.request, waiting.trace, waiting.state) == (
        request(seed=0),
        None,
        JobState.QUEUED,
    )


async def test_a_job_ends_once(database: Database) -> None:
    (only,) = (await accepted(database)).jobs
    assert await database.jobs.cancel(only.id)
    assert not await database.jobs.cancel(only.id)
    await database.jobs.fail(only.id, "fault", "X2")
    await database.jobs.start([only.id])
    assert (await database.jobs.get(only.id)).state is JobState.CANCELLED
    with pytest.raises(LookupError):
        await finish(database, only.id)


async def test_a_job_that_is_reported_done_twice_has_one_picture(database: Database) -> None:
    made = await draw(database, "a red cat")
    assert made.job_id is not None
    again = await database.jobs.done(made.job_id, picture(request("other"), made.file))
    assert (again.id, again.code, again.prompt) == (made.id, made.code, "a red cat")


async def test_a_failed_job_can_be_tried_again(database: Database) -> None:
    (only,) = (await accepted(database)).jobs
    await database.jobs.fail(only.id, "worker-died", "X2")
    await database.jobs.retry(only.id, only.recipe, only.notes)
    found = await database.jobs.get(only.id)
    assert (found.state, found.failure, found.ended) == (JobState.QUEUED, None, None)
    await finish(database, only.id)
    await database.jobs.retry(only.id, only.recipe, only.notes)
    assert (await database.jobs.get(only.id)).state is JobState.DONE


async def test_waiting_jobs_are_counted_for_each_member_and_guild(database: Database) -> None:
    made = await accepted(database, jobs=3)
    await database.jobs.start([made.jobs[0].id])
    await database.jobs.cancel(made.jobs[1].id)
    assert await database.jobs.waiting_of(MEMBER) == 2
    assert await database.jobs.waiting_of("web:bea") == 0
    assert await database.jobs.waiting_in(GUILD) == 2
    assert await database.jobs.waiting_in("web:other") == 0


async def test_private_answers_are_their_authors_and_the_moderators(database: Database) -> None:
    public = await accepted(database)
    private = await accepted(database, private=True)
    await accepted(database, guild="web:other")
    both = [private.id, public.id]
    recent = database.answers.recent
    assert [each.id for each in await recent(GUILD, MEMBER)] == both
    assert [each.id for each in await recent(GUILD, "web:bea", moderator=True)] == both
    assert [each.id for each in await recent(GUILD, "web:bea")] == [public.id]
    assert [each.id for each in await recent(GUILD, MEMBER, limit=1)] == [private.id]


async def test_interaction_tokens_are_erased_when_they_are_of_no_more_use(
    database: Database,
) -> None:
    old = await accepted(database, token="secret", created=now() - timedelta(minutes=20))
    new = await accepted(database, token="secret")
    await database.answers.erase_tokens(now() - timedelta(minutes=15))
    assert (await database.answers.get(old.id)).token is None
    assert (await database.answers.get(new.id)).token == "secret"


async def test_readers_do_not_wait_for_a_writer(database: Database) -> None:
    made = await accepted(database)
    async with database.engine.connect() as writer:
        await writer.execution_options(writes=True)
        await writer.exec_driver_sql("UPDATE answers SET message = 'half'")
        async with asyncio.timeout(2):
            found = await database.answers.get(made.id)
        await writer.rollback()
    assert found is not None
    assert found.message == ""


async def test_writers_take_turns_also_with_another_connection(database: Database) -> None:
    async with database.engine.connect() as writer:
        await writer.execution_options(writes=True)
        await writer.exec_driver_sql("UPDATE answers SET message = ''")
        waiting = asyncio.create_task(accepted(database))
        await asyncio.sleep(0.2)
        assert not waiting.done()
        await writer.commit()
        async with asyncio.timeout(2):
            assert (await waiting).id


# Four lives at a time; a line is said only after what it says has been committed.
CHILD = """
import asyncio, sys
from pathlib import Path
from db.session import Database
from tests.rows import answer, job, picture, request

def say(*words):
    sys.stdout.write(" ".join(map(str, words)) + "\\n")  # in one piece
    sys.stdout.flush()

async def life(database, origin, size):
    jobs = [job(request(seed=n), position=n) for n in range(size)]
    accepted = await database.answers.accept(answer(origin, line=str(size)), jobs)
    say("accepted", origin)
    await database.jobs.start([each.id for each in accepted.jobs])
    for each in accepted.jobs:
        file = await database.storage.put(f"{each.id}".encode())
        await database.jobs.done(each.id, picture(each.request, file))
        say("done", each.id)
    await database.answers.delivered(accepted.id)
    say("delivered", origin)

async def main(folder, name):
    database = await Database.open(folder / "semilla.db", folder / "pictures")
    say("open")
    for n in range(0, 10**6, 4):
        await asyncio.gather(*(life(database, f"{name}:{n + i}", 1 + i) for i in range(4)))

asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
"""
KILLS = 5


async def test_nothing_is_lost_or_left_half_done_by_a_kill_at_any_moment(tmp_path: Path) -> None:
    said: Counter[str] = Counter()
    for name in range(KILLS):
        after, seconds = random.randrange(40), random.uniform(0, 0.02)
        said += await _said_before_kill(tmp_path, str(name), after, seconds)
        database = await Database.open(tmp_path / "semilla.db", tmp_path / "pictures")
        await _check(database, said)
        await database.jobs.requeue_running()
        assert {each.state for each in await database.jobs.waiting()} <= {JobState.QUEUED}
        await database.close()
    assert said


async def _said_before_kill(folder: Path, name: str, after: int, seconds: float) -> Counter[str]:
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", CHILD, str(folder), name),
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert child.stdout is not None
    lines = [await child.stdout.readline() for _ in range(1 + after)]
    await asyncio.sleep(seconds)
    child.kill()
    lines += (await child.stdout.read()).splitlines()
    await child.wait()
    assert lines[0] == b"open\n"
    return Counter(line.decode().strip() for line in lines[1:])


async def _check(database: Database, said: Counter[str]) -> None:
    """What was said is there, each once; whatever is there is whole."""
    async with database.engine.connect() as connection:
        intact = (await connection.exec_driver_sql("PRAGMA integrity_check")).scalar()
        answers = (await connection.execute(select(Answer.id, Answer.origin, Answer.line))).all()
        jobs = (await connection.execute(select(Job.id, Job.answer_id, Job.state))).all()
        pictures = (await connection.execute(select(Picture.job_id, Picture.file))).all()
        delivered = select(Answer.origin).where(Answer.delivered.is_not(None))
        delivered_origins = set((await connection.execute(delivered)).scalars())
    assert intact == "ok"
    origins = Counter(each.origin for each in answers)
    done = {each.id for each in jobs if each.state is JobState.DONE}
    sizes = Counter(each.answer_id for each in jobs)
    assert set(origins.values()) <= {1}
    assert {int(each.line) for each in answers} <= {1, 2, 3, 4}
    assert all(sizes[each.id] == int(each.line) for each in answers)
    assert sorted(each.job_id for each in pictures) == sorted(done)
    for each in pictures:
        data = await database.storage.read(each.file)
        assert hashlib.sha256(data).hexdigest() == each.file
    facts = {f"accepted {each}" for each in origins} | {f"done {each}" for each in done}
    assert set(said) <= facts | {f"delivered {each}" for each in delivered_origins}
