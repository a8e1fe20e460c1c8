"""The generator as chat processes know it: a real worker process with the real model that ships."""

from __future__ import annotations

import asyncio
import io
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from PIL import Image
from safetensors.numpy import load_file, save_file

from generator import client, frames, metadata
from generator.catalogue import BUNDLED, Catalogue
from generator.client import LocalGenerator
from generator.messages import (
    Called,
    Cancelled,
    Died,
    Drawn,
    Event,
    Failed,
    Failure,
    Kept,
    Loaded,
    Loading,
    Note,
    NoteKind,
    Ready,
    Resting,
    Started,
    Submit,
)
from generator.request import GenerationRequest, Variation
from generator.sampler_names import SAMPLERS
from tests import seedbed

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATIENCE_SECONDS = 120
NOISY = [each.name for each in SAMPLERS if each.adds_noise]


class Studio:
    """A generator with its one consumer; gives every order its own number."""

    def __init__(self, generator: LocalGenerator, catalogue: Catalogue) -> None:
        self.generator = generator
        self.catalogue = catalogue
        self.events = generator.events()
        self.job = 0

    def recipe(self, model: str = "semilla", **changes) -> GenerationRequest:
        values = {"prompt": "a red cat on a blue background", "width": 128, "height": 128}
        values |= {"steps": 3, "sampler": "euler a", "guidance_scale": 4.0, "seed": 7}
        values |= {"model": model, "model_hash": self.catalogue.find(model).hash}
        return GenerationRequest(**(values | changes))

    def order(self, *, image: bytes | None = None, trace: str | None = None, **changes) -> int:
        self.job += 1
        self.generator.submit(Submit(self.job, self.recipe(**changes), image, trace))
        return self.job

    async def until(self, *kinds: type) -> list[Event]:
        """Everything that happens up to the first event of these kinds."""
        seen: list[Event] = []
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not seen or not isinstance(seen[-1], kinds):
                seen.append(await anext(self.events))
        return seen

    async def told(self, **order) -> list[Event]:
        job = self.order(**order)
        seen = await self.until(Drawn, Failed, Cancelled, Died)
        assert getattr(seen[-1], "job", None) == job
        return seen

    async def draw(self, **order) -> Drawn:
        last = (await self.told(**order))[-1]
        assert isinstance(last, Drawn), last
        return last

    async def failure(self, **order) -> Failure:
        last = (await self.told(**order))[-1]
        assert isinstance(last, Failed), last
        return last.failure


@asynccontextmanager
async def studio(folder: Path, *models: Path, **settings) -> AsyncIterator[Studio]:
    generator = LocalGenerator(models, folder, threads=1, device="cpu", **settings)
    await generator.start()
    try:
        yield Studio(generator, Catalogue(models, folder))
    finally:
        await generator.close()


@pytest.fixture(scope="module")
def broken_models(tmp_path_factory) -> Path:
    """ "mad": its weights give no numbers; "torn": a file of it breaks off."""
    folder = tmp_path_factory.mktemp("models")
    for name in ("mad", "torn"):
        shutil.copytree(BUNDLED, folder / name)
        (folder / name / "semilla.toml").unlink()
    weights = folder / "mad" / "unet" / "diffusion_pytorch_model.safetensors"
    numbers = load_file(weights)
    numbers["conv_out.bias"] = np.full_like(numbers["conv_out.bias"], np.nan)
    save_file(numbers, weights)
    torn = folder / "torn" / "vae" / "diffusion_pytorch_model.safetensors"
    torn.write_bytes(torn.read_bytes()[:100_000])
    return folder


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def worker(tmp_path_factory, broken_models) -> AsyncIterator[Studio]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "executable", seedbed.PYTHON)  # this one starts as it does at a user's
        folder = tmp_path_factory.mktemp("cache")
        async with studio(folder, broken_models, preview_every=2) as opened:
            patch.undo()
            yield opened


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def distance(one: Image.Image, other: Image.Image) -> float:
    """Mean difference of the colours of two pictures of one size, 0 … 255."""
    return float(np.abs(np.asarray(one, float) - np.asarray(other, float)).mean())


def png(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


async def test_first_it_says_what_identical_depends_on_and_that_it_loads_the_model(worker):
    seen = await worker.told()
    ready, loading, kept, loaded, started, *calls, drawn = seen
    assert isinstance(ready, Ready)
    assert set(ready.key) == {"device", "dtype", "threads", "instructions", "torch", "diffusers"}
    assert loading == Loading("semilla")
    assert kept == Kept(("semilla",))
    assert isinstance(loaded, Loaded)
    assert loaded.seconds > 0
    assert started == Started(drawn.job, 3)
    assert [(each.call, each.calls) for each in calls] == [(1, 3), (2, 3), (3, 3)]
    assert drawn.key == ready.key


async def test_a_picture_carries_its_recipe_and_its_hash(worker):
    drawn = await worker.draw(width=144, height=112)
    image = opened(drawn.png)
    assert image.size == (144, 112)
    assert metadata.pixel_hash(image) == drawn.pixel_hash
    assert metadata.read(drawn.png) == worker.recipe(width=144, height=112)
    assert drawn.trace == "2e3"
    assert drawn.notes == ()


async def test_without_guidance_the_network_is_asked_for_one_row(worker):
    assert (await worker.draw(guidance_scale=1.0)).trace == "1e3"


async def test_every_announced_shape_can_be_drawn(worker):
    model = worker.catalogue.default()
    for shape in ("portrait", "wide", "tall", "64x64", "256x64"):
        width, height, _ = model.size(shape)
        drawn = await worker.draw(width=width, height=height, steps=1)
        assert opened(drawn.png).size == (width, height)


async def test_every_sampler_gives_the_same_pixels_in_another_process(worker, tmp_path):
    async with studio(tmp_path, preview_every=0) as other:
        for number, sampler in enumerate(SAMPLERS):
            recipe = {"sampler": sampler.name, "seed": number, "steps": 2 + number % 3}
            recipe |= {"width": 64, "height": 64}
            first, again = await asyncio.gather(worker.draw(**recipe), other.draw(**recipe))
            assert first.pixel_hash == again.pixel_hash, sampler.name
            assert sum(1 for _ in widths(first.trace)) == worker.recipe(**recipe).calls


def widths(trace: str) -> Iterator[int]:
    for part in trace.split(","):
        width, count = part.split("e")
        yield from [int(width)] * int(count)


@pytest.mark.parametrize("sampler", NOISY)
async def test_a_variation_of_strength_0_is_the_original_with_every_noisy_sampler(worker, sampler):
    plain = await worker.draw(sampler=sampler)
    same = await worker.draw(sampler=sampler, variations=(Variation(9, 0.0),))
    other = await worker.draw(sampler=sampler, variations=(Variation(9, 0.5),))
    assert plain.pixel_hash == same.pixel_hash != other.pixel_hash


async def test_what_was_drawn_before_changes_nothing(worker):
    first = await worker.draw(sampler="dpm++ 2m sde", seed=1)
    await worker.draw(sampler="dpm++ 2m sde", seed=2, steps=5)
    again = await worker.draw(sampler="dpm++ 2m sde", seed=1)
    assert first.pixel_hash == again.pixel_hash


async def test_a_replay_takes_the_widths_of_its_trace(worker):
    plain = await worker.draw()
    replayed = await worker.draw(trace="4e2,2e1")
    assert replayed.trace == "4e2,2e1"
    assert distance(opened(plain.png), opened(replayed.png)) < 1
    assert (await worker.draw(trace="4e2,2e1")).pixel_hash == replayed.pixel_hash


async def test_previews_come_now_and_then_and_grow_like_the_picture(worker):
    seen = await worker.told(steps=16, sampler="ddim")
    final = opened(seen[-1].png).resize((16, 16), Image.Resampling.BOX)
    previews = {e.call: e.preview for e in seen if isinstance(e, Called) and e.preview}
    assert list(previews) == [2, 4, 6, 8, 10, 12, 14]
    distances = [distance(opened(webp), final) for webp in previews.values()]
    assert distances[0] > distances[3] > distances[-1]
    assert distances[-1] < 20
    assert all(len(webp) < 2000 for webp in previews.values())


async def test_a_picture_is_given_up_before_its_next_call(worker):
    job = worker.order(steps=150)
    await worker.until(Called)
    worker.generator.cancel(job)
    seen = await worker.until(Drawn, Cancelled)
    assert seen[-1] == Cancelled(job)
    assert len(seen) < 20
    assert (await worker.draw()).trace == "2e3"


async def test_what_waits_can_be_given_up_and_the_others_go_on(worker):
    first, second, third = (worker.order(seed=seed) for seed in range(3))
    worker.generator.cancel(second)
    ended = [(await worker.until(Drawn, Cancelled))[-1] for _ in range(3)]
    assert Cancelled(second) in ended
    assert [each.job for each in ended if isinstance(each, Drawn)] == [first, third]


async def test_words_that_do_not_fit_are_told(worker):
    prompt = " ".join(["cat"] * 485) + " dragon"
    (note,) = (await worker.draw(prompt=prompt, steps=1)).notes
    assert note.kind is NoteKind.PROMPT_CUT
    assert note.facts["words"].startswith("cat")
    assert note.facts["words"].endswith("dragon")
    assert note.facts["limit"] == "480"


async def test_prompt_syntax_reaches_the_picture_and_nothing_missing_is_silent(worker):
    plain = await worker.draw(prompt="a cat, a tree")
    weighted = await worker.draw(prompt="a (cat:1.5), a tree <lora:absent:1>")
    assert [(each.kind, each.facts["name"]) for each in weighted.notes] == [
        (NoteKind.LORA_MISSING, "absent")
    ]
    scheduled = await worker.draw(prompt="a [cat:dog:2], a tree")
    assert len({each.pixel_hash for each in (plain, weighted, scheduled)}) == 3
    without = await worker.draw(prompt="a cat, a tree <lora:absent:1>")
    assert without.pixel_hash == plain.pixel_hash
    together = await worker.draw(prompt="a cat AND a tree")
    assert together.trace == "4e3"  # three rows in a power of two
    assert metadata.read(together.png).prompt == "a cat AND a tree"


async def test_a_negative_prompt_without_guidance_is_told_to_do_nothing(worker):
    drawn = await worker.draw(guidance_scale=1.0, negative_prompt="blue")
    assert [each.kind for each in drawn.notes] == [NoteKind.NEGATIVE_WITHOUT_EFFECT]
    assert drawn.pixel_hash == (await worker.draw(guidance_scale=1.0)).pixel_hash


async def test_the_negative_prompt_changes_the_picture(worker):
    plain = await worker.draw(steps=8)
    without = await worker.draw(steps=8, negative_prompt="blue")
    assert distance(opened(plain.png), opened(without.png)) > 5


def drawing() -> Image.Image:
    image = Image.new("RGB", (128, 128), (250, 220, 60))
    image.paste((30, 60, 200), (32, 32, 96, 96))
    return image


async def test_a_little_strength_keeps_the_initial_image_and_none_gives_it_back(worker):
    far = {"initial_image": "ab" * 32, "image": png(drawing()), "steps": 8}
    none, little, much = [await worker.draw(**far, strength=s) for s in (0.0, 0.3, 0.9)]
    assert none.trace == ""
    distances = [distance(opened(each.png), drawing()) for each in (none, little, much)]
    assert distances == sorted(distances)
    assert distances[0] < 10 < distances[2]


@pytest.mark.parametrize("sampler", [each.name for each in SAMPLERS])
async def test_every_sampler_can_begin_with_an_image(worker, sampler):
    recipe = {"initial_image": "ab" * 32, "steps": 10, "strength": 0.25, "sampler": sampler}
    drawn = await worker.draw(image=png(drawing()), **recipe)
    assert sum(1 for _ in widths(drawn.trace)) == worker.recipe(**recipe).calls
    assert distance(opened(drawn.png), drawing()) < 60


async def test_an_initial_image_of_another_shape_is_fitted_and_told(worker):
    wide = {"initial_image": "ab" * 32, "strength": 0.5}
    stretched = await worker.draw(image=png(drawing().resize((200, 90))), **wide)
    assert opened(stretched.png).size == (128, 128)
    assert stretched.notes == (Note(NoteKind.IMAGE_RESIZED, {"size": "128x128"}),)
    assert (await worker.draw(image=png(drawing().resize((256, 256))), **wide)).notes == ()


async def test_a_broken_initial_image_fails_alone(worker):
    broken = {"initial_image": "ab" * 32, "strength": 0.5}
    assert await worker.failure(image=b"no image", **broken) is Failure.IMAGE_BROKEN
    assert await worker.failure(image=png(drawing())[:300], **broken) is Failure.IMAGE_BROKEN
    assert await worker.draw()


async def test_a_model_that_is_gone_or_another_fails_alone(worker):
    assert await worker.failure(model_hash="00" * 32) is Failure.MODEL_CHANGED
    worker.job += 1
    gone = worker.recipe(model_hash="00" * 32).to_json() | {"model": "nobody"}
    worker.generator.submit(Submit(worker.job, GenerationRequest.from_json(gone)))
    (failed,) = [e for e in await worker.until(Failed, Drawn) if isinstance(e, Failed)]
    assert failed.failure is Failure.MODEL_MISSING
    assert await worker.draw()


async def test_broken_weights_and_lost_numbers_fail_alone(worker):
    assert await worker.failure(model="torn") is Failure.MODEL_BROKEN
    assert await worker.failure(model="mad") is Failure.NOT_A_NUMBER
    assert await worker.draw()


async def test_whatever_is_wrong_with_an_order_the_worker_lives_on(worker):
    assert await worker.failure(sampler="no such") is Failure.FAULT
    assert await worker.failure(width=4, height=4) is Failure.FAULT
    assert await worker.draw()


@pytest.mark.skipif(os.name == "nt", reason="kill -9 is of POSIX systems")
async def test_a_killed_worker_tells_its_jobs_and_a_new_one_draws(tmp_path):
    async with studio(tmp_path) as mortal:
        jobs = (mortal.order(steps=150), mortal.order())
        await mortal.until(Called)
        killed = mortal.generator.pid
        os.kill(killed, signal.SIGKILL)
        await asyncio.sleep(0.1)
        late = mortal.order()  # while there is no worker
        died = (await mortal.until(Died))[-1]
        assert died.jobs == (*jobs, late)
        assert mortal.generator.pid != killed
        assert opened((await mortal.draw()).png).size == (128, 128)


async def test_a_worker_without_work_lets_go_of_all_memory_until_the_next_order(tmp_path):
    async with studio(tmp_path, rest_minutes=0.5 / 60) as idle:
        before, worker = await idle.draw(steps=4), idle.generator.pid
        await idle.until(Resting)
        assert (await idle.draw(steps=4)).pixel_hash == before.pixel_hash
        assert idle.generator.pid != worker


async def test_what_is_ordered_as_the_worker_goes_to_rest_is_drawn_or_cancelled(tmp_path):
    async with studio(tmp_path) as idle:
        for _ in range(3):
            await idle.draw(steps=1)
            idle.generator.rest()
            jobs = {idle.order(steps=2), idle.order(steps=150), idle.order(steps=2)}
            idle.generator.cancel(idle.job - 1)
            ends = [(await idle.until(Drawn, Cancelled, Failed, Died))[-1] for _ in jobs]
            assert {end.job for end in ends if isinstance(end, Drawn)} == jobs - {idle.job - 1}
            assert [e.job for e in ends if isinstance(e, Cancelled)] == [idle.job - 1]


@pytest.mark.skipif(os.name == "nt", reason="kill -9 is of POSIX systems")
async def test_a_worker_that_can_not_be_started_for_a_while_draws_afterwards(tmp_path, monkeypatch):
    async with studio(tmp_path) as mortal:
        await mortal.until(Ready)
        with monkeypatch.context() as system:
            system.setattr(sys, "executable", str(tmp_path / "nowhere"))
            os.kill(mortal.generator.pid, signal.SIGKILL)
            assert (await mortal.until(Died))[-1].jobs == ()
            job = mortal.order()
        assert (await mortal.until(Died))[-1].jobs == (job,)
        assert opened((await mortal.draw()).png).size == (128, 128)


@pytest.mark.skipif(os.name == "nt", reason="the worker is a script of the shell first")
async def test_a_worker_that_is_not_understood_makes_place_for_a_new_one(tmp_path, monkeypatch):
    script = tmp_path / "python"
    much = "head -c 400000 /dev/zero"  # more than is kept of what nobody reads
    mad = rf"printf '\0\0\0\2\0\0\0\0[]'; {much}; exec sleep 600"
    script.write_text(
        f'#!/bin/sh\nmkdir {tmp_path}/mad 2>/dev/null && {{ {mad}; }}\nexec {sys.executable} "$@"\n'
    )
    script.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(script))
    async with studio(tmp_path / "cache") as mortal:
        job = mortal.order()
        assert (await mortal.until(Died))[-1].jobs == (), "the new one gets the order"
        drawn = (await mortal.until(Drawn))[-1]
        assert drawn.job == job
        assert opened(drawn.png).size == (128, 128)


@pytest.mark.skipif(os.name == "nt", reason="the worker is a script of the shell first")
async def test_why_a_worker_ends_is_told_and_logged_and_shown_once(
    tmp_path, monkeypatch, caplog, capfd
):
    script = tmp_path / "python"
    much = "head -c 400000 /dev/zero | tr '\\0' x"  # more than a pipe holds
    last = "ImportError: libcuda.so.1"
    script.write_text(
        f"#!/bin/sh\nmkdir {tmp_path}/mad || exec sleep 60\n"
        f"{{ {much}; echo; echo {last}; }} >&2\nsleep 9 >&- &\nexit 3\n"
    )
    script.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(script))
    caplog.set_level("INFO")
    async with studio(tmp_path / "cache") as mortal:
        assert (await mortal.until(Died))[-1].detail.endswith(last)
    assert f"the worker says: {last}" in caplog.messages
    assert capfd.readouterr().err.count(last) == 1


@pytest.mark.usefixtures("unprepared")
async def test_it_ends_when_its_chat_process_does_amid_an_order_too(worker, tmp_path):
    frame = frames.encode(Submit(1, worker.recipe()))
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "generator.worker", f"--cache={tmp_path}", "--device=cpu"),
        **{"stdin": pipe, "stdout": pipe},
    )
    await process.stdout.readexactly(1)
    async with asyncio.timeout(PATIENCE_SECONDS / 4):
        await process.communicate(frame[: len(frame) // 2])
    assert process.returncode == 0


LOST = """
import time

import torch
from generator import worker


def lost(*_):
    raise torch.AcceleratorError("CUDA error: unspecified launch failure")


def compiled(*_, **__):
    torch.accelerator.synchronize = lost
    torch.nn.modules.module.register_module_forward_pre_hook(lost)
    time.sleep(600)


torch.compile = compiled
worker.main()
"""


async def test_it_ends_at_once_when_the_card_is_lost_while_a_network_is_compiled(worker, tmp_path):
    recipe = worker.recipe(steps=50)
    frame = frames.encode(Submit(1, recipe, trace="2c50")) + frames.encode(Submit(2, recipe))
    pipe, options = asyncio.subprocess.PIPE, ("--device=cpu", "--compiled")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", LOST, f"--cache={tmp_path}", *options),
        **{"stdin": pipe, "stdout": pipe, "stderr": pipe},
    )
    process.stdin.write(frame)
    async with asyncio.timeout(PATIENCE_SECONDS / 2):
        told = await process.stderr.read()
        assert await process.wait() == 1
    assert b"unspecified launch failure" in told


@pytest.mark.usefixtures("unprepared")
async def test_stopped_while_it_still_starts_nobody_waits_for_its_libraries(tmp_path):
    async with asyncio.timeout(client.PATIENCE_SECONDS / 2):
        async with studio(tmp_path):
            await asyncio.sleep(0.5)  # it has begun to import them


async def test_every_message_arrives_as_it_was_sent():
    recipe = GenerationRequest(
        **{"model": "m", "model_hash": "00", "prompt": "ñ 🐧", "width": 8, "height": 8},
        **{"steps": 1, "sampler": "ddim", "guidance_scale": 1.5, "seed": 1},
        variations=(Variation(9, 0.15),),
    )
    notes = (Note(NoteKind.PROMPT_CUT, {"words": "ñ"}),)
    sent = [
        *(Submit(1, recipe, b"\0image", "2e3"), Submit(2, recipe), Cancelled(1), Loading("m")),
        *(
            Ready({"device": "cpu"}),
            Loaded("m", 0.5),
            Kept(("m", "n")),
            Started(1, 3),
            Called(1, 2, 3, b"webp"),
        ),
        *(Called(1, 2, 3), Failed(1, Failure.OUT_OF_MEMORY, "detail")),
        Drawn(1, b"\x89PNG", "ab", {"device": "cpu"}, "2e3", 1.25, notes),
    ]
    for message in sent:
        frame = frames.encode(message)
        header, body = frames.PREFIX.unpack(frame[: frames.PREFIX.size])
        text = frame[frames.PREFIX.size :]
        assert len(text) == header + body
        assert frames.decode(text[:header], text[header:]) == message
