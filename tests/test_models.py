"""What lies in the owner's folders: found in everybody's layouts, told why not, never touched."""

from __future__ import annotations

import asyncio
import json
import os
import struct
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from generator.catalogue import Catalogue
from generator.headers import Kind, Reason
from tests.chat import open_chat
from tests.test_catalogue import model_folder

PARTS = ("first_stage_model.decoder.conv_in.weight", "cond_stage_model.transformer.x")
TO_K = "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight"
FIRST = "model.diffusion_model.input_blocks.0.0.weight"
KOHYA = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k"


def network(width: int = 768, channels: int = 4, parts: Iterable[str] = PARTS) -> dict:
    """What a model's file is known by."""
    found = {FIRST: torch.zeros(8, channels, 1, 1), TO_K: torch.zeros(8, width)}
    return found | {part: torch.zeros(8, 4, 1, 1) for part in parts}


def lora(width: int = 768) -> dict:
    down, up = torch.zeros(2, width), torch.zeros(8, 2)
    return {f"{KOHYA}.lora_down.weight": down, f"{KOHYA}.lora_up.weight": up}


def put(file: Path, weights: dict | None = None, **metadata: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    save_file(network() if weights is None else weights, file, metadata or None)
    return file


def catalogue(tmp_path: Path, *folders: Path) -> Catalogue:
    return Catalogue(folders or [tmp_path / "models"], tmp_path / "cache")


def test_what_macos_puts_beside_a_model_is_no_broken_model(tmp_path):
    put(tmp_path / "models" / "dream.safetensors")
    (tmp_path / "models" / "._dream.safetensors").write_bytes(b"\0\5\x16\7Mac OS X")
    found = catalogue(tmp_path)
    assert found.find("dream")
    assert found.refused() == []


def everything_in(folder: Path) -> dict[str, tuple[int, int]]:
    stats = {str(each): each.stat() for each in folder.rglob("*")}
    return {name: (each.st_size, each.st_mtime_ns) for name, each in stats.items()}


@pytest.mark.parametrize(
    ("program", "models", "vae", "loras", "embeddings"),
    [
        ("automatic1111", "models/Stable-diffusion", "models/VAE", "models/Lora", "embeddings"),
        ("forge", "models/Stable-diffusion/sub", "models/VAE", "models/Lora/sub", "embeddings"),
        ("comfyui", "models/checkpoints", "models/vae", "models/loras", "models/embeddings"),
    ],
)
def test_the_folders_of_other_programs_are_read_and_never_written(
    tmp_path, program, models, vae, loras, embeddings
):
    root = tmp_path / program
    put(root / models / "dream.safetensors")
    put(root / vae / "clear.safetensors", {"decoder.conv_in.weight": torch.zeros(8, 4, 1, 1)})
    put(root / loras / "ink.safetensors", lora())
    put(root / embeddings / "EasyNegative.safetensors", {"emb_params": torch.zeros(2, 768)})
    torch.save({"string_to_param": {"*": torch.zeros(1, 768)}}, root / embeddings / "bad.pt")
    put(root / "models" / "ControlNet" / "depth.safetensors", {"control_model.x": torch.zeros(1)})
    before = everything_in(root)
    found = catalogue(tmp_path, root)
    assert [each.name for each in found.models()] == ["semilla", "dream"]
    names = {kind: {each.name for each in found.extras(kind)} for kind in Kind}
    assert names[Kind.VAE] == {"clear"}
    assert names[Kind.LORA] == {"ink"}
    assert names[Kind.EMBEDDING] == {"EasyNegative", "bad"}
    assert found.refused() == []
    assert everything_in(root) == before


def torn(file: Path) -> None:
    put(file)
    file.write_bytes(file.read_bytes()[:-8])


def deep(file: Path) -> None:
    header = b"[" * 99_999
    file.write_bytes(struct.pack("<Q", len(header)) + header)


def endless(file: Path) -> None:
    folder = model_folder(file.with_suffix(""))
    (folder / "unet" / "config.json").write_text(
        '{"cross_attention_dim": 768, "sample_size": Infinity}'
    )


BROKEN = {
    "pickle": (Reason.PICKLE, lambda f: f.with_suffix(".ckpt").write_bytes(b"PK")),
    "torn": (Reason.TORN, torn),
    "empty": (Reason.TORN, lambda f: f.write_bytes(b"")),
    "no header": (Reason.UNREADABLE, lambda f: f.write_bytes(b"\xff" * 64)),
    "deep header": (Reason.UNREADABLE, deep),
    "endless size": (Reason.UNREADABLE, endless),
    "lycoris": (Reason.LYCORIS, lambda f: put(f, {"lora_unet_x.hada_w1_a": torch.zeros(2)})),
    "flux": (Reason.OTHER_FAMILY, lambda f: put(f, network(4096))),
    "flux lora": (Reason.OTHER_FAMILY, lambda f: put(f, lora(4096))),
    "instruct": (Reason.OTHER_FAMILY, lambda f: put(f, network(channels=8))),
    "network": (Reason.PARTS_MISSING, lambda f: put(f, network(parts=()))),
    "controlnet": (Reason.NO_MODEL, lambda f: put(f, {"control_model.x": torch.zeros(1)})),
    "unknown": (Reason.NO_MODEL, lambda f: put(f, {"x": torch.zeros(1, 1, 1)})),
}


def test_what_cannot_be_used_is_listed_with_its_reason_and_breaks_nothing(tmp_path):
    folder = tmp_path / "models"
    put(folder / "good.safetensors")
    for name, (_, make) in BROKEN.items():
        make(folder / f"{name}.safetensors")
    found = catalogue(tmp_path)
    assert [each.name for each in found.models()] == ["semilla", "good"]
    told = {each.name: each.reason for each in found.refused()}
    assert told == {name: reason for name, (reason, _) in BROKEN.items()}


@pytest.mark.parametrize(
    ("text", "usable"),
    [
        ('sampler = "euler a"\nsteps = 7\nguidance_scale = 3', True),
        ("steps = 7.5", False),
        *((each, False) for each in ("steps = 0", "guidance_scale = 70", "clip_skip = -1")),
        *((each, False) for each in ("width = 0", "height = 5120000", "guidance_scale = nan")),
        ('sampler = "nothing"', False),
        *((each, False) for each in ('name = " "', 'name = "a\\nb"', 'prediction = "soon"')),
        *((each, False) for each in ("triggers = [1]", "description = {en = 5}")),
        ("colour = 1", False),
        ("steps =", False),
        (f"steps = {'[' * 9999}", False),
    ],
)
def test_the_owners_own_settings_are_taken_and_mistakes_in_them_told(tmp_path, text, usable):
    put(tmp_path / "models" / "dream.safetensors")
    (tmp_path / "models" / "dream.toml").write_text(text)
    found = catalogue(tmp_path)
    if usable:
        model = found.find("dream")
        assert (model.sampler, model.steps, model.guidance_scale) == ("euler a", 7, 3)
    else:
        assert [each.reason for each in found.refused()] == [Reason.SETTINGS]


def test_the_size_that_an_owner_or_a_maker_names_is_one_that_the_model_can_draw(tmp_path):
    file = put(tmp_path / "models" / "dream.safetensors")
    file.with_name("dream.toml").write_text("width = 500\nheight = 767")
    assert catalogue(tmp_path).find("dream").native == (496, 768)
    for size in ("0x0", "100000x8", "9x99999"):
        put(tmp_path / "models" / "odd.safetensors", **{"modelspec.resolution": size})
        assert catalogue(tmp_path).find("odd").native == (512, 512)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names are always text")
def test_a_file_whose_name_is_no_text_is_listed_by_a_name_that_can_be_shown(tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / os.fsdecode(b"sue\xf1o.safetensors")).write_bytes(b"of whatever")
    assert [(e.name, e.reason) for e in catalogue(tmp_path).refused()] == [
        ("sue\ufffdo", Reason.UNREADABLE)
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_pipes_and_links_that_lead_nowhere_or_round_in_a_circle_break_nothing(tmp_path):
    folder = tmp_path / "models"
    put(folder / "good.safetensors")
    for name, to in (("round", "round"), ("up", "."), ("gone.safetensors", "nowhere")):
        (folder / name).symlink_to(folder / to)
    os.mkfifo(folder / "pipe.safetensors")
    (folder / "model_index.json").symlink_to(folder / "model_index.json")
    found = catalogue(tmp_path, folder, tmp_path / "nowhere")
    assert [each.name for each in found.models()] == ["semilla", "good"]
    assert [each.reason for each in found.refused()] == [Reason.UNREADABLE]


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() == 0, reason="nothing is closed to whoever this is"
)
def test_a_folder_that_is_closed_to_us_breaks_nothing(tmp_path):
    put(tmp_path / "models" / "good.safetensors")
    closed = put(tmp_path / "models" / "closed" / "dream.safetensors").parent
    closed.chmod(0o444)
    found = catalogue(tmp_path)
    closed.chmod(0o755)
    assert [each.name for each in found.models()] == ["semilla", "good"]


def test_models_that_are_called_alike_are_all_there(tmp_path):
    for folder in ("a/x", "b/x", "c/x"):
        put(tmp_path / "models" / folder / "dream.safetensors")
    names = [each.name for each in catalogue(tmp_path).models()]
    assert names == ["semilla", "dream", "x/dream", "c/x/dream"]


CIVITAI = {
    "trainedWords": ["ink style", "brush"],
    "baseModel": "SD 1.5 LCM",
    "model": {"name": "Dream", "nsfw": True},
    "description": "<p>Soft <b>light</b></p>\ud83d",  # cut in the middle of a letter
    "images": [{"meta": None}, {"meta": {"steps": 12, "cfgScale": 2.5, "sampler": "DPM++ 2M Karras", "clipSkip": 2}}],
}  # fmt: skip


ENDLESS_STEPS = f'{{"images": [{{"meta": {{"steps": 1{"0" * 999}}}}}]}}'


@pytest.mark.parametrize(
    ("suffix", "card"),
    [
        (".civitai.info", CIVITAI),
        (".metadata.json", {"civitai": CIVITAI, "description": "<p>Soft <b>light</b></p>"}),
    ],
)
def test_what_model_sites_write_beside_a_model_gives_its_defaults(tmp_path, suffix, card):
    file = put(tmp_path / "models" / "dream.safetensors")
    file.with_name(f"dream{suffix}").write_text(json.dumps(card))
    model = catalogue(tmp_path).find("dream")
    assert model.triggers == ("ink style", "brush")
    assert (model.steps, model.guidance_scale, model.clip_skip) == (12, 2.5, 2)
    assert (model.sampler, model.schedule) == ("dpm++ 2m", "karras")
    assert model.nsfw
    assert model.description["en"] == "Soft light"
    file.with_name("dream.toml").write_text("steps = 30\nnsfw = false")
    stronger = catalogue(tmp_path).find("dream")
    assert (stronger.steps, stronger.nsfw, stronger.guidance_scale) == (30, False, 2.5)


@pytest.mark.parametrize(
    ("name", "metadata", "steps", "sampler"),
    [
        ("dreamshaperXL_lightningDPMSDE", {}, 4, "euler"),
        ("sd_turbo", {}, 4, "euler a"),
        ("quick", {"modelspec.title": "Quick LCM"}, 6, "lcm"),
        ("turboencabulator", {}, 25, "dpm++ 2m"),
    ],
)
def test_distilled_models_have_the_defaults_of_their_kind(tmp_path, name, metadata, steps, sampler):
    put(tmp_path / "models" / f"{name}.safetensors", **metadata)
    model = catalogue(tmp_path).find(name)
    assert (model.steps, model.sampler) == (steps, sampler)


@pytest.mark.parametrize("sides", ['"', "[]", "nothing", "\xff", "[" * 9999, ENDLESS_STEPS])
def test_a_broken_card_of_a_model_site_says_nothing(tmp_path, sides):
    file = put(tmp_path / "models" / "dream.safetensors")
    file.with_name("dream.civitai.info").write_bytes(sides.encode("latin-1"))
    assert catalogue(tmp_path).find("dream").steps == 25


def test_velocities_are_told_by_the_file(tmp_path):
    weights = network(1024) | {"v_pred": torch.zeros(0)}
    put(tmp_path / "models" / "two.safetensors", weights)
    model = catalogue(tmp_path).find("two")
    assert (model.family, model.prediction, model.native) == ("sd2", "v", (768, 768))


def test_loras_fit_their_own_family_only(tmp_path):
    for name, width in (("one", 768), ("two", 1024), ("large", 2048)):
        put(tmp_path / "models" / f"{name}.safetensors", lora(width))
    found = catalogue(tmp_path)
    for family, name in (("sd1", "one"), ("sd2", "two"), ("sdxl", "large")):
        assert [each.name for each in found.extras(Kind.LORA, family)] == [name]


def test_a_lora_is_found_by_what_its_trainer_called_it_too(tmp_path):
    """AUTOMATIC1111's default; a name goes before, and recipes from before version 4 had no aliases."""
    file = put(tmp_path / "models" / "one.safetensors", lora(), ss_output_name="Ink Style")
    found = catalogue(tmp_path)
    assert found.find_extra(Kind.LORA, "ink style").path == file
    assert found.find_extra(Kind.LORA, "ink style", aliases=False) is None
    assert found.find_extra(Kind.LORA, "") is None
    named = put(tmp_path / "models" / "Ink Style.safetensors", lora())
    put(file, lora(), ss_output_name="wash")
    found.refresh()
    assert found.find_extra(Kind.LORA, "Ink Style").path == named
    assert found.find_extra(Kind.LORA, "wash").path == file


def test_two_models_with_one_name_are_told_apart_by_their_folders(tmp_path):
    for folder in ("a", "b"):
        put(tmp_path / "models" / folder / "dream.safetensors")
    assert [each.name for each in catalogue(tmp_path).models()[1:]] == ["dream", "b/dream"]


def test_a_file_that_is_still_being_copied_is_used_once_it_is_whole(tmp_path):
    whole = put(tmp_path / "whole.safetensors").read_bytes()
    file = tmp_path / "models" / "dream.safetensors"
    file.parent.mkdir()
    file.write_bytes(whole[: len(whole) // 2])
    found = catalogue(tmp_path)
    assert [each.reason for each in found.refused()] == [Reason.TORN]
    file.write_bytes(whole)
    assert found.refresh()
    assert found.find("dream") is not None
    assert not found.refresh()


async def test_a_file_that_is_dropped_in_is_there_without_a_restart(tmp_path):
    folder = tmp_path / "models"
    folder.mkdir()
    async with open_chat(
        tmp_path / "data", SEMILLA_GENERATOR__MODELS_FOLDERS=os.pathsep.join([str(folder)])
    ) as chat:
        assert "dream" not in (await chat.type("/models")).text
        put(folder / "dream.safetensors")
        put(folder / "ink.safetensors", lora(), ss_output_name="ink")
        (folder / "ink.civitai.info").write_text(json.dumps({"trainedWords": ["brush"]}))
        (folder / "old.ckpt").write_bytes(b"PK")
        async with asyncio.timeout(60):
            while "dream" not in (reply := await chat.type("/models")).text:  # noqa: ASYNC110
                await asyncio.sleep(0.2)
    assert "ink (sd1): brush" in reply.text
    assert "old: it is a pickle" in reply.text
