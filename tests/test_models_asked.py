"""What members can ask of models in a chat: masks, second passes, sizes, files, their defaults."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from unittest.mock import AsyncMock

import numpy as np
import pytest
import pytest_asyncio
import torch
from PIL import Image
from safetensors.torch import save_file

from bot.conversation import Reply, Tone
from db.models import Answer, Job
from generator import metadata
from generator.request import GenerationRequest, Hires
from tests import micro_models as micro
from tests.chat import ANA, CLASS, Chat, open_chat
from tests.test_catalogue import large

pytestmark = pytest.mark.asyncio(loop_scope="module")

TOML = """
prefix = "masterpiece"
negative = "ugly"
clip_skip = 2
sampler = "DPM++ 2M Karras"
steps = 2
guidance_scale = 3.5
width = 32
height = 32
vae = "mild"
"""


@pytest.fixture(scope="module")
def shelf(tmp_path_factory) -> Path:
    """Of an installation of AUTOMATIC1111's: a model with its settings, a VAE, LoRAs."""
    root = tmp_path_factory.mktemp("webui")
    models = root / "models"
    micro.transformer_pipeline().save_pretrained(models / "diffusers" / "sd3")
    micro.single_file(micro.pipeline("sd1"), "sd1", models / "Stable-diffusion" / "own.safetensors")
    (models / "Stable-diffusion" / "own.toml").write_text(TOML)
    for folder, name, weights in (
        ("VAE", "mild", micro.original_vae(micro.vae())),
        ("Lora", "ink", lora(768)),
        ("Lora", "large", lora(2048)),
        ("Lora", "odd", {"lora_unet_x.hada_w1_a": torch.zeros(4, 4)}),
        ("Lora", "EasyNegative", {"emb_params": torch.randn(2, 768)}),
    ):
        (models / folder).mkdir(exist_ok=True)
        weights = {each: value.contiguous() for each, value in weights.items()}
        save_file(weights, models / folder / f"{name}.safetensors")
    (models / "Lora" / "ink.toml").write_text('triggers = ["inked", "black ink"]')
    return root


def lora(width: int) -> dict[str, torch.Tensor]:
    """Of the micro model's first cross-attention, or of one with another width."""
    key = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k"
    down, up = torch.randn(4, width), torch.randn(32, 4)
    return {f"{key}.lora_down.weight": down, f"{key}.lora_up.weight": up}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chat(shelf, tmp_path_factory) -> AsyncIterator[Chat]:
    more = {"SEMILLA_GENERATOR__MODELS_FOLDERS": str(shelf)}
    async with open_chat(tmp_path_factory.mktemp("data"), **more) as opened:
        yield opened


def png(chat: Chat, reply: Reply) -> bytes:
    return chat.semilla.database.storage.path(reply.pictures[0].file).read_bytes()


def recipe(chat: Chat, reply: Reply) -> GenerationRequest:
    found = metadata.read(png(chat, reply))
    assert found is not None
    return found


def pixels(chat: Chat, reply: Reply) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png(chat, reply))).convert("RGB"), dtype=int)


async def test_a_second_pass_is_asked_for_by_how_many_times_as_large(chat):
    asked = await chat.ask("a red cat size:64x64 hires:2 seed:3 steps:4")
    request = recipe(chat, asked)
    assert (request.width, request.height) == (128, 128)
    assert request.hires == Hires(64, 64, 4, 0.5)
    shown = await chat.type(f"/recipe {asked.pictures[0].code}")
    assert "drawn at 64x64 first" in shown.text
    line = shown.text.split("To make it again: `")[1].rstrip("`").replace("\\", "")
    assert (pixels(chat, await chat.ask(line)) == pixels(chat, asked)).all()
    plain = await chat.ask(f"/reroll {asked.pictures[0].code} hires:1")
    assert recipe(chat, plain).hires is None
    assert pixels(chat, plain).shape == (64, 64, 3)


async def test_a_picture_in_two_passes_is_remade_as_large_whatever_its_sides_round_to(chat):
    asked = await chat.ask("a red cat size:64x96 hires:1.4 seed:3 steps:1")
    assert (recipe(chat, asked).width, recipe(chat, asked).height) == (96, 128)
    again = await chat.ask(f"/reroll {asked.pictures[0].code}")
    assert (pixels(chat, again) == pixels(chat, asked)).all()
    shown = await chat.type(f"/recipe {asked.pictures[0].code}")
    line = shown.text.split("To make it again: `")[1].rstrip("`").replace("\\", "")
    assert (pixels(chat, await chat.ask(line)) == pixels(chat, asked)).all()


async def test_no_other_model_stands_in_for_one_that_is_gone(chat, shelf):
    """Nor is one lost that has another name by now."""
    folder = shelf / "models" / "Stable-diffusion"
    for seed, name in enumerate(("dream", "dream-two", "slumber"), 8):
        (folder / f"{name}.toml").write_text("width = 32\nheight = 32")
        made = micro.pipeline("sd1", seed=seed)
        micro.single_file(made, "sd1", folder / f"{name}.safetensors")
    dream, slumber = folder / "dream.safetensors", folder / "slumber.safetensors"
    slumber.unlink()
    chat.semilla.catalogue.refresh()
    asked = await chat.ask("a cat model:dream steps:1")
    code = asked.pictures[0].code
    aside = dream.rename(shelf / "aside.safetensors")
    chat.semilla.catalogue.refresh()
    for line in (f"/reroll {code}", f"/vary {code}", f"/reroll {code} steps:2"):
        refused = await chat.type(line)
        assert refused.tone is Tone.REFUSED
        assert "dream" in refused.text
    aside.rename(slumber)
    chat.semilla.catalogue.refresh()
    again = await chat.ask(f"/reroll {code}")
    assert (pixels(chat, again) == pixels(chat, asked)).all()
    assert recipe(chat, again).model == "slumber"


async def test_a_part_of_a_picture_is_drawn_anew_by_its_name(chat):
    first = await chat.ask("a red cat seed:3 steps:4")
    code = first.pictures[0].code
    for part, language, kept in (("left", "en", np.s_[:, 72:]), ("abajo", "es", np.s_[:56])):
        asked = await chat.ask(f"a blue frog image:{code} mask:{part} steps:4", language=language)
        before, after = pixels(chat, first), pixels(chat, asked)
        assert (after[kept] == before[kept]).all()
        assert np.abs(after - before).mean() > 3
    again = await chat.ask(f"/reroll {asked.pictures[0].code}")
    assert (pixels(chat, again) == after).all()
    assert (
        "dibujada sobre una parte"
        in (await chat.type(f"/recipe {asked.pictures[0].code}", language="es")).text
    )


async def test_what_is_transparent_in_an_upload_is_drawn_anew(chat):
    image = Image.new("RGBA", (128, 128), (10, 200, 30, 255))
    image.paste((0, 0, 0, 0), (0, 0, 128, 64))
    file = io.BytesIO()
    image.save(file, "PNG")
    asked = await chat.ask("a red cat steps:4", image=file.getvalue())
    assert recipe(chat, asked).masked
    assert (pixels(chat, asked)[64:] == (10, 200, 30)).all()
    file = io.BytesIO()
    image.convert("RGB").save(file, "PNG")
    assert not recipe(chat, await chat.ask("a red cat steps:2", image=file.getvalue())).masked


async def test_parts_that_are_none_are_refused_and_told(chat):
    first = await chat.ask("a red cat seed:3 steps:2")
    nowhere = await chat.ask(f"a frog image:{first.pictures[0].code} mask:nose")
    without = await chat.ask("a frog mask:left")
    assert [each.tone for each in (nowhere, without)] == [Tone.REFUSED] * 2
    assert "left, right, top, bottom, middle or around" in nowhere.text
    assert "needs a picture" in without.text


async def test_beyond_what_the_model_draws_a_picture_is_enlarged_only_and_it_is_told(chat):
    first = await chat.ask("a heart seed:5 steps:2")
    large = await chat.ask(f"/upscale {first.pictures[0].code}")
    assert recipe(chat, large).upscaler is None
    largest = await chat.ask(f"/upscale {large.pictures[0].code}")
    assert (largest.pictures[0].width, largest.pictures[0].height) == (512, 512)
    expected = Image.fromarray(pixels(chat, large).astype("uint8")).resize(
        (512, 512), Image.LANCZOS
    )
    assert (pixels(chat, largest) == np.asarray(expected)).all()
    assert "added nothing" in (await chat.type(f"/recipe {largest.pictures[0].code}")).text
    again = await chat.ask(f"/reroll {largest.pictures[0].code}")
    assert (pixels(chat, again) == pixels(chat, largest)).all()
    varied = await chat.ask(f"/vary {largest.pictures[0].code} strength:0 seed:1")
    assert recipe(chat, varied).upscaler is None
    assert (pixels(chat, varied) == pixels(chat, large)).all()


async def test_a_picture_can_be_enlarged_without_drawing(chat):
    first = await chat.ask("a heart seed:5 steps:2")
    large = await chat.ask(f"/upscale {first.pictures[0].code} detail:no")
    assert recipe(chat, large).upscaler == "lanczos"


async def test_a_models_own_defaults_are_taken_where_nothing_else_is_asked(chat):
    asked = recipe(chat, await chat.ask("a red cat model:own seed:1"))
    assert asked.prompt == "masterpiece, a red cat"
    assert (asked.negative_prompt, asked.clip_skip) == ("ugly", 2)
    assert (asked.sampler, asked.schedule, asked.steps) == ("dpm++ 2m", "karras", 2)
    assert (asked.width, asked.height, asked.guidance_scale) == (32, 32, 3.5)
    assert asked.vae == "mild"
    assert len(asked.vae_hash or "") == 64
    made = await chat.ask('Masterpiece, a cat model:own clip_skip:1 negative:"" emphasis:none')
    chosen = recipe(chat, made)
    assert chosen.prompt == "Masterpiece, a cat"
    assert (chosen.negative_prompt, chosen.clip_skip, chosen.emphasis) == ("", 1, "none")
    shown = (await chat.type(f"/recipe {made.pictures[0].code}")).text.replace("\\", "")
    assert ' negative:"" ' in shown, "none of the model's joins when it is made again"
    assert shown.endswith("clip-skip:1`"), "nor its clip skip"


async def test_files_that_a_prompt_names_are_in_the_recipe_with_their_hashes(chat):
    asked = await chat.ask("a cat <lora:ink:0.8> negative:EasyNegative model:own")
    found = {each.name: each for each in recipe(chat, asked).extras}
    assert {name: each.kind for name, each in found.items()} == {
        "ink": "lora",
        "EasyNegative": "embedding",
    }
    text = metadata.infotext(recipe(chat, asked))
    assert f'Lora hashes: "ink: {found["ink"].hash[:12]}"' in text
    assert f'TI hashes: "EasyNegative: {found["EasyNegative"].hash[:12]}"' in text
    assert "Clip skip: 2" in text
    assert "VAE: mild" in text
    assert found["ink"].hash[:10] in (await chat.type(f"/recipe {asked.pictures[0].code}")).text


async def test_an_embedding_is_not_found_inside_a_word(chat):
    asked = await chat.ask("an EasyNegatives cat negative:uneasynegative model:own")
    assert recipe(chat, asked).extras == ()


async def test_a_loras_weight_may_have_a_decimal_comma(chat):
    asked = recipe(chat, await chat.ask("a cat lora:ink:0,5, model:own"))
    assert asked.prompt.endswith("<lora:ink:0.5>")
    typed = await chat.ask("a cat <lora:ink:0,5> model:own seed:1")
    pointed = await chat.ask("a cat <lora:ink:0.5> model:own seed:1")
    whole = await chat.ask("a cat <lora:ink:strong> model:own seed:1")
    assert (pixels(chat, typed) == pixels(chat, pointed)).all()
    assert (pixels(chat, typed) != pixels(chat, whole)).any()
    assert '"<lora:ink:strong>" as "<lora:ink:1:1>"' in whole.pictures[0].caption


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ("a cat lora:ink:strong model:own", '"strong" is no weight'),
        ("a cat <lora:large:1> model:own", "was made for sdxl, and own is sd1"),
        ("a cat <lora:odd:1> model:own", "it is a LyCORIS"),
        ("a cat vae:nothing model:own", "There are: mild"),
    ],
)
async def test_files_that_do_not_fit_are_refused_with_the_reason(chat, asked, why):
    reply = await chat.ask(asked)
    assert reply.tone is Tone.REFUSED
    assert why in reply.text


async def test_another_architecture_draws_from_words_and_says_so_of_the_rest(chat):
    first = await chat.ask("a red cat model:sd3 size:32x32 steps:2 seed:4")
    assert recipe(chat, first).model == "sd3"
    again = await chat.ask(f"/reroll {first.pictures[0].code}")
    assert (pixels(chat, again) == pixels(chat, first)).all()
    for line in (
        f"a cat model:sd3 image:{first.pictures[0].code}",
        "a cat model:sd3 hires:2",
        f"/vary {first.pictures[0].code}",
    ):
        reply = await chat.ask(line)
        assert reply.tone is Tone.REFUSED
        assert "sd3 takes no pictures" in reply.text
    large = await chat.ask(f"/upscale {first.pictures[0].code}")
    assert recipe(chat, large).upscaler == "lanczos"


async def test_the_form_for_changing_shows_what_is_seldom_only_where_it_is_used(chat):
    plain = await chat.ask("a red cat steps:1")
    tiled = await chat.ask("a red cat steps:1 tiling:yes hires:1.5 size:64x64")
    forms = [(await chat.type(f"/edit {each.pictures[0].code}")).form for each in (plain, tiled)]
    names = [{field.name for field in form.fields} for form in forms]
    assert names[1] - names[0] == {"tiling", "hires"}


async def test_a_recipe_whose_file_was_replaced_says_so(chat, shelf):
    asked = await chat.ask("a cat <lora:ink:0.8> model:own seed:5")
    save_file(lora(768), shelf / "models" / "Lora" / "ink.safetensors")
    again = await chat.ask(f"/reroll {asked.pictures[0].code}")
    assert (
        '"ink" is another file by now'
        in (await chat.type(f"/recipe {again.pictures[0].code}")).text
    )


async def test_what_another_architecture_has_no_use_for_is_told_and_not_in_its_recipe(chat):
    line = 'a cat model:sd3 sampler:"heun karras" clip_skip:2 emphasis:none vae:mild'
    asked = await chat.ask(f"{line} steps:2 seed:1 size:32x32")
    made = recipe(chat, asked)
    assert (made.sampler, made.schedule, made.clip_skip) == ("euler", "automatic", 1)
    assert (made.emphasis, made.vae, made.calls) == ("original", None, 2)
    told = (
        '"sampler:heun, schedule:karras, clip_skip:2, emphasis:none, vae:mild" has no counterpart'
    )
    assert any(told in note for note in asked.pictures[0].notes)


async def test_a_lora_is_chosen_by_its_name_and_brings_the_word_that_it_answers_to(chat):
    asked = await chat.ask("a cat lora:ink:0.5 model:own")
    assert recipe(chat, asked).prompt.endswith("a cat, inked <lora:ink:0.5>")
    weaker = await chat.ask(f"/reroll {asked.pictures[0].code} lora:INK:0.2")
    assert recipe(chat, weaker).prompt.endswith("a cat, inked <lora:ink:0.2>")
    both = await chat.ask(f"/reroll {asked.pictures[0].code} lora:EasyNegative")
    assert "EasyNegative" in recipe(chat, both).prompt
    assert "inked" in recipe(chat, both).prompt
    refused = await chat.type("a cat lora:oil model:own")
    assert "There are: ink, EasyNegative" in refused.text


async def test_a_pasted_recipe_is_drawn_by_its_model_with_its_vae(chat: Chat) -> None:
    settings = "Steps: 1, Sampler: Euler, Seed: 3, Model: Own, VAE: mild.safetensors"
    reply = await chat.ask(f"a cat\n{settings}")
    found = metadata.read(png(chat, reply))
    assert (found.model, found.vae) == ("own", "mild")
    assert (found.negative_prompt, found.clip_skip) == ("", 1), "it had none"


async def test_making_a_picture_again_names_the_lora_that_was_replaced(
    chat: Chat, shelf: Path
) -> None:
    first = await chat.ask("a cat <lora:ink:1> model:own seed:3")
    save_file(lora(768), shelf / "models" / "Lora" / "ink.safetensors")
    again = await chat.ask(f"/reroll {first.pictures[0].code}")
    assert "≠ Not identical" in again.pictures[0].caption
    assert "the file of ink has changed since" in again.pictures[0].caption
    other = await chat.ask(f"/reroll {first.pictures[0].code} steps:1")
    assert any('"ink" is another file by now' in note for note in other.pictures[0].notes)
    once_more = await chat.ask(f"/reroll {again.pictures[0].code}")
    assert "Identical" in once_more.pictures[0].caption
    assert "ink" not in "".join(once_more.pictures[0].notes), "that one was drawn with this file"


async def test_making_a_picture_again_names_what_was_installed_since(
    chat: Chat, shelf: Path
) -> None:
    first = await chat.ask("a cat, __since__ <lora:later:1> model:own seed:3")
    save_file(lora(768), shelf / "models" / "Lora" / "later.safetensors")
    (shelf / "wildcards").mkdir(exist_ok=True)
    (shelf / "wildcards" / "since.txt").write_text("in a hat")
    await asyncio.to_thread(chat.semilla.catalogue.refresh)
    again = (await chat.ask(f"/reroll {first.pictures[0].code}")).pictures[0]
    assert "the file of later, since has changed since, or wasn't here yet" in again.caption
    once_more = (await chat.ask(f"/reroll {again.code}")).pictures[0]
    assert "Identical" in once_more.caption


async def test_a_word_of_a_picture_stays_one_when_an_embedding_is_called_so(
    chat: Chat, shelf: Path
) -> None:
    """Also in what is made of it, but for words that are typed since."""
    (shelf / "wildcards").mkdir(exist_ok=True)
    (shelf / "wildcards" / "birds.txt").write_text("owl")
    first = await chat.ask("a moth, __birds__ model:own seed:3 steps:1")
    marked = await chat.ask("a moth, embedding:wasp model:own seed:3 steps:1")
    folder = shelf / "embeddings"
    folder.mkdir()
    for name in ("moth", "owl", "wasp", "bee"):
        save_file({"emb_params": torch.randn(2, 768)}, folder / f"{name}.safetensors")
    await asyncio.to_thread(chat.semilla.catalogue.refresh)
    code = first.pictures[0].code
    again = (await chat.ask(f"/reroll {code}")).pictures[0]
    assert "Identical" in again.caption

    async def named(line: str) -> set[str]:
        found = recipe(chat, await chat.ask(line)).extras
        return {each.name for each in found if each.kind == "embedding"}

    assert await named(f"/vary {code} strength:0.5") == set()
    assert await named(f"/reroll {code} steps:2") == set()
    assert await named(f'/reroll {code} prompt:"a moth and a bee"') == {"bee"}
    assert await named(f'/reroll {code} prompt:"a moth, embedding:owl"') == {"owl"}
    assert await named("a moth, __birds__ model:own steps:1") == {"moth", "owl"}
    other = (await chat.ask(f"/reroll {marked.pictures[0].code}")).pictures[0]
    assert "the file of wasp has changed since, or wasn't here yet" in other.caption
    for name in ("moth", "owl", "wasp", "bee"):
        (folder / f"{name}.safetensors").unlink()
    await asyncio.to_thread(chat.semilla.catalogue.refresh)


async def test_the_loras_that_a_seed_draws_are_in_the_recipe_and_no_others(
    chat: Chat, shelf: Path
) -> None:
    """Each picture of an order has those that its own seed draws."""
    (shelf / "wildcards").mkdir(exist_ok=True)
    styles = shelf / "wildcards" / "styles.txt"
    styles.write_text("inked <lora:ink:0.8>\nplain <lora:large:1>\n")
    await asyncio.to_thread(chat.semilla.catalogue.refresh)
    asked = await chat.ask("a cat, {__styles__|in a hat} model:own seed:1 steps:1 count:4")
    inked = ["inked" in "".join(each.notes) for each in asked.pictures]
    found = [recipe(chat, replace(asked, pictures=(each,))).extras for each in asked.pictures]
    named = [{each.name for each in extras} for extras in found]
    assert named == [{"styles", "ink"} if each else {"styles"} for each in inked]
    assert set(inked) == {True, False}
    save_file(lora(768), shelf / "models" / "Lora" / "ink.safetensors")
    again = (await chat.ask(f"/reroll {asked.pictures[inked.index(True)].code}")).pictures[0]
    assert "the file of ink has changed since" in again.caption
    once_more = (await chat.ask(f"/reroll {again.code} count:4")).pictures
    assert "Identical" in once_more[0].caption


@pytest.mark.parametrize("model", ["own", "sd3"])
async def test_making_a_picture_again_names_the_list_of_words_that_was_edited(
    chat: Chat, shelf: Path, model: str
) -> None:
    """Also one that only another list names."""
    lists = shelf / "wildcards"
    lists.mkdir(exist_ok=True)
    (lists / "pet.txt").write_text("small __animal__\n")
    (lists / "animal.txt").write_text("cat\ndog\n")
    first = await chat.ask(f"a __pet__ model:{model} seed:3 steps:2")
    same = await chat.ask(f"/reroll {first.pictures[0].code}")
    assert "Identical" in same.pictures[0].caption
    (lists / "animal.txt").write_text("a very large house\n")
    again = await chat.ask(f"/reroll {first.pictures[0].code}")
    assert "≠ Not identical" in again.pictures[0].caption
    assert ": the file of animal has changed" in again.pictures[0].caption


async def test_a_request_whose_vae_was_replaced_while_it_waited_can_be_tried_again(
    chat: Chat,
) -> None:
    first = await chat.ask("a cat model:own seed:4")
    recipe = replace(metadata.read(png(chat, first)), vae_hash="0" * 64)
    waiting = Answer(
        origin="replaced",
        adapter="chat",
        guild=CLASS.id,
        member=ANA.id,
        member_name=ANA.name,
        language="en",
        line="/imagine prompt:cat",
    )
    job = Job(guild=CLASS.id, member=ANA.id, recipe=recipe.to_json())
    accepted = await chat.semilla.dispatch.accept(waiting, [job])
    failed = await chat.wait_for(accepted.id)
    assert "just changed" in failed.text
    await chat.type(failed.buttons[0][0].line)
    again = await chat.wait_for(accepted.id, times=2)
    assert (pixels(chat, again) == pixels(chat, first)).all()
    assert '"mild" is another file by now' in again.pictures[0].notes[0]


async def test_while_a_models_weights_are_still_being_read_nothing_is_drawn_with_another(
    tmp_path, monkeypatch
):
    monkeypatch.setattr("bot.housekeeping._look_for_models", AsyncMock(__name__="looking"))
    large(tmp_path / "models" / "dream", 0.1)
    async with open_chat(tmp_path) as chat:
        stored = chat.semilla.database.settings
        typed = await chat.type("a cat model:dream")
        await stored.set(CLASS.id, "guild", "", "model", "dream")
        usual = await chat.type("a cat")
        own = await chat.type("a cat model:semilla steps:1")
        await stored.set(CLASS.id, "guild", "", "model", None)
        await stored.set(CLASS.id, "guild", "", "models", "dream")
        allowed = await chat.type("a cat")
    for refused in (typed, usual, allowed):
        assert refused.tone is Tone.REFUSED
        assert '"dream" is still being read' in refused.text
    assert own.tone is Tone.ACCEPTED
