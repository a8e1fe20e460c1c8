"""What an option offers while it is being typed."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import discord
from discord.app_commands import Choice

from bot.adapters.discord.places import (
    age_restricted,
    guild_of,
    language_of,
    member_of,
    place_of,
)
from bot.commands.declaration import Option
from bot.commands.kinds import Type, without_accents
from bot.commands.semilla import Semilla
from db.history import Asker
from generator.headers import Kind
from generator.request import LANCZOS
from generator.sampler_names import SAMPLERS

OFFERED, NAME_CHARACTERS = 25, 100
RECENT = 50  # pictures that are looked through, of one's own and of everybody's
SHAPES = {
    "en": ("square", "portrait", "landscape", "wide", "tall", "1:1", "3:2", "2:3", "16:9", "9:16"),
    "es": ("cuadrado", "vertical", "horizontal", "ancho", "alto", "1:1", "3:2", "2:3", "16:9"),
}
KINDS = {Kind.LORA: "LoRA", Kind.EMBEDDING: "embedding"}
COMPLETED = {
    Type.SAMPLER,
    Type.MODEL,
    Type.STYLE,
    Type.SIZE,
    Type.PICTURE,
    Type.EXTRA,
    Type.UPSCALER,
}

Interaction = discord.Interaction[Any]
Complete = Callable[[Interaction, str], Coroutine[Any, Any, list[Choice[str]]]]


def completion(semilla: Semilla, option: Option) -> Complete | None:
    """The option's autocompletion; None for one that is typed freely."""
    if option.kind.type not in COMPLETED and not option.kind.words:
        return None

    async def complete(interaction: Interaction, current: str) -> list[Choice[str]]:
        found = await _offers(semilla, option, interaction)
        wanted = without_accents(current)
        fitting = [each for each in found if wanted in without_accents(each[0])]
        short = [each for each in fitting if len(each[1]) <= NAME_CHARACTERS]
        return [Choice(name=name[:NAME_CHARACTERS], value=value) for name, value in short[:OFFERED]]

    return complete


async def _offers(
    semilla: Semilla, option: Option, interaction: Interaction
) -> list[tuple[str, str]]:
    """(shown, value) of all that could be meant, the likeliest first."""
    guild, member = guild_of(interaction), member_of(interaction)
    match option.kind.type:
        case Type.SAMPLER:
            return [(each.label, each.name) for each in SAMPLERS]
        case Type.MODEL:
            return [(f"{each.name} · {each.family}", each.name) for each in _models(semilla)]
        case Type.EXTRA:
            return await _extras(semilla, interaction)
        case Type.UPSCALER:
            upscalers = semilla.catalogue.extras(Kind.UPSCALER)
            files = [(f"{each.name} · ×{each.scale}", each.name) for each in upscalers]
            return [*files, (LANCZOS.title(), LANCZOS)]
        case Type.STYLE:
            styles = await semilla.database.settings.styles(guild.id, member.id)
            return [(name, name) for name in styles]
        case Type.SIZE:
            return [
                (shape, shape)
                for shape in SHAPES[language_of(interaction, semilla.config.language)]
            ]
        case Type.PICTURE:
            adults = age_restricted(interaction)
            asker = Asker(guild.id, member.id, member.moderator, adults)
            history = semilla.database.history
            own = await history.search(asker, member=member.id, limit=RECENT)
            latest = await history.search(asker, limit=RECENT)
            found = {each.id: each for each in (*own, *latest)}
            return [(f"{each.code} · {each.prompt}", each.code) for each in found.values()]
        case _:
            return [(word, word) for word, _ in option.kind.words]


async def _extras(semilla: Semilla, interaction: Interaction) -> list[tuple[str, str]]:
    """LoRAs and embeddings that fit the chosen model or the usual one, with the words that they
    answer to."""
    chosen = getattr(interaction.namespace, "model", None)
    if not chosen:
        guild, member = guild_of(interaction), member_of(interaction)
        channel, _ = place_of(interaction)
        usual = await semilla.database.settings.get(guild.id, channel, member.id)
        chosen = usual.get("model")
    catalogue = semilla.catalogue
    model = (catalogue.find(chosen) if chosen else None) or catalogue.default()
    return [
        (" · ".join([each.name, KINDS[kind], ", ".join(each.triggers)]).rstrip(" ·"), each.name)
        for kind in KINDS
        for each in catalogue.extras(kind, model.family)
    ]


def _models(semilla: Semilla) -> list[Any]:
    return list(semilla.catalogue.models())
