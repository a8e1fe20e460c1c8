"""A restart with 10,000 waiting jobs in 500 guilds: seconds to open the database and read them.

python -m bench.restart [jobs] [guilds]
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from db.models import Answer, Job
from db.session import Database
from generator.request import GenerationRequest

ROUNDS = 5


async def main(jobs: int, guilds: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path, storage = Path(folder) / "semilla.db", Path(folder) / "pictures"
        await _fill(path, storage, jobs, guilds)
        seconds = [await _restart(path, storage, jobs) for _ in range(ROUNDS)]
    print(f"{jobs} jobs: median {median(seconds):.3f} s, worst {max(seconds):.3f} s")


async def _restart(path: Path, storage: Path, jobs: int) -> float:
    before = time.perf_counter()
    database = await Database.open(path, storage)
    await database.jobs.requeue_running()
    costs = [job.request.cost for job in await database.jobs.waiting()]
    seconds = time.perf_counter() - before
    await database.close()
    if len(costs) != jobs:
        raise SystemExit(f"{len(costs)} of {jobs} came back")
    return seconds


async def _fill(path: Path, storage: Path, jobs: int, guilds: int) -> None:
    database = await Database.open(path, storage)
    each = jobs // guilds
    for number in range(guilds):
        guild = f"web:{number}"
        await database.answers.accept(
            _answer(guild), [_job(guild, number * each + i) for i in range(each)]
        )
    await database.close()


def _answer(guild: str) -> Answer:
    return Answer(
        origin=guild, adapter="web", guild=guild, member=guild, member_name="Ana", language="es"
    )


def _job(guild: str, seed: int) -> Job:
    request = GenerationRequest(
        model="small",
        model_hash="ab" * 32,
        prompt="a red cat under a green tree, morning light, watercolour",
        width=512,
        height=512,
        steps=20,
        sampler="euler a",
        guidance_scale=7.0,
        seed=seed,
    )
    return Job(guild=guild, member=guild, recipe=request.to_json())


if __name__ == "__main__":
    numbers = [int(each) for each in sys.argv[1:]]
    asyncio.run(main(*(numbers or [10_000, 500])))
