"""A picture in flight, and how it begins."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from generator import metadata
from generator.batching import Want, calls_of
from generator.conditioning import Conditioning, condition
from generator.drawing import (
    MAX_INITIAL_PIXELS,
    Ask,
    Drawing,
    draw,
    initial_image,
)
from generator.grammar import passes
from generator.headers import Kind
from generator.memory import of_the_device, out_of_memory
from generator.messages import Failure, Note, NoteKind, Submit
from generator.models import Loaded, ModelRefused, Models
from generator.pipelines import PipelineModel
from generator.reading import changed, plain
from generator.sampler_names import follows, label_of
from generator.upscaling import Upscaler


@dataclass(slots=True)
class Run:
    """A picture in flight.

    Args:
        came: as the policy told when it was ordered.
        planned: widths and programs that are replayed.
        conditioning: whose notes are told besides.
        ask: what it wants next; None is a turn of its own.
        call: network calls that were answered; calls: their widths and programs.
        seconds: of ours that it took.
        alone: whether a call that it shared went wrong.
        turns: as many as it takes in all: network calls, but where a picture is enlarged.
    """

    order: Submit
    model: Loaded | Upscaler
    drawing: Drawing
    notes: Sequence[Note]
    came: int
    planned: list[tuple[int, str]] = field(default_factory=list)
    conditioning: Conditioning | None = None
    ask: Ask | None = None
    call: int = 0
    seconds: float = 0.0
    calls: list[tuple[int, str]] = field(default_factory=list)
    alone: bool = False
    turns: int = field(init=False)

    def __post_init__(self) -> None:
        self.turns = self.order.request.calls

    @property
    def told(self) -> tuple[Note, ...]:
        """All notes, once it is drawn."""
        return (*(self.conditioning.notes if self.conditioning else ()), *self.notes)

    @property
    def each(self) -> int:
        """What a turn of it costs."""
        return round(self.order.request.cost / max(1, self.turns))

    @property
    def rows(self) -> int:
        return self.ask.rows if self.ask else 1

    @property
    def key(self) -> Hashable:
        """What has to be equal in one call; None when it wants none."""
        if self.ask is None or isinstance(self.model, Upscaler):
            return None
        return self.model.name, self.model.hash, self.ask.key

    @property
    def like(self) -> Hashable:
        """What its calls take as long as; None when it wants none."""
        if self.ask is None or isinstance(self.model, Upscaler):
            return None
        return self.model.name, self.model.hash, self.ask.like

    @property
    def left(self) -> int:
        """Pixels × calls that it still needs."""
        return self.each * max(0, self.turns - self.call)

    @property
    def replayed(self) -> tuple[int, str] | tuple[None, None]:
        """Width and program of its next call, if it is made again."""
        width, program = self.planned[self.call] if self.call < len(self.planned) else (0, "")
        # Else it is no trace of this picture.
        return (width, program) if width >= self.rows else (None, None)

    def want(self, place: float) -> Want:
        width, program = self.replayed
        return Want(
            self.order.job, self.key, self.rows, place, width, program, self.alone, self.like
        )


def begin(order: Submit, came: int, model: Loaded, models: Models) -> Run:
    """Reads the prompts and the initial image."""
    request, catalogue = order.request, models.catalogue
    if isinstance(model, PipelineModel):
        prompt, told = plain(request.prompt, request, catalogue)
        negative, more = plain(request.negative_prompt, request, catalogue)
        words = replace(request, prompt=prompt, negative_prompt=negative)
        told += [*more, *model.notes(words)]
        run = Run(order, model, model.draw(words), tuple(told), came)
        run.turns = model.turns(request)
        run.drawing = _or_anew(run, run.drawing, partial(model.draw, words), models)
        return run
    # Where guidance is an input of the network, one row is enough.
    asked = replace(request, guidance_scale=1.0) if model.embeds_guidance else request
    if changed(request.extras, catalogue, model.family):
        catalogue.refresh(large=0)  # they may be newer than what it saw
    conditionings = [
        models.with_room(partial(condition, model, asked, catalogue, each))
        for each in passes(request.scheduled)
    ]
    notes = changed(request.extras, catalogue, model.family)
    if request.negative_prompt and not conditionings[0].guided:
        notes.append(Note(NoteKind.NEGATIVE_WITHOUT_EFFECT))
    if not follows(request.sampler, request.schedule):
        facts = {"schedule": request.schedule, "sampler": label_of(request.sampler)}
        notes.append(Note(NoteKind.SCHEDULE_WITHOUT_EFFECT, facts))
    image = None
    if order.initial_image is not None:
        image, resized = initial_image(order.initial_image, request)
        notes += resized
    drawing = draw(request, model, conditionings, image, notes, models.with_room)
    planned = calls_of(order.trace or "")
    return Run(order, model, drawing, notes, came, planned, conditionings[0])


def begin_enlarging(order: Submit, came: int, models: Models) -> Run:
    """With the network that the request names.

    Raises ModelRefused, metadata.ImageRefused, and what is of_the_device.
    """
    request, catalogue = order.request, models.catalogue
    name = str(request.upscaler)
    used = [each for each in request.extras if each.kind == Kind.UPSCALER]
    if changed(used, catalogue):
        catalogue.refresh(large=0)  # it may be newer than what it saw
    found = catalogue.find_extra(Kind.UPSCALER, name)
    if found is None:
        raise ModelRefused(Failure.MODEL_MISSING, name)
    try:
        upscaler = models.upscaler(found.path)
    except Exception as error:  # pickles fail in many ways, and it is a stranger's file
        if of_the_device(error):
            raise
        raise ModelRefused(Failure.MODEL_BROKEN, f"{found.path}: {error}") from error
    image = metadata.open_image(order.initial_image or b"", MAX_INITIAL_PIXELS)
    draw = partial(upscaler.draw, image, (request.width, request.height))
    run = Run(order, upscaler, draw(), tuple(changed(used, catalogue)), came)
    run.turns = upscaler.turns(image)
    run.drawing = _or_anew(run, run.drawing, draw, models)
    return run


def _or_anew(run: Run, first: Drawing, again: Callable[[], Drawing], models: Models) -> Drawing:
    """Of what is drawn in one piece: from the beginning once more, should the memory not suffice and
    models that nobody draws with make room."""
    try:
        return (yield from first)
    except Exception as error:
        if not (out_of_memory(error) and models.make_room()):
            raise
    run.call = 0
    return (yield from again())


def failure_of(error: BaseException) -> Failure:
    match error:
        case ModelRefused():
            return error.failure
        case metadata.ImageRefused():
            return Failure.IMAGE_BROKEN
        case ArithmeticError():
            return Failure.NOT_A_NUMBER
    if out_of_memory(error):
        return Failure.OUT_OF_MEMORY
    return Failure.FAULT
