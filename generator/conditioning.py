"""From a prompt's words to what the network attends to, step by step.

Chunks, weights and schedules as in AUTOMATIC1111 (modules/sd_hijack_clip.py, sd_emphasis.py,
prompt_parser.py); a prompt without syntax gives diffusers' encode_prompt to the bit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache, partial
from typing import Any

import torch
from torch import Tensor

from generator import loras
from generator.catalogue import Catalogue
from generator.embeddings import Embedding, tokenize
from generator.grammar import Part, Pass, Section, parse
from generator.loaded_model import LoadedModel
from generator.loras import Lora
from generator.messages import Note, NoteKind
from generator.reading import read
from generator.request import VERSION, GenerationRequest
from generator.text_encoders import TextEncoder

TEXTS = 8  # of a part of a prompt that are kept encoded
CHUNKS = 16  # of a prompt; what comes after them is left out
BACKTRACK = 20  # tokens: a chunk's last words go over to the next one as far back as their comma
COMMA = ","
WORD = re.compile(r"\w[\w'’-]*")


@dataclass(slots=True)
class Chunk:
    """Tokens for one call of a text encoder, without the beginning's and the end's."""

    ids: list[int] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    vectors: list[tuple[int, Embedding]] = field(default_factory=list)  # place → in its stead


@dataclass(frozen=True, slots=True)
class Encoded:
    """Embeddings (1, tokens, width) and, of a model that has them, pooled ones (1, width)."""

    embeddings: Tensor
    pooled: Tensor | None = None
    notes: tuple[Note, ...] = ()


Line = Callable[[int], Encoded]
"""What one row attends to at a sampler step, counted from 0."""


class Conditioning:
    """What the rows of a picture's network calls attend to, encoded as its steps come.

    Args:
        lines: of every row, the negative one first where there is one.
        weights: of the positive rows; more than one where there was an AND.
        filling: where the first row is the negative one, what makes it as long as the others:
            the embeddings of an empty chunk, asked for only where they are needed.
        lora: the LoRAs that the network has to use; only equal ones share a call.
    """

    def __init__(
        self,
        lines: Sequence[Line],
        weights: Sequence[float],
        *,
        filling: Callable[[], Tensor] | None = None,
        lora: tuple[Lora, ...] = (),
        notes: Sequence[Note] = (),
    ) -> None:
        self._lines = tuple(lines)
        self._filling = filling
        self.weights = tuple(weights)
        self.guided = filling is not None
        self.lora = lora
        self._notes = list(notes)
        self._now = 0, self._encoded(0)

    @property
    def notes(self) -> tuple[Note, ...]:
        """Up to now: a later step may have words that don't fit."""
        return tuple({repr(note): note for note in self._notes}.values())

    def rows(self, index: int = 0) -> int:
        """Rows of the network call of this sampler step, counted from 0."""
        return len(self.at(index))

    def at(self, index: int) -> Tensor:
        """(rows, tokens, width); tokens may differ from step to step."""
        return self._step(index).embeddings

    def pooled(self, index: int) -> Tensor | None:
        """(rows, width) of SD XL's second text encoder."""
        return self._step(index).pooled

    def _step(self, index: int) -> Encoded:
        if self._now[0] != index:
            self._now = index, self._encoded(index)
        return self._now[1]

    def _encoded(self, index: int) -> Encoded:
        rows = [line(index) for line in self._lines]
        self._notes += [note for row in rows for note in row.notes if note not in self._notes]
        return _stacked(rows, self._filling)

    def combine(self, output: Tensor, scale: float) -> Tensor:
        """One prediction of the rows' (rows, channels, height, width).

        Classifier-free guidance (Ho and Salimans, 2022); with AND every prompt pulls for itself
        (composable diffusion, Liu et al., 2022).
        """
        if not self.guided:
            return output
        negative, *positives = output.split(1)
        if self.weights == (1.0,):
            return torch.as_tensor(negative + scale * (positives[0] - negative))
        pulls = [w * scale * (p - negative) for w, p in zip(self.weights, positives, strict=True)]
        return torch.as_tensor(negative + torch.stack(pulls).sum(dim=0))


def condition(
    model: LoadedModel,
    request: GenerationRequest,
    catalogue: Catalogue,
    during: Pass | None = None,
) -> Conditioning:
    """Reads a request's prompts and encodes what they are at first.

    The model goes on using the request's LoRAs. Raises what is of_the_device.

    Args:
        during: the steps that the prompt is scheduled over; the request's, if not given.
    """
    during = during or Pass(request.steps)
    positive = read(request.prompt, request, model, catalogue)
    wanted = positive.loras if request.version < 3 else _joined(positive.loras)
    used, notes = _use(model, wanted)
    notes = [*positive.notes, *notes, *_skipping_less(model, request.clip_skip)]
    parts = positive.prompt.parts
    ready = partial(loras.use, model, used)
    encoder = Encoder(model.encoders, request.clip_skip, request.emphasis, ready, request.version)
    lines = [encoder.line(part, during, positive.embeddings) for part in parts]
    guided = request.guided or len(parts) > 1
    if guided:
        negative = read(request.negative_prompt, request, model, catalogue, negative=True)
        notes += negative.notes
        line = encoder.line(negative.prompt.parts[0], during, negative.embeddings)
        lines.insert(0, line if request.negative_prompt.strip() else encoder.nothing(line))
    return Conditioning(
        lines,
        [part.weight for part in parts],
        filling=cache(lambda: encoder.encode(()).embeddings) if guided else None,
        lora=used,
        notes=notes,
    )


def _skipping_less(model: LoadedModel, clip_skip: int) -> list[Note]:
    """Where an encoder has no layer so deep."""
    deepest = min(encoder.deepest for encoder in model.encoders)
    if clip_skip <= deepest:
        return []
    facts = {"typed": f"clip_skip:{clip_skip}", "read": f"clip_skip:{deepest}"}
    return [Note(NoteKind.PROMPT_TRANSLATED, facts)]


def _joined(wanted: Sequence[Lora]) -> list[Lora]:
    """One for each file: named twice, it weighs as much as both."""
    found: dict[str, Lora] = {}
    for lora in wanted:
        if (other := found.get(lora.hash)) is not None:
            text, network = other.text + lora.text, other.network + lora.network
            lora = replace(lora, text=text, network=network)
        found[lora.hash] = lora
    return list(found.values())


def _use(model: LoadedModel, wanted: Sequence[Lora]) -> tuple[tuple[Lora, ...], list[Note]]:
    """Those that the model could take, in a fixed order."""
    notes: list[Note] = []
    fitting = sorted(set(wanted))
    while True:
        try:
            loras.use(model, fitting)
            return tuple(fitting), notes
        except loras.LoraRefused as refused:
            fitting.remove(refused.lora)
            notes.append(Note(NoteKind.LORA_UNFIT, {"name": refused.lora.path.stem}))


class Encoder:
    """The text encoders of a model as a prompt is read by all of them.

    Args:
        emphasis: what becomes of weights: "original" (the mean is as before), "no norm",
            "none" (they are left out).
        ready: makes the encoders use the prompt's LoRAs, as other pictures may have had others.
        version: of the recipe.
    """

    def __init__(
        self,
        encoders: Sequence[TextEncoder],
        clip_skip: int = 1,
        emphasis: str = "original",
        ready: Callable[[], None] = lambda: None,
        version: int = VERSION,
    ) -> None:
        self._encoders = encoders
        self._clip_skip = clip_skip
        self._emphasis = emphasis
        self._ready = ready
        self._version = version

    def line(self, part: Part, during: Pass, embeddings: Sequence[Embedding] = ()) -> Line:
        """A part of the prompt at each step. The texts that come again and again are kept."""
        encoded = lru_cache(TEXTS)(partial(self.encode, embeddings=embeddings))
        return lambda index: encoded(part.sections(min(index + 1, during.steps), during))

    @torch.inference_mode()
    def encode(self, text: Sequence[Section], embeddings: Sequence[Embedding] = ()) -> Encoded:
        self._ready()
        parts, pools = [], []
        notes: tuple[Note, ...] = ()
        for encoder in self._encoders:
            chunks = _chunks(encoder, text, embeddings)
            if self._version > 2 and len(chunks) > 1 and not chunks[-1].ids:
                chunks.pop()  # nothing came after the last BREAK
            notes = _left_out(encoder, chunks)
            done = [self._call(encoder, chunk) for chunk in chunks[:CHUNKS]]
            parts.append(torch.cat([each for each, _ in done], dim=1))
            pools.append(done[0][1])
        longest = max(part.shape[1] for part in parts)
        parts = [_lengthened(part, longest, part[:, -1:]) for part in parts]
        return Encoded(torch.cat(parts, dim=-1), pools[-1], notes)

    def nothing(self, line: Line) -> Line:
        """An empty negative prompt; SD XL was trained with zeros in its place."""
        if len(self._encoders) < 2:
            return line
        one = line(0)
        pooled = None if one.pooled is None else torch.zeros_like(one.pooled)
        zeros = Encoded(torch.zeros_like(one.embeddings), pooled)
        return lambda _index: zeros

    def _call(self, encoder: TextEncoder, chunk: Chunk) -> tuple[Tensor, Tensor | None]:
        words = encoder.tokenizer
        room = encoder.length - 2 - len(chunk.ids)
        ids = [words.bos_token_id, *chunk.ids, words.eos_token_id, *[words.pad_token_id] * room]
        hook = encoder.model.get_input_embeddings().register_forward_hook(_inserting(chunk))
        try:
            embeddings, pooled = encoder(torch.tensor([ids]), self._clip_skip)
        finally:
            hook.remove()
        if self._emphasis == "none" or all(weight == 1 for weight in chunk.weights):
            return embeddings, pooled
        return _weighted(embeddings, chunk.weights, self._emphasis), pooled


def _inserting(chunk: Chunk) -> Any:
    """A hook that puts vectors in the place of tokens. (1, tokens, width)"""

    def insert(_module: Any, _inputs: Any, output: Tensor) -> Tensor | None:
        if not chunk.vectors:
            return None
        output = output.clone()
        for place, embedding in chunk.vectors:
            vectors = embedding.vectors[output.shape[-1]].to(output.device, output.dtype)
            vectors = vectors[: output.shape[1] - place - 1]  # of more AUTOMATIC1111 takes those
            output[0, place + 1 : place + 1 + len(vectors)] = vectors
        return output

    return insert


def _weighted(embeddings: Tensor, weights: Sequence[float], emphasis: str) -> Tensor:
    factors = torch.ones(embeddings.shape[1], device=embeddings.device, dtype=embeddings.dtype)
    factors[1 : 1 + len(weights)] = torch.tensor(weights).to(factors)
    weighted = embeddings * factors[:, None]
    if emphasis != "original":
        return weighted
    # In float32: half precision can't hold the sum of so many numbers.
    restored = weighted * (embeddings.float().mean() / weighted.float().mean()).to(factors)
    return restored if restored.isfinite().all() else weighted


def _chunks(
    encoder: TextEncoder, text: Sequence[Section], embeddings: Sequence[Embedding]
) -> list[Chunk]:
    """At least one, cut where AUTOMATIC1111 cuts."""
    room = encoder.length - 2
    names = sorted(((e.ids(encoder), e) for e in embeddings), key=lambda each: -len(each[0]))
    names = [(ids, embedding) for ids, embedding in names if ids]
    comma = tokenize(encoder, COMMA)
    chunks: list[Chunk] = []
    for section in text or [()]:
        chunks.append(Chunk())
        for piece in section:
            ids = tokenize(encoder, piece.text)
            place = 0
            while place < len(ids):
                place += _add(chunks, room, comma, ids, place, piece.weight, names)
    return chunks


def _add(
    chunks: list[Chunk],
    room: int,
    comma: list[int],
    ids: list[int],
    place: int,
    weight: float,
    names: list[tuple[list[int], Embedding]],
) -> int:
    """Puts the next token or embedding into the last chunk or a new one; tokens that it took."""
    found = next((each for each in names if ids[place : place + len(each[0])] == each[0]), None)
    size = min(max(map(len, found[1].vectors.values())), room) if found else 1
    if len(chunks[-1].ids) + size > room:
        if comma != ids[place : place + 1] and not found:
            _wrap(chunks, comma)
        else:
            chunks.append(Chunk())
    chunk = chunks[-1]
    if found:
        chunk.vectors.append((len(chunk.ids), found[1]))
    chunk.ids += [0] * size if found else [ids[place]]
    chunk.weights += [weight] * size
    return len(found[0]) if found else 1


def _wrap(chunks: list[Chunk], comma: list[int]) -> None:
    """A new chunk, with what came after the last comma of the full one if that is near its end."""
    full = chunks[-1]
    commas = [i for i, id in enumerate(full.ids) if [id] == comma]
    new = Chunk()
    if commas and len(full.ids) - commas[-1] <= BACKTRACK:
        cut = commas[-1] + 1
        new.ids, new.weights = full.ids[cut:], full.weights[cut:]
        new.vectors = [(place - cut, each) for place, each in full.vectors if place >= cut]
        full.vectors = [(place, each) for place, each in full.vectors if place < cut]
        del full.ids[cut:], full.weights[cut:]
    chunks.append(new)


def _left_out(encoder: TextEncoder, chunks: Sequence[Chunk]) -> tuple[Note, ...]:
    if len(chunks) <= CHUNKS:
        return ()
    decoded = encoder.tokenizer.decode([id for chunk in chunks[CHUNKS:] for id in chunk.ids])
    # Of signs that are several tokens there may be a part only.
    words = " ".join(WORD.findall(decoded))[:200] or "…"
    limit = CHUNKS * (encoder.length - 2)
    return (Note(NoteKind.PROMPT_CUT, {"words": words, "limit": str(limit)}),)


def _lengthened(embeddings: Tensor, tokens: int, by: Tensor) -> Tensor:
    """Repeats `by` at the end until there are so many tokens."""
    missing = tokens - embeddings.shape[1]
    if missing <= 0:
        return embeddings
    times = -(-missing // by.shape[1])
    return torch.cat([embeddings, by.repeat(1, times, 1)[:, :missing]], dim=1)


def _stacked(rows: Sequence[Encoded], filling: Callable[[], Tensor] | None) -> Encoded:
    """Of different length the positive rows are filled up with their last vector, then they or the
    negative one with `filling`; None where there is no negative one."""
    embeddings = [row.embeddings for row in rows]
    start = 0 if filling is None else 1
    longest = max(each.shape[1] for each in embeddings[start:])
    embeddings[start:] = [_lengthened(e, longest, e[:, -1:]) for e in embeddings[start:]]
    if filling is not None and len({each.shape[1] for each in embeddings}) > 1:
        longest, empty = max(each.shape[1] for each in embeddings), filling()
        embeddings = [_lengthened(each, longest, empty) for each in embeddings]
    pools = [row.pooled for row in rows if row.pooled is not None]
    return Encoded(torch.cat(embeddings), torch.cat(pools) if pools else None)


def encode(tokenizer: Any, encoder: Any, prompt: str) -> Encoded:
    """A prompt as one row, without the catalogue's embeddings."""
    return Encoder([TextEncoder(tokenizer, encoder)]).encode(parse(prompt).parts[0].sections())
