"""From prompts to what the network attends to, with random-weight models of the true architecture."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from generator import loras
from generator.catalogue import BUNDLED, Catalogue
from generator.conditioning import CHUNKS, Encoder, condition
from generator.grammar import Piece
from generator.headers import Kind
from generator.loaded_model import LoadedModel
from generator.messages import NoteKind
from generator.preview import Preview
from generator.request import ExtraFile, GenerationRequest
from generator.text_encoders import TextEncoder

WIDTH = 768  # as Stable Diffusion 1's; all else is as small as it can be
RANK = 4


def text_encoder(width, kind=CLIPTextModel, **settings):
    config = CLIPTextConfig(
        vocab_size=3152,
        hidden_size=width,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=77,
        projection_dim=64,
        bos_token_id=3150,
        eos_token_id=3151,
        pad_token_id=3151,
    )
    tokenizer = CLIPTokenizer.from_pretrained(BUNDLED / "tokenizer", model_max_length=77)
    return TextEncoder(tokenizer, kind(config).eval(), **settings)


def model_of(family, encoders, width, **settings):
    unet = UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(8, 16),
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=width,
        attention_head_dim=4,
        norm_num_groups=4,
        **settings,
    ).eval()
    vae = AutoencoderKL(latent_channels=4, norm_num_groups=4, block_out_channels=(8,))
    config = dict(DDIMScheduler().config)
    return LoadedModel("micro", "0" * 64, unet, vae, encoders, config, Preview(vae), family)


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(1)
    return model_of("sd1", (text_encoder(WIDTH),), WIDTH)


@pytest.fixture(scope="module")
def large():
    torch.manual_seed(2)
    settings = {"depth": 2, "normed": False}
    encoders = (
        text_encoder(768, **settings),
        text_encoder(1280, CLIPTextModelWithProjection, **settings),
    )
    return model_of("sdxl", encoders, 2048)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """With embeddings, LoRAs and wildcards, as AUTOMATIC1111 keeps them."""
    root = tmp_path_factory.mktemp("webui")
    torch.manual_seed(3)
    embeddings = root / "embeddings"
    embeddings.mkdir()
    save_file({"emb_params": torch.randn(3, WIDTH)}, embeddings / "EasyNegative.safetensors")
    torch.save({"string_to_param": {"*": torch.randn(2, WIDTH)}}, embeddings / "my-cat.pt")
    save_file({"emb_params": torch.randn(90, WIDTH)}, embeddings / "huge.safetensors")
    save_file(
        {"clip_l": torch.randn(2, 768), "clip_g": torch.randn(2, 1280)},
        embeddings / "largest.safetensors",
    )
    (embeddings / "torn.pt").write_bytes(b"PK\3\4 not a pickle")
    torch.save({"x": Path("code")}, embeddings / "evil.pt")
    (root / "models").mkdir()
    return root


@pytest.fixture(scope="module")
def catalogue(folder, model, tmp_path_factory):
    names = folder / "models" / "Lora"
    names.mkdir()
    save_file(kohya(model), names / "ink.safetensors")
    save_file(kohya(model, seed=6), names / "Pixel Art.safetensors")
    wrong = kohya(model)
    wrong = {name: value[..., :-1] if value.ndim else value for name, value in wrong.items()}
    save_file({n: v.contiguous() for n, v in wrong.items()}, names / "misfit.safetensors")
    wildcards = folder / "models" / "wildcards"
    wildcards.mkdir()
    (wildcards / "animal.txt").write_text("# of the house\ncat\n\ndog\n", encoding="utf-8")
    return Catalogue((folder, folder / "models"), tmp_path_factory.mktemp("cache"))


def kohya(model, seed=5):
    """A LoRA of the cross-attention and of the text encoder, in the layout of kohya's trainer."""
    source = torch.Generator().manual_seed(seed)
    found = {}
    for prefix, network in (("lora_unet", model.unet), ("lora_te", model.encoder)):
        for name, module in network.named_modules():
            name = name.removesuffix(".base_layer")  # where it has LoRAs already
            wanted = name.endswith(("attn2.to_k", "q_proj", "out_proj"))
            if wanted and isinstance(module, torch.nn.Linear):
                name = f"text_model.{name}" if prefix == "lora_te" else name
                key = f"{prefix}_{name.replace('.', '_')}"
                down = torch.randn(RANK, module.in_features, generator=source)
                found[f"{key}.lora_down.weight"] = down * 0.1
                up = torch.randn(module.out_features, RANK, generator=source)
                found[f"{key}.lora_up.weight"] = up
                found[f"{key}.alpha"] = torch.tensor(RANK / 2)
    return found


EMBEDDINGS = tuple(
    ExtraFile("embedding", name, "0" * 64)
    for name in ("EasyNegative", "my-cat", "huge", "largest", "torn", "evil")
)


def recipe(prompt, negative="", **changes):
    values = {"width": 64, "height": 64, "steps": 10, "sampler": "ddim", "guidance_scale": 7.0}
    values |= {"model": "micro", "model_hash": "0" * 64, "seed": 7, "extras": EMBEDDINGS}
    return GenerationRequest(prompt=prompt, negative_prompt=negative, **(values | changes))


def kinds(conditioning):
    return [(note.kind, *note.facts.values()) for note in conditioning.notes]


def told(model, catalogue, prompt, negative=""):
    return kinds(condition(model, recipe(prompt, negative), catalogue))


def stock(model, prompt, negative):
    pipeline = StableDiffusionPipeline(
        vae=model.vae,
        text_encoder=model.encoder,
        tokenizer=model.tokenizer,
        unet=model.unet,
        scheduler=DDIMScheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    with torch.inference_mode():
        positive, negative = pipeline.encode_prompt(prompt, "cpu", 1, True, negative)
    return torch.cat([negative, positive])


def ids_of(model, text):
    return model.tokenizer(text, add_special_tokens=False).input_ids


@torch.inference_mode()
def by_hand(model, ids, weights=None):
    """AUTOMATIC1111's process_tokens and its emphasis "Original" for one chunk of 75."""
    tokenizer = model.tokenizer
    pads = [tokenizer.pad_token_id] * (75 - len(ids))
    row = torch.tensor([[tokenizer.bos_token_id, *ids, tokenizer.eos_token_id, *pads]])
    z = model.encoder(row)[0]
    if weights:
        mean = z.mean()
        z = z * torch.tensor([1.0, *weights, 1.0, *[1.0] * len(pads)])[None, :, None]
        z = z * (mean / z.mean())
    return z


def test_without_syntax_it_is_what_the_stock_pipeline_encodes(model, catalogue):
    found = condition(model, recipe("a red cat, a tree", "blurry"), catalogue)
    assert torch.equal(found.at(0), stock(model, "a red cat, a tree", "blurry"))
    assert torch.equal(found.at(9), found.at(0))
    assert found.rows() == 2
    assert found.notes == ()
    assert found.lora == ()
    assert found.pooled(0) is None


def test_without_guidance_there_is_one_row(model, catalogue):
    found = condition(model, recipe("a cat", guidance_scale=1.0), catalogue)
    assert found.rows() == 1
    output = torch.randn(1, 4, 8, 8)
    assert torch.equal(found.combine(output, 1.0), output)


def test_weights_scale_their_tokens_and_the_mean_stays(model, catalogue):
    found = condition(model, recipe("a (red cat:1.4) [tree]"), catalogue).at(0)[1:]
    parts = [("a", 1.0), ("red cat", 1.4), ("tree", 1 / 1.1)]
    ids = [id for text, _ in parts for id in ids_of(model, text)]
    weights = [weight for text, weight in parts for _ in ids_of(model, text)]
    expected = by_hand(model, ids, weights)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)
    assert not torch.allclose(found, by_hand(model, ids), atol=1e-3)


def test_emphasis_may_leave_the_mean_alone_or_be_switched_off(model):
    text = ((Piece("a ", 1.0), Piece("cat", 1.5)),)
    plain = Encoder(model.encoders, emphasis="none").encode(text).embeddings
    scaled = Encoder(model.encoders, emphasis="no norm").encode(text).embeddings
    first = 1 + len(ids_of(model, "a"))
    assert torch.equal(scaled[0, first], plain[0, first] * 1.5)
    assert torch.equal(scaled[0, 0], plain[0, 0])


def test_long_prompts_go_on_in_chunks_of_75_and_the_negative_gets_as_long(model, catalogue):
    words = ["red"] * 100
    found = condition(model, recipe(" ".join(words)), catalogue).at(0)
    ids = ids_of(model, " ".join(words))
    chunks = [ids[start : start + 75] for start in range(0, len(ids), 75)]
    assert len(chunks) > 1
    expected = torch.cat([by_hand(model, chunk) for chunk in chunks], dim=1)
    assert torch.equal(found[1:], expected)
    assert torch.equal(found[:1], torch.cat([by_hand(model, [])] * len(chunks), dim=1))


def test_an_empty_chunk_is_encoded_only_where_it_fills_something_up(model, catalogue):
    calls = []
    hook = model.encoder.register_forward_hook(lambda *_: calls.append(1))
    for negative, count in (("blue", 2), ("blue " * 80, 4)):
        condition(model, recipe("a cat", negative), catalogue)
        assert len(calls) == count
        calls.clear()
    hook.remove()


def test_a_full_chunk_ends_at_its_last_comma(model, catalogue):
    (red,), (comma,) = ids_of(model, "red"), ids_of(model, ",")
    text = " ".join(["red"] * 65) + ", " + " ".join(["red"] * 20)
    found = condition(model, recipe(text), catalogue).at(0)[1:]
    expected = [by_hand(model, [red] * 65 + [comma]), by_hand(model, [red] * 20)]
    assert torch.equal(found, torch.cat(expected, dim=1))


def test_break_begins_a_chunk(model, catalogue):
    found = condition(model, recipe("a cat BREAK a dog"), catalogue).at(0)[1:]
    expected = [by_hand(model, ids_of(model, text)) for text in ("a cat", "a dog")]
    assert torch.equal(found, torch.cat(expected, dim=1))


def test_a_break_at_the_end_begins_none(model, catalogue):
    """It did in recipes from before version 3."""
    plain = condition(model, recipe("a cat"), catalogue).at(0)
    for prompt in ("a cat BREAK", "a cat BREAK "):
        assert torch.equal(condition(model, recipe(prompt), catalogue).at(0), plain)
        before = condition(model, recipe(prompt, version=2), catalogue).at(0)
        assert before.shape[1] == 2 * 77
    inside = condition(model, recipe("a cat BREAK BREAK a dog"), catalogue).at(0)
    assert inside.shape[1] == 3 * 77


def test_what_does_not_fit_into_the_most_chunks_is_told(model, catalogue):
    (note,) = told(model, catalogue, "red " * (CHUNKS * 75 + 2))
    assert note == (NoteKind.PROMPT_CUT, "red red", str(CHUNKS * 75))


def test_scheduled_and_alternating_words_change_with_the_step(model, catalogue):
    found = condition(model, recipe("a [cat:dog:0.5]"), catalogue)
    rows = [found.at(index)[1:] for index in range(10)]
    for index, row in enumerate(rows):
        name = "cat" if index < 5 else "dog"
        assert torch.equal(row, by_hand(model, ids_of(model, f"a {name}")))
    turns = condition(model, recipe("[cat|dog]", "[tree|house]"), catalogue)
    assert torch.equal(turns.at(0), turns.at(2))
    assert not torch.equal(turns.at(0), turns.at(1))


def test_and_asks_for_a_row_each_and_weighs_their_pull(model, catalogue):
    found = condition(model, recipe("a cat :1.5 AND a dog :-0.5"), catalogue)
    assert found.rows() == 3
    assert torch.equal(found.at(0)[2:], by_hand(model, ids_of(model, "a dog")))
    output = torch.randn(3, 4, 8, 8)
    negative, cat, dog = output.split(1)
    expected = negative + 7 * (1.5 * (cat - negative) - 0.5 * (dog - negative))
    torch.testing.assert_close(found.combine(output, 7.0), expected)
    assert condition(model, recipe("a AND b", guidance_scale=1.0), catalogue).rows() == 3


def test_clip_skip_takes_an_earlier_layer_and_its_norm(model, catalogue):
    found = condition(model, recipe("a cat", clip_skip=2), catalogue).at(0)[1:]
    ids = torch.tensor([[3150, *ids_of(model, "a cat"), *[3151] * 75]])[:, :77]
    with torch.inference_mode():
        hidden = model.encoder(ids, output_hidden_states=True).hidden_states[-2]
        network = getattr(model.encoder, "text_model", model.encoder)
        assert torch.equal(found, network.final_layer_norm(hidden))


@pytest.mark.parametrize(
    ("typed", "tokens"),
    [
        *(("EasyNegative", 3), ("easynegative", 3), ("embedding:my-cat", 2)),
        *(("embedding:my-cat.pt", 2), ("(embedding:EasyNegative.safetensors:1.0)", 3)),
    ],
)
def test_an_embedding_stands_for_its_name_in_any_case(model, catalogue, typed, tokens):
    found = condition(model, recipe("a", f"{typed}, (ugly)"), catalogue)
    ugly = len(ids_of(model, "ugly"))
    by_words = condition(model, recipe("a", f"{'red ' * tokens}, (ugly)"), catalogue)
    assert found.notes == ()
    places = slice(1, 1 + tokens)
    assert not torch.allclose(found.at(0)[0, places], by_words.at(0)[0, places], atol=1e-3)
    # No more tokens than that: what follows is where it was, and weighs what it weighed.
    assert found.at(0).shape == by_words.at(0).shape
    assert ugly


def test_what_a_recipe_has_no_file_of_is_words(model, catalogue, folder):
    """Whatever is called so by now. Those of before version 5 don't tell of what their seed drew."""
    (folder / "models" / "wildcards" / "pet.txt").write_text("my-cat", encoding="utf-8")

    def tokens(negative, **changes):
        return condition(model, recipe("a", negative, **changes), catalogue)

    named, drawn = "my-cat", "__pet__"
    vectors = tokens(named).at(0)[0]
    words = tokens(named, extras=()).at(0)[0]
    assert not torch.equal(words, vectors)
    assert tokens(named, extras=()).notes == ()
    for version, negative, extras, expected in (
        (5, drawn, EMBEDDINGS, vectors),
        (5, drawn, (), words),
        (4, named, EMBEDDINGS, vectors),
        (4, named, (), words),
        (4, drawn, (), vectors),
    ):
        found = tokens(negative, extras=extras, version=version).at(0)[0]
        assert torch.equal(found, expected), (version, negative)


def test_the_vectors_of_an_embedding_reach_the_encoder(model, catalogue):
    vectors = torch.load(catalogue.find_extra(Kind.EMBEDDING, "my-cat").path)["string_to_param"][
        "*"
    ]
    (red,) = ids_of(model, "red")
    table = model.encoder.get_input_embeddings()
    found = condition(model, recipe("a", "my-cat"), catalogue).at(0)[:1]
    kept = table.weight[red].detach().clone()
    try:
        with torch.inference_mode(False), torch.no_grad():
            table.weight[red] = vectors[0]
            other = ids_of(model, "blue")[0]
            saved, table.weight[other] = table.weight[other].clone(), vectors[1]
        expected = by_hand(model, [red, other])
    finally:
        with torch.no_grad():
            table.weight[red], table.weight[other] = kept, saved
    assert torch.equal(found, expected)


def test_an_embedding_is_not_cut_in_two_and_can_be_weighted(model, catalogue):
    text = " ".join(["red"] * 74) + " (EasyNegative:1.2)"
    found = condition(model, recipe("a", text), catalogue).at(0)[0]
    assert found.shape == (2 * 77, WIDTH)
    assert torch.equal(found[:77], by_hand(model, ids_of(model, "red") * 74)[0])


def test_of_an_embedding_larger_than_a_chunk_as_much_is_taken_as_fits(model, catalogue):
    found = condition(model, recipe("a", "huge, ugly"), catalogue).at(0)[0]
    assert found.shape == (2 * 77, WIDTH)
    assert found.isfinite().all()


def test_no_embedding_passes_silently(model, large, catalogue):
    assert told(model, catalogue, "a", "BadDream, embedding:nobody, ugly") == [
        (NoteKind.EMBEDDING_MISSING, "nobody"),
        (NoteKind.EMBEDDING_MISSING, "BadDream"),
    ]
    assert told(model, catalogue, "a largest cat") == [(NoteKind.EMBEDDING_UNFIT, "largest")]
    assert told(model, catalogue, "the largestest cat") == []
    assert told(large, catalogue, "a", "EasyNegative") == [
        (NoteKind.EMBEDDING_UNFIT, "EasyNegative")
    ]
    assert told(model, catalogue, "a torn evil cat") == [
        (NoteKind.EMBEDDING_UNFIT, "evil"),
        (NoteKind.EMBEDDING_UNFIT, "torn"),
    ]


def test_both_encoders_of_a_large_model_are_joined_and_the_last_one_pools(large, catalogue):
    found = condition(large, recipe("a (largest:1.2) cat " + "red " * 90), catalogue)
    assert found.at(0).shape == (2, 2 * 77, 2048)
    assert found.pooled(0).shape == (2, 64)
    assert found.notes == ()
    # As it was trained: nothing in the place of an empty negative prompt.
    assert not found.at(0)[0, :77].any()
    assert condition(large, recipe("a", "ugly"), catalogue).at(0)[0].any()


@torch.inference_mode()
def predicted(model, embeddings):
    latents = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(9))
    return model.unet(latents, torch.tensor([500.0]), embeddings, return_dict=False)[0]


def test_a_lora_changes_network_and_text_as_much_as_it_is_weighted(model, catalogue):
    plain = condition(model, recipe("a cat"), catalogue)
    before = predicted(model, plain.at(0)[1:])
    found = condition(model, recipe("a cat <lora:INK:0.5:2>"), catalogue)
    assert [(each.text, each.network) for each in found.lora] == [(0.5, 2.0)]
    assert found.notes == ()
    assert not torch.allclose(found.at(0)[1:], plain.at(0)[1:], atol=1e-3)
    with_lora = predicted(model, plain.at(0)[1:])
    assert not torch.allclose(with_lora, before, atol=1e-4)
    assert torch.allclose(with_lora, merged(model, plain, 2.0), atol=1e-5)


def merged(model, plain, weight):
    """The same prediction with the LoRA added into the network's own weights."""
    loras.use(model, ())
    tensors, own = kohya(model), {}
    for name, module in model.unet.named_modules():
        key = f"lora_unet_{name.removesuffix('.base_layer').replace('.', '_')}"
        down, up = (tensors.get(f"{key}.lora_{part}.weight") for part in ("down", "up"))
        if down is not None and isinstance(module, torch.nn.Linear):
            own[name] = (module, module.weight.detach().clone())
            module.weight.data += weight * 0.5 * (up @ down)
    assert own
    found = predicted(model, plain.at(0)[1:])
    for module, weights in own.values():
        module.weight.data = weights
    return found


def test_without_loras_the_bits_are_those_of_a_model_that_never_had_any(model, catalogue):
    fresh = model_of("sd1", (text_encoder(WIDTH),), WIDTH)
    request = recipe("a cat")
    plain = condition(fresh, request, catalogue).at(0)
    before = predicted(fresh, plain[1:])
    condition(fresh, recipe("a cat <lora:ink:1> <lora:Pixel Art:-0.5>"), catalogue)
    assert not torch.equal(predicted(fresh, plain[1:]), before)
    assert torch.equal(condition(fresh, request, catalogue).at(0), plain)
    assert torch.equal(predicted(fresh, plain[1:]), before)


def test_switching_between_sets_gives_each_its_own_bits(model, catalogue):
    plain = condition(model, recipe("a cat"), catalogue)
    sets = [
        condition(model, recipe(f"a cat {tags}"), catalogue).lora
        for tags in ("<lora:ink:1>", "<lora:ink:0.3>", "<lora:Pixel Art:1><lora:ink:1>", "")
    ]
    seen = []
    for wanted in (*sets, *reversed(sets)):
        loras.use(model, wanted)
        seen.append(predicted(model, plain.at(0)[1:]))
    assert all(torch.equal(a, b) for a, b in zip(seen, reversed(seen), strict=True))
    assert len({each.sum().item() for each in seen}) == 4


def test_no_lora_passes_silently(model, large, catalogue):
    assert told(model, catalogue, "a <lora:nobody:1> cat <hypernet:x:1>", "<lora:ink:1> b") == [
        (NoteKind.LORA_MISSING, "nobody"),
        (NoteKind.TAG_IGNORED, "<hypernet:x:1>"),
        (NoteKind.TAG_IGNORED, "<lora:ink:1>"),
    ]
    assert told(large, catalogue, "a <lora:ink:1>") == [(NoteKind.LORA_UNFIT, "ink")]
    found = condition(model, recipe("a cat <lora:misfit:1> <lora:ink:1>"), catalogue)
    assert kinds(found) == [(NoteKind.LORA_UNFIT, "misfit")]
    assert [each.path.stem for each in found.lora] == ["ink"]


def test_the_seed_draws_from_the_owners_lists(model, catalogue):
    found = {told(model, catalogue, "a {red} __animal__")[0][1] for _ in range(1)}
    assert found <= {"a {red} cat", "a {red} dog"}
    seeds = [condition(model, recipe("__animal__", seed=seed), catalogue) for seed in range(20)]
    assert {kinds(each)[0] for each in seeds} == {
        (NoteKind.WORDS_DRAWN, "cat"),
        (NoteKind.WORDS_DRAWN, "dog"),
    }
    assert told(model, catalogue, "__nobody__ __../secret__") == [
        (NoteKind.WILDCARD_MISSING, "nobody"),
        (NoteKind.WORDS_DRAWN, "nobody __../secret__"),
    ]


def test_other_programs_weights_are_told(model, catalogue):
    found = condition(model, recipe("a cat++"), catalogue)
    assert kinds(found) == [(NoteKind.PROMPT_TRANSLATED, "cat++", "(cat:1.21)")]
    same = condition(model, recipe("a (cat:1.21)"), catalogue)
    assert torch.equal(found.at(0), same.at(0))
