"""From rows and notes to what a member reads. Pure: no database, no clock, no chat."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.conversation import Button, Reply, Shown, Tone
from bot.events import Event, Loading, Running, Waiting
from bot.locales import choice, decimal, duration, escape, say, shortened
from db.models import Answer, Hold, Job, JobState, Picture, Relation, Visibility
from generator.messages import Failure, Note, NoteKind
from generator.request import GenerationRequest
from generator.sampler_names import label_of

ENDED = {JobState.DONE, JobState.FAILED, JobState.CANCELLED}
SHOWN_PIXELS = 512  # smaller pictures are shown enlarged by a whole number
NEVER_SILENT = (
    NoteKind.LORA_MISSING,
    NoteKind.LORA_UNFIT,
    NoteKind.EMBEDDING_MISSING,
    NoteKind.EMBEDDING_UNFIT,
    NoteKind.EXTRA_CHANGED,
    NoteKind.PROMPT_CUT,
    NoteKind.UNKNOWN_WORDS,
)
CAPTION_PROMPT, RETIRED_PROMPT = 200, 80
STRONG, SUBTLE = "0.35", "0.08"
SYMBOLS = "23456789BCDFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an answer is: its next job in line, or the one being drawn.

    Args:
        place: 1 is next; None when nothing waits.
        seconds: until all is done, None while nothing is known.
        loading: the model that is being loaded.
        call, calls: network calls answered, of how many.
        paused: the owner has stopped the drawing for now.
    """

    place: int | None = None
    seconds: float | None = None
    loading: str | None = None
    call: int = 0
    calls: int = 0
    preview: bytes | None = None
    paused: bool = False

    @classmethod
    def of(cls, event: Event) -> Progress | None:
        """What an event says of it; None when it says something else."""
        match event:
            case Waiting(place=place, seconds=seconds, paused=paused):
                return cls(place=place, seconds=seconds, paused=paused)
            case Loading(model=model):
                return cls(loading=model)
            case Running(call=call, calls=calls, preview=preview):
                return cls(call=call, calls=calls, preview=preview)
        return None


def answer_reply(answer: Answer, language: str, progress: Progress | None = None) -> Reply:
    """An answer as it stands: waiting, running, or with its pictures."""
    made = [(job, job.picture) for job in answer.jobs]
    seen = [(job, picture) for job, picture in made if picture is not None and _is_shown(picture)]
    pictures = tuple(picture_shown(picture, language, job) for job, picture in seen)
    lines = [line for job in answer.jobs if (line := _ended_line(job, language))]
    buttons: tuple[tuple[Button, ...], ...] = ()
    open_jobs = [job for job in answer.jobs if job.state not in ENDED]
    if open_jobs:
        lines.append(progress_line(progress or Progress(), language))
        buttons = ((_button(language, "cancel", f"/cancel {answer.id}"),),)
    elif any(map(_is_refused, answer.jobs)):
        buttons = ((_button(language, "edit", f"/rewrite {answer.id}"),),)
    elif any(job.state is JobState.FAILED for job in answer.jobs):
        buttons = ((_button(language, "retry", f"/retry {answer.id}"),),)
    elif [picture.visibility for _, picture in seen] == [Visibility.PRIVATE]:
        buttons = ((_button(language, "publish", f"/publish {pictures[0].code}"),),)
    return Reply(
        text="\n".join(dict.fromkeys(lines)),
        pictures=pictures,
        pick=say(language, "pick", count=len(pictures)),
        buttons=buttons,
        private=answer.private,
        answer=answer.id,
        tone=Tone.ACCEPTED if open_jobs else Tone.PLAIN,
    )


def progress_line(progress: Progress, language: str) -> str:
    """ "You are 3rd · about 20 s", "Loading …", "Step 4 of 20"."""
    about = ""
    if progress.seconds is not None:
        about = " · " + say(language, "about", time=duration(progress.seconds, language))
    if progress.loading:
        return say(language, "loading-model", model=progress.loading) + about
    if progress.calls:
        return say(language, "drawing", call=str(progress.call), calls=str(progress.calls)) + about
    if progress.paused:
        return say(language, "drawing-later")
    if progress.place is None:
        return say(language, "accepted")
    return say(language, "place", place=progress.place) + about


def picture_shown(picture: Picture, language: str, job: Job | None = None) -> Shown:
    """A picture with its caption and buttons."""
    lines = []
    remade = job.parent if job is not None and job.relation is Relation.REROLL else None
    parent = picture.parent if picture.parent_id != picture.id else None
    if remade is not None and picture.member == remade.member:
        parent = None  # the verdict names it
    if parent is not None:
        lines.append(origin_line(picture, parent, language))
    if remade is not None:
        lines.append(verdict(picture, remade, language))
    notes = [Note.from_json(each) for each in picture.notes]
    if job is not None:
        notes = [note for note in notes if not _of_default(note, job)]
    told = [note for note in notes if note.kind in NEVER_SILENT] or notes[:1]
    lines += [note_line(note, language) for note in told]
    prompt = " ".join(shortened(picture.prompt, CAPTION_PROMPT).split())
    return Shown(
        code=picture.code,
        file=picture.file,
        width=picture.width,
        height=picture.height,
        alt=picture.prompt,
        scale=shown_scale(picture.width, picture.height),
        title=f"**{escape(prompt)}**" if prompt else "",
        facts=say(
            language,
            "facts",
            seed=str(picture.request.seed),
            code=picture.code,
            seconds=decimal(picture.seconds, language),
        ),
        notes=tuple(lines),
        buttons=picture_buttons(picture, language),
        line=f"/show {picture.code}",
        parent=(parent.id, parent.code) if parent else None,
    )


def shown_scale(width: int, height: int) -> int:
    """Whole number by which a small picture is shown enlarged."""
    return max(1, SHOWN_PIXELS // max(width, height))


def captions(pictures: Sequence[Shown]) -> list[str]:
    """One for each; of several, numbered, what all have in common is said once: the prompt before
    the first, notes after the last."""
    if len(pictures) < 2:
        return [each.caption for each in pictures]
    first = pictures[0]
    title = first.title if all(each.title == first.title for each in pictures) else ""
    notes = [note for note in first.notes if all(note in each.notes for each in pictures)]
    found = []
    for number, each in enumerate(pictures, 1):
        own = tuple(note for note in each.notes if note not in notes)
        rest = replace(each, title="" if title else each.title, notes=own)
        found.append(f"{number} · {rest.caption}")
    found[0] = "\n".join(filter(None, (title, found[0])))
    found[-1] = "\n".join((found[-1], *notes))
    return found


def origin_line(picture: Picture, parent: Picture, language: str) -> str:
    relation = picture.relation.value if picture.relation else "changed"
    own = picture.member == parent.member
    key = "origin-own" if own else "origin"
    return say(language, key, code=parent.code, relation=relation, author=parent.member_name)


def picture_buttons(picture: Picture, language: str) -> tuple[tuple[Button, ...], ...]:
    """The first row is always in sight; the second is under ⋯ where a chat can fold it."""
    code = picture.code
    first = (
        _button(language, "another", f"/reroll {code} seed:-1"),
        _button(language, "vary", f"/vary {code}"),
        _button(language, "edit", f"/edit {code}"),
        _button(language, "recipe", f"/recipe {code}"),
    )
    second: tuple[Button, ...] = (
        _button(language, "vary-subtle", f"/vary {code} strength:{SUBTLE}"),
        _button(language, "vary-strong", f"/vary {code} strength:{STRONG}"),
        _button(language, "upscale", f"/upscale {code}"),
        _button(language, "identical", f"/reroll {code}"),
        _button(language, "png", f"/show {code} png:yes"),
        _button(language, "delete", f"/delete {code}"),
    )
    if picture.visibility is Visibility.PRIVATE:
        second = (_button(language, "publish", f"/publish {code}"), *second)
    return first, second


def verdict(picture: Picture, parent: Picture, language: str) -> str:
    """What came of making a picture again: compared by its pixels."""
    if picture.pixel_hash == parent.pixel_hash:
        values = picture.width * picture.height * 3
        return say(language, "identical", values=values, code=parent.code)
    return say(
        language, "differs", code=parent.code, difference=difference(picture, parent, language)
    )


def difference(picture: Picture, parent: Picture, language: str) -> str:
    """Why the same recipe gave other pixels, in words."""
    if picture.request.model_hash != parent.request.model_hash:
        return say(language, "difference-model", model=parent.request.model)
    notes = [Note.from_json(each) for each in picture.notes]
    if files := [n.facts["name"] for n in notes if n.kind is NoteKind.EXTRA_CHANGED]:
        return say(language, "difference-files", names=", ".join(files))
    changed = [
        f"{name}: {parent.key.get(name, '?')} → {picture.key.get(name, '?')}"
        for name in {**parent.key, **picture.key}
        if parent.key.get(name) != picture.key.get(name)
    ]
    if changed:
        return say(language, "difference-machine", changes=", ".join(sorted(changed)))
    if picture.trace != parent.trace or _in_tiles(picture) != _in_tiles(parent):
        return say(language, "difference-calls")
    return say(language, "difference-unknown")


def _in_tiles(picture: Picture) -> bool:
    return any(note["kind"] == NoteKind.DECODED_IN_TILES for note in picture.notes)


def _of_default(note: Note, job: Job) -> bool:
    """Whether it is about a default of its guild or channel, which its author didn't type."""
    if job.parent_id is not None:
        return False
    line = job.answer.line.casefold()
    if note.kind is NoteKind.SIZE_ROUNDED:
        return not any(name in line for name in ("size:", "width:", "height:"))
    about = note.facts.get("name") or note.facts.get("typed", "")
    negative = about in job.request.negative_prompt and about not in job.request.prompt
    return (negative or note.kind is NoteKind.NEGATIVE_WITHOUT_EFFECT) and "negative" not in line


def note_line(note: Note, language: str) -> str:
    return say(language, f"note-{note.kind.value}", **note.facts)


def recipe_text(
    picture: Picture, language: str, line: str, family: str = "", words: int | None = None
) -> str:
    """Everything that a picture is made from, and the line that makes it again. `words`: how many
    characters of its prompts; all of them where it isn't said."""
    request = picture.request
    prompts = (request.prompt, request.negative_prompt)
    prompt, negative = (shortened(each, words or len(each)) for each in prompts)
    rows = [
        ("prompt", prompt),
        ("negative", negative),
        ("seed", str(request.seed)),
        ("steps", str(request.steps)),
        ("sampler", sampler_label(request)),
        ("guidance", decimal(request.guidance_scale, language, "g")),
        ("size", size_words(picture, language)),
        ("model", f"{request.model} ({request.model_hash[:10]})"),
        ("strength", decimal(request.strength, language, "g") if request.initial_image else ""),
        ("vae", f"{request.vae} ({str(request.vae_hash)[:10]})" if request.vae else ""),
        ("clip_skip", str(request.clip_skip) if request.clip_skip > 1 else ""),
        (
            "emphasis",
            "" if request.emphasis == "original" else choice(language, request.emphasis),
        ),
        ("tiling", "✓" if request.tiling else ""),
    ]
    lines = [f"**{say(language, f'option-{name}')}** {escape(text)}" for name, text in rows if text]
    lines += [
        say(
            language,
            "recipe-variation",
            seed=str(each.seed),
            strength=decimal(each.strength, language, "g"),
        )
        for each in request.variations
    ]
    lines += [*_passes(request, language), *_files(request)]
    lines += [note_line(Note.from_json(each), language) for each in picture.notes]
    made = say(
        language,
        "recipe-made",
        author=picture.member_name,
        seconds=decimal(picture.seconds, language),
        calls=request.calls,
        key=", ".join(f"{name} {value}" for name, value in picture.key.items()),
    )
    again = say(language, "recipe-again", line=line)
    return "\n".join(part for part in (*lines, family, made, again) if part)


def _passes(request: GenerationRequest, language: str) -> Iterator[str]:
    if hires := request.hires:
        facts = {
            "size": f"{hires.width}x{hires.height}",
            "strength": decimal(hires.strength, language, "g"),
        }
        yield say(language, "recipe-hires", **facts, steps=str(request.steps_run[1]))
    if request.masked:
        yield say(language, "recipe-masked")
    if request.upscaler:
        yield say(language, "recipe-upscaled")


def _files(request: GenerationRequest) -> list[str]:
    """LoRAs and embeddings, with their hashes as the field shortens them."""
    return [f"**{each.name}** {each.kind} `{each.hash[:10]}`" for each in request.extras]


def sampler_label(request: GenerationRequest) -> str:
    label = label_of(request.sampler)
    return label if request.schedule == "automatic" else f"{label} · {request.schedule}"


def size_words(picture: Picture, language: str) -> str:
    size = f"{picture.width}x{picture.height}"
    scale = shown_scale(picture.width, picture.height)
    return size if scale == 1 else say(language, "size-enlarged", size=size, scale=str(scale))


def _ended_line(job: Job, language: str) -> str | None:
    if job.state is JobState.CANCELLED:
        return say(language, "cancelled")
    if job.state is JobState.FAILED:
        facts: Mapping[str, Any] = {"model": job.request.network, "code": job.failure_code or "?"}
        return say(language, f"failure-{job.failure}", **facts)
    if job.state is JobState.DONE and job.picture is not None and job.picture.deleted:
        return say(language, "deleted-picture", code=job.picture.code)
    if job.picture is not None and job.picture.visibility is Visibility.HELD:
        return say(language, f"held-{job.picture.held_for or Hold.APPROVAL}")
    if job.state is JobState.DONE and job.picture is not None and not job.picture.file:
        return retired_line(job.picture, language)
    return None


def _is_shown(picture: Picture) -> bool:
    held = picture.visibility is Visibility.HELD
    return picture.deleted is None and bool(picture.file) and not held


def _is_refused(job: Job) -> bool:
    """Whether its words are to be changed, and not only tried again."""
    held = job.picture is not None and job.picture.held_for == Hold.CHECK
    return held or job.failure == Failure.REFUSED


def retired_line(picture: Picture, language: str) -> str:
    """A picture of which only the recipe is left."""
    prompt = shortened(picture.prompt, RETIRED_PROMPT)
    key = "retired-over" if picture.request.initial_image else "retired-picture"
    return say(language, key, code=picture.code, prompt=prompt)


def _button(language: str, key: str, line: str) -> Button:
    return Button(label=say(language, f"button-{key}"), line=line)


def list_lines(lines: Iterable[str]) -> str:
    return "\n".join(f"· {line}" for line in lines)
