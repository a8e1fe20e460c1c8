"""Architectures that the step-wise engine doesn't know: drawn by their own diffusers pipeline.

The pipeline runs in a thread that stands still before every call of its network until it is told to
go on, so that the worker's turns stay short and a picture can be given up.
"""

from __future__ import annotations

import copy
import inspect
import json
import queue
import threading
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Any

import torch
from diffusers import DiffusionPipeline, SchedulerMixin
from PIL import Image
from transformers import CLIPTokenizer

from generator import building as building  # before any model is read
from generator import noise
from generator.folders import variant_of
from generator.messages import Note, NoteKind
from generator.request import GenerationRequest

# Without its largest text encoder Stable Diffusion 3 draws on half of the memory.
SPARE = ("text_encoder_3", "tokenizer_3", "image_encoder", "feature_extractor", "safety_checker")
ASKED = ("transformer", "unet", "prior_prior")  # networks that are called step by step
PRIOR_STEPS = "prior_num_inference_steps"
SEPARATE = "cfg_trunc_ratio"  # Lumina 2 asks twice a step, to leave one out where it isn't guided

_running = threading.local()


class _GivenUp(BaseException):
    """Ends a pipeline from inside; a BaseException, so that no library holds it for a fault."""


@dataclass(slots=True, weakref_slot=True)
class PipelineModel:
    """A model that is drawn with by its own pipeline."""

    name: str
    hash: str
    pipeline: Any

    @classmethod
    def read(
        cls, folder: Path, name: str, hash: str, device: torch.device, dtype: torch.dtype
    ) -> PipelineModel:
        """From a folder in the diffusers layout; never from a pickle, never from a hub."""
        pipeline = DiffusionPipeline.from_pretrained(
            folder,
            dtype=_half(device) if dtype is torch.float16 else dtype,
            variant=variant(*(each for each in folder.iterdir() if each.is_dir())),
            local_files_only=True,
            use_safetensors=True,
            **_left_out(folder),
        ).to(device)
        pipeline.set_progress_bar_config(disable=True)
        for network in filter(None, (getattr(pipeline, each, None) for each in ASKED)):
            network.register_forward_pre_hook(_give_way)
        return cls(name, hash, pipeline)

    @property
    def networks(self) -> list[Any]:
        return [part for part in self.pipeline.components.values() if hasattr(part, "parameters")]

    @property
    def _known(self) -> Mapping[str, inspect.Parameter]:
        return inspect.signature(self.pipeline.__call__).parameters

    def turns(self, request: GenerationRequest) -> int:
        """Network calls of a picture, whatever sampler it names; Kandinsky's prior has its own."""
        prior = self._known.get(PRIOR_STEPS)
        each = 2 if request.guided and SEPARATE in self._known else 1
        return request.steps * each + (prior.default if prior else 0)

    def notes(self, request: GenerationRequest) -> Iterator[Note]:
        """What of it has no effect."""
        known = self._known
        # Flux's guidance is an input of its network. Kandinsky's prior is always guided.
        heeded = "negative_prompt" in known and "true_cfg_scale" not in known
        if request.negative_prompt and not (heeded and (request.guided or PRIOR_STEPS in known)):
            yield Note(NoteKind.NEGATIVE_WITHOUT_EFFECT)
        limit, words = self._left_out(request.prompt)
        if words:
            yield Note(NoteKind.PROMPT_CUT, {"words": words[:200], "limit": str(limit)})

    def _left_out(self, prompt: str) -> tuple[int, str]:
        """How many tokens the text encoder reads that reads most of them, and what comes after."""
        parts = self.pipeline.components
        tokenizers = [parts[each] for each in parts if "tokenizer" in each and parts[each]]
        limit, tokenizer = max(((self._room(each), each) for each in tokenizers), key=itemgetter(0))
        ids = tokenizer(prompt, add_special_tokens=False, verbose=False).input_ids
        return limit, str(tokenizer.decode(ids[limit:])).strip()

    def _room(self, tokenizer: Any) -> int:
        """Tokens without the beginning's and the end's."""
        longest, most = int(tokenizer.model_max_length), self._known.get("max_sequence_length")
        if most is not None and not isinstance(tokenizer, CLIPTokenizer):
            longest = int(most.default)
        return longest - int(tokenizer.num_special_tokens_to_add())

    def draw(self, request: GenerationRequest) -> Generator[None, None, Image.Image | None]:
        """Yields before every call of the network; returns the picture, None when it is lost.

        Closing it gives the picture up.
        """
        events: queue.SimpleQueue[Any] = queue.SimpleQueue()
        orders: queue.SimpleQueue[bool] = queue.SimpleQueue()
        # torch's number of threads belongs to the thread that set it.
        arguments = (self._call(request), events, orders, torch.get_num_threads())
        thread = threading.Thread(target=_run, args=arguments, daemon=True)
        thread.start()
        try:
            while (event := events.get()) is None:
                yield
                orders.put(True)
        finally:
            orders.put(False)
            thread.join()
        if isinstance(event, BaseException):
            try:
                raise event
            finally:
                del event  # in a circle with its own frames, it would hold all that they have taken
        return event if isinstance(event, Image.Image) else None

    def _call(self, request: GenerationRequest) -> Any:
        """The pipeline with schedulers of its own for this picture, and all arguments."""
        pipeline = _own(self.pipeline)
        wanted = {
            "prompt": request.prompt,
            "negative_prompt": request.negative_prompt,
            "num_inference_steps": request.steps,
            "guidance_scale": request.guidance_scale,
            "width": request.width,
            "height": request.height,
            "generator": noise.generator(request.seed),
            "use_resolution_binning": False,
            "clean_caption": False,
        }
        arguments = {name: value for name, value in wanted.items() if name in self._known}
        return lambda: pipeline(**arguments).images[0]


def _own(pipeline: Any) -> Any:
    """A copy that remembers nothing of other pictures, and whose pipelines don't, if it joins some."""
    own = copy.copy(pipeline)
    for name, part in list(vars(pipeline).items()):
        if isinstance(part, DiffusionPipeline):
            setattr(own, name, _own(part))
        elif isinstance(part, SchedulerMixin):
            setattr(own, name, copy.deepcopy(part))
    return own


def _half(device: torch.device) -> torch.dtype:
    """The transformers and T5 encoders of Flux, Stable Diffusion 3 and PixArt were trained in
    bfloat16, and overflow in float16."""
    able = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.bfloat16 if able else torch.float16


def variant(*parts: Path) -> str | None:
    """ "fp16" or "bf16" where a part has nothing else, as in many folders of the hub."""
    each = [{variant_of(file.name) for file in part.glob("*.safetensors")} for part in parts]
    half = [found for found in each if found and "" not in found]
    return max(set.intersection(*half), default=None) if half else None


def _left_out(folder: Path) -> dict[str, None]:
    """Parts that the pipeline can do without and that are not there."""
    index = json.loads((folder / "model_index.json").read_text(encoding="utf-8"))
    return {part: None for part in SPARE if part in index and not (folder / part).is_dir()}


def _run(
    call: Any, events: queue.SimpleQueue[Any], orders: queue.SimpleQueue[bool], threads: int
) -> None:
    torch.set_num_threads(threads)
    _running.channels = (events, orders)
    try:
        events.put(call())
    except _GivenUp:  # nobody waits for it
        pass
    except BaseException as error:  # noqa: BLE001 — raised again where the picture is asked for
        events.put(error)


def _give_way(*_: Any) -> None:
    """Stands still until the worker's next turn."""
    channels = getattr(_running, "channels", None)
    if channels is None:
        return
    events, orders = channels
    events.put(None)
    if not orders.get():
        raise _GivenUp
