"""Models of the true architectures with random weights, as small as those allow.

Written as a folder in the diffusers layout and as a single file in the original one: the names of
the latter as in CompVis/stable-diffusion, Stability-AI/stablediffusion and generative-models.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    DDPMScheduler,
    FlowMatchEulerDiscreteScheduler,
    KandinskyV22CombinedPipeline,
    Lumina2Pipeline,
    Lumina2Transformer2DModel,
    PriorTransformer,
    SD3Transformer2DModel,
    StableDiffusion3Pipeline,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UnCLIPScheduler,
    UNet2DConditionModel,
    VQModel,
)
from safetensors.torch import save_file
from torch import Tensor
from transformers import (
    CLIPImageProcessor,
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    CLIPVisionConfig,
    CLIPVisionModelWithProjection,
    Gemma2Config,
    Gemma2Model,
)

from generator.engine import Engine
from generator.messages import Drawn, Event, Failed, Submit
from generator.models import Models
from generator.request import GenerationRequest
from generator.single_file import CONFIGS

CHANNELS = (32, 64)
UNETS: Mapping[str, dict[str, Any]] = {
    "sd1": {"cross_attention_dim": 768, "attention_head_dim": 8},
    "sd2": {
        "cross_attention_dim": 1024,
        "attention_head_dim": (1, 1),
        "use_linear_projection": True,
    },
    "sdxl": {
        "cross_attention_dim": 2048,
        "attention_head_dim": (1, 1),
        "use_linear_projection": True,
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": 256,
        "projection_class_embeddings_input_dim": 1280 + 6 * 256,
        "transformer_layers_per_block": (1, 2),
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
    },
}
LAYERS = 2
ROWS = 1024
PADS = {"sd1": "<|endoftext|>", "sd2": "!", "sdxl": "<|endoftext|>"}
VAE_SCALES = {"sd1": 0.18215, "sd2": 0.18215, "sdxl": 0.13025}


def known(family: str) -> dict[str, Any]:
    return dict(json.loads((CONFIGS / f"{family}.json").read_text(encoding="utf-8")))


def tokenizer(pad: str = "<|endoftext|>") -> CLIPTokenizer:
    return CLIPTokenizer.from_pretrained(
        CONFIGS / "tokenizer", pad_token=pad, model_max_length=77, local_files_only=True
    )


def louder(network: Any) -> Any:
    """Words must show in so small a network: as they come, random weights hardly let them."""
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if re.search(r"attn2\.to_(v|out\.0)\.weight|conv_out\.weight", name):
                weight.mul_(4)
    return network.eval()


def unet(family: str, **changes: Any) -> UNet2DConditionModel:
    settings = {
        "sample_size": 8,
        "block_out_channels": CHANNELS,
        "layers_per_block": 1,
        "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
        "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
    }
    return louder(UNet2DConditionModel(**(settings | UNETS[family] | changes)))


def vae(family: str = "sd1", **changes: Any) -> AutoencoderKL:
    """Two levels, so that each latent is two pixels a side."""
    settings = {
        "latent_channels": 4,
        "block_out_channels": CHANNELS,
        "layers_per_block": 1,
        "down_block_types": ("DownEncoderBlock2D",) * 2,
        "up_block_types": ("UpDecoderBlock2D",) * 2,
        "scaling_factor": VAE_SCALES.get(family, 1.5305),
    }
    return louder(AutoencoderKL(**(settings | changes)))


def text_encoder(family: str, number: int = 0, **changes: Any) -> Any:
    own = known(family)["text_encoders"][number]
    sizes = {"num_hidden_layers": LAYERS, "intermediate_size": 64}
    config = CLIPTextConfig(**(own["config"] | sizes | changes))
    words, config.vocab_size = config.vocab_size, ROWS
    model = (CLIPTextModelWithProjection if own["pooled"] else CLIPTextModel)(config)
    # The same rows again and again: to draw them all would take longer than all else.
    rows = model.get_input_embeddings().weight.detach().repeat(-(-words // ROWS), 1)[:words]
    model.set_input_embeddings(torch.nn.Embedding.from_pretrained(rows, freeze=False))
    config.vocab_size = words
    return model.eval()


def pipeline(family: str, seed: int = 0, *, prediction: str = "epsilon", **changes: Any) -> Any:
    """`changes`: of the UNet's config."""
    torch.manual_seed(seed)
    wanted = known(family)["scheduler"] | {"prediction_type": prediction}
    scheduler = DDIMScheduler.from_config(wanted)
    parts = {"vae": vae(family), "unet": unet(family, **changes), "scheduler": scheduler}
    parts |= {"text_encoder": text_encoder(family), "tokenizer": tokenizer(PADS[family])}
    if family == "sdxl":
        parts |= {"text_encoder_2": text_encoder(family, 1), "tokenizer_2": tokenizer("!")}
        made: Any = StableDiffusionXLPipeline(**parts)
    else:
        parts |= {"safety_checker": None, "feature_extractor": None}
        made = StableDiffusionPipeline(**parts, requires_safety_checker=False)
    made.set_progress_bar_config(disable=True)
    return made


def lumina_pipeline() -> Any:
    """Lumina 2, with CLIP's words."""
    torch.manual_seed(0)
    transformer = Lumina2Transformer2DModel(
        sample_size=4,
        hidden_size=24,
        num_layers=1,
        num_refiner_layers=1,
        num_attention_heads=2,
        num_kv_heads=1,
        axes_dim_rope=(4, 4, 4),
        axes_lens=(300, 32, 32),
        cap_feat_dim=16,
    )
    config = Gemma2Config(
        vocab_size=49408,
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=8,
    )
    return Lumina2Pipeline(
        transformer=transformer.eval(),
        scheduler=FlowMatchEulerDiscreteScheduler(),
        vae=vae(latent_channels=16, shift_factor=0.0609),
        text_encoder=Gemma2Model(config).eval(),
        tokenizer=tokenizer(),
    )


def transformer_pipeline(seed: int = 0) -> Any:
    """Stable Diffusion 3 without its T5, as many run it."""
    torch.manual_seed(seed)
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 4}
    transformer = SD3Transformer2DModel(
        sample_size=32,
        patch_size=2,
        in_channels=16,
        num_layers=2,
        attention_head_dim=8,
        num_attention_heads=4,
        joint_attention_dim=64,
        caption_projection_dim=32,
        pooled_projection_dim=64,
        out_channels=16,
    )
    decoder = vae("sd3", latent_channels=16, shift_factor=0.0609, use_quant_conv=False)
    made: Any = StableDiffusion3Pipeline(
        transformer=transformer.eval(),
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
        vae=decoder,
        text_encoder=text_encoder("sdxl", 1, projection_dim=32, **sizes),
        tokenizer=tokenizer(),
        text_encoder_2=text_encoder("sdxl", 1, projection_dim=32, **sizes),
        tokenizer_2=tokenizer("!"),
        text_encoder_3=None,
        tokenizer_3=None,
    )
    made.set_progress_bar_config(disable=True)
    return made


def combined_pipeline(seed: int = 0) -> Any:
    """Kandinsky 2.2: a prior makes an image's embedding of the words, a decoder the picture of that."""
    torch.manual_seed(seed)
    sizes = {"hidden_size": 32, "intermediate_size": 37, "num_hidden_layers": 2}
    seen = CLIPVisionConfig(**sizes, projection_dim=32, num_attention_heads=4, patch_size=14)
    prior = PriorTransformer(
        num_attention_heads=2,
        attention_head_dim=12,
        embedding_dim=32,
        num_layers=1,
        additional_embeddings=4,
    )
    prior.clip_std = torch.nn.Parameter(torch.ones(prior.clip_std.shape))
    attending = {"cross_attention_dim": 32, "attention_head_dim": 4, "layers_per_block": 1}
    decoder = UNet2DConditionModel(
        **attending,
        out_channels=8,
        block_out_channels=CHANNELS,
        addition_embed_type="image",
        encoder_hid_dim=32,
        encoder_hid_dim_type="image_proj",
        down_block_types=("ResnetDownsampleBlock2D", "SimpleCrossAttnDownBlock2D"),
        mid_block_type="UNetMidBlock2DSimpleCrossAttn",
        up_block_types=("SimpleCrossAttnUpBlock2D", "ResnetUpsampleBlock2D"),
        resnet_time_scale_shift="scale_shift",
    )
    movq = VQModel(
        block_out_channels=CHANNELS,
        down_block_types=("DownEncoderBlock2D", "AttnDownEncoderBlock2D"),
        up_block_types=("AttnUpDecoderBlock2D", "UpDecoderBlock2D"),
        latent_channels=4,
        norm_num_groups=8,
        norm_type="spatial",
        num_vq_embeddings=12,
        vq_embed_dim=4,
    )
    made: Any = KandinskyV22CombinedPipeline(
        unet=decoder.eval(),
        scheduler=DDPMScheduler(beta_start=0.00085, beta_end=0.012, clip_sample=False),
        movq=movq.eval(),
        prior_prior=prior.eval(),
        prior_image_encoder=CLIPVisionModelWithProjection(seen).eval(),
        prior_text_encoder=text_encoder(
            "sdxl", 1, **sizes, projection_dim=32, num_attention_heads=4
        ),
        prior_tokenizer=tokenizer(),
        prior_scheduler=UnCLIPScheduler(
            variance_type="fixed_small_log", prediction_type="sample", clip_sample_range=10.0
        ),
        prior_image_processor=CLIPImageProcessor(size=224, crop_size=224),
    )
    made.set_progress_bar_config(disable=True)
    return made


OLD_ENDS = ("conv_first", "conv_up1", "conv_up2", "conv_hr", "conv_last")


def upscaler(
    scale: int = 4, *, old: bool = False, plain: bool = False, seed: int = 0
) -> dict[str, Tensor]:
    """An RRDBNet of one block, with Real-ESRGAN's names or ESRGAN's old ones (for four times).

    `plain`: it repeats pixels and adds nothing.
    """
    torch.manual_seed(seed)
    folded, features, growth = {4: 1, 2: 2, 1: 4}[scale], 8, 4
    layers = {"conv_first": (3 * folded**2, features), "conv_last": (features, 3)}
    layers |= dict.fromkeys(("conv_body", "conv_up1", "conv_up2", "conv_hr"), (features, features))
    for dense in (1, 2, 3):
        for layer in range(5):
            made = features if layer == 4 else growth
            layers[f"body.0.rdb{dense}.conv{layer + 1}"] = (features + layer * growth, made)
    found = {}
    for name, (taken, made) in layers.items():
        weight = torch.randn(made, taken, 3, 3) * 0.1
        if plain:
            weight = torch.zeros(made, taken, 3, 3)
            if not name.startswith(("body", "conv_body")):
                weight[:, :, 1, 1] = torch.eye(made, taken)
        found |= {f"{name}.weight": weight, f"{name}.bias": torch.zeros(made)}
    return {_old(name): each for name, each in found.items()} if old else found


def _old(name: str) -> str:
    """As ESRGAN's first files have it: layers that only stretch or bend are counted, too."""
    layer, part = name.rsplit(".", 1)
    if layer in OLD_ENDS:
        return f"model.{(0, 3, 6, 8, 10)[OLD_ENDS.index(layer)]}.{part}"
    if layer == "conv_body":
        return f"model.1.sub.1.{part}"
    _, block, dense, conv = layer.split(".")
    return f"model.1.sub.{block}.RDB{dense[3:]}.{conv}.0.{part}"


def lora(made: Any, *layers: str, seed: int = 5) -> dict[str, Tensor]:
    """Of the UNet's layers whose names end like that, in diffusers' layout."""
    torch.manual_seed(seed)
    found = {}
    for name, layer in made.unet.named_modules():
        if name.endswith(layers):
            taken, made_of = layer.weight.shape[1], layer.weight.shape[0]
            sides = layer.weight.shape[2:]
            found[f"unet.{name}.lora_A.weight"] = torch.randn(4, taken, *sides) * 0.2
            found[f"unet.{name}.lora_B.weight"] = torch.randn(made_of, 4, *(1 for _ in sides)) * 0.2
    return found


def single_file(made: Any, family: str, file: Path, **metadata: str) -> Path:
    """The same weights in the original layout."""
    written = {f"model.diffusion_model.{n}": v for n, v in original_unet(made.unet).items()}
    written |= {f"first_stage_model.{n}": v for n, v in original_vae(made.vae).items()}
    encoders = [made.text_encoder, getattr(made, "text_encoder_2", None)]
    for encoder, own in zip(encoders, known(family)["text_encoders"], strict=False):
        write = _clip if own["layout"] == "clip" else _open_clip
        written |= {f"{own['prefix']}{n}": v for n, v in write(encoder, own["pooled"]).items()}
    file.parent.mkdir(parents=True, exist_ok=True)
    save_file({n: v.contiguous().clone() for n, v in written.items()}, file, metadata or None)
    return file


def renamed(name: str, *rules: tuple[str, str]) -> str:
    for pattern, replacement in rules:
        name = re.sub(pattern, replacement, name)
    return name


RESNET = (
    (r"\.norm1\.", ".in_layers.0."),
    (r"\.conv1\.", ".in_layers.2."),
    (r"\.norm2\.", ".out_layers.0."),
    (r"\.conv2\.", ".out_layers.3."),
    (r"\.time_emb_proj\.", ".emb_layers.1."),
    (r"\.conv_shortcut\.", ".skip_connection."),
)
ENDS = (
    (r"^conv_in\.", "input_blocks.0.0."),
    (r"^time_embedding\.linear_1", "time_embed.0"),
    (r"^time_embedding\.linear_2", "time_embed.2"),
    (r"^add_embedding\.linear_1", "label_emb.0.0"),
    (r"^add_embedding\.linear_2", "label_emb.0.2"),
    (r"^conv_norm_out\.", "out.0."),
    (r"^conv_out\.", "out.2."),
    (r"^mid_block\.resnets\.0", "middle_block.0"),
    (r"^mid_block\.attentions\.0", "middle_block.1"),
    (r"^mid_block\.resnets\.1", "middle_block.2"),
)


def original_unet(network: Any) -> dict[str, Tensor]:
    layers = network.config.layers_per_block
    attends = [each.startswith("Cross") for each in network.config.up_block_types]
    found = {}
    for name, value in network.state_dict().items():
        block = re.match(r"(down|up)_blocks\.(\d+)\.(\w+)\.(\d+)\.(.*)", name)
        if block is None:
            new = renamed(name, *ENDS)
        else:
            side, level, kind, layer = block[1], int(block[2]), block[3], int(block[4])
            if side == "down":
                place = 1 + level * (layers + 1) + (layers if kind == "downsamplers" else layer)
                new = f"input_blocks.{place}.{1 if kind == 'attentions' else 0}.{block[5]}"
                new = new.replace(".0.conv.", ".0.op.") if kind == "downsamplers" else new
            else:
                place = level * (layers + 1) + (layers if kind == "upsamplers" else layer)
                inside = {"resnets": 0, "attentions": 1, "upsamplers": 2 if attends[level] else 1}
                new = f"output_blocks.{place}.{inside[kind]}.{block[5]}"
        resnet = "attentions" not in name and "transformer" not in name
        found[renamed(new, *RESNET) if resnet else new] = value
    return found


def original_vae(network: Any) -> dict[str, Tensor]:
    last = len(network.config.block_out_channels) - 1
    found = {}
    for name, value in network.state_dict().items():
        level = re.search(r"up_blocks\.(\d+)", name)
        new = renamed(
            name,
            (r"up_blocks\.\d+", f"up.{last - int(level[1])}" if level else ""),
            (r"down_blocks\.(\d+)", r"down.\1"),
            (r"mid_block\.resnets\.0", "mid.block_1"),
            (r"mid_block\.resnets\.1", "mid.block_2"),
            (r"mid_block\.attentions\.0", "mid.attn_1"),
            (r"resnets\.", "block."),
            (r"downsamplers\.0", "downsample"),
            (r"upsamplers\.0", "upsample"),
            (r"conv_shortcut", "nin_shortcut"),
            (r"conv_norm_out", "norm_out"),
            (r"group_norm", "norm"),
            (r"to_q", "q"),
            (r"to_k", "k"),
            (r"to_v", "v"),
            (r"to_out\.0", "proj_out"),
        )
        linear = ".attn_1." in new and new.endswith("weight") and value.ndim == 2
        found[new] = value[:, :, None, None] if linear else value
    return found


def _clip(encoder: Any, _pooled: bool) -> dict[str, Tensor]:
    found = {f"text_model.{n.removeprefix('text_model.')}": v for n, v in _state(encoder).items()}
    return found | {"text_model.embeddings.position_ids": torch.arange(77)[None]}


def _open_clip(encoder: Any, pooled: bool) -> dict[str, Tensor]:
    """Of an encoder without pooling the layer that diffusers leaves out is there besides."""
    state = {n.removeprefix("text_model."): v for n, v in _state(encoder).items()}
    found: dict[str, Tensor] = {}
    joined: dict[str, dict[str, Tensor]] = {}
    for name, value in state.items():
        if part := re.fullmatch(r"encoder\.layers\.(\d+)\.self_attn\.([qkv])_proj\.(\w+)", name):
            joined.setdefault(f"transformer.resblocks.{part[1]}.attn.in_proj_{part[3]}", {})[
                part[2]
            ] = value
            continue
        new = renamed(
            name,
            (r"^encoder\.layers\.", "transformer.resblocks."),
            (r"self_attn\.", "attn."),
            (r"layer_norm1", "ln_1"),
            (r"layer_norm2", "ln_2"),
            (r"mlp\.fc1", "mlp.c_fc"),
            (r"mlp\.fc2", "mlp.c_proj"),
            (r"^final_layer_norm", "ln_final"),
            (r"^embeddings\.token_embedding", "token_embedding"),
            (r"^embeddings\.position_embedding\.weight", "positional_embedding"),
            (r"^text_projection\.weight", "text_projection"),
        )
        found[new] = value.T if new == "text_projection" else value
    found |= {name: torch.cat([parts[each] for each in "qkv"]) for name, parts in joined.items()}
    if not pooled:
        last = {
            n: v for n, v in found.items() if n.startswith(f"transformer.resblocks.{LAYERS - 1}")
        }
        found |= {n.replace(f".{LAYERS - 1}.", f".{LAYERS}.", 1): v for n, v in last.items()}
        found["text_projection"] = torch.zeros(encoder.config.hidden_size, 1024)
    return found


def _state(encoder: Any) -> dict[str, Tensor]:
    return {n: v for n, v in encoder.state_dict().items() if "position_ids" not in n}


@dataclass
class Studio:
    """The engine on folders of models, without its process."""

    models: Models

    def recipe(self, model: str, **changes: Any) -> GenerationRequest:
        found = self.models.catalogue.find(model)
        assert found is not None
        values = {"prompt": "a red cat", "width": 32, "height": 32, "steps": 4, "seed": 7}
        values |= {"sampler": "ddim", "guidance_scale": 4.0}
        return GenerationRequest(model=found.name, model_hash=found.hash, **(values | changes))

    def run(self, *orders: Submit, engine: Engine | None = None) -> list[Event]:
        engine = engine or Engine(self.models, {}, 0)
        for order in orders:
            engine.submit(order)
        events: list[Event] = []
        while engine.busy:
            events += engine.turn()
        return events

    def told(self, *recipes: GenerationRequest, **more: Any) -> dict[int, Drawn | Failed]:
        """What became of each, all of them ordered at once."""
        orders = [Submit(job, recipe, **more) for job, recipe in enumerate(recipes)]
        return {each.job: each for each in self.run(*orders) if isinstance(each, Drawn | Failed)}

    def draw(self, model: str, image: bytes | None = None, **changes: Any) -> Drawn:
        recipe = self.recipe(model, **changes)
        found = self.told(recipe, initial_image=image)[0]
        assert isinstance(found, Drawn), found
        return found


def studio(cache: Path, *folders: Path, **settings: Any) -> Studio:
    torch.set_num_threads(1)
    models = Models(folders, cache, torch.device("cpu"), **settings)
    models.catalogue.refresh()
    return Studio(models)
