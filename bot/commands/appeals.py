"""What the author of a refused request can do: change its words, or ask for a review."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bot.commands import line
from bot.commands.declaration import COMMANDS, Answers, command
from bot.commands.kinds import Item, Prompt
from bot.commands.semilla import Semilla
from bot.conversation import Call, Field, Form, Refusal, Reply
from bot.holding import review_reply, tell_moderators
from bot.locales import say
from bot.moderation import rules_of
from db.models import Review

ASKED_AT_ONCE = 5  # requests of a member that wait for a moderator of a guild


@command(answers=Answers.FORM)
async def rewrite(semilla: Semilla, call: Call, item: Item, prompt: Prompt | None = None) -> Reply:
    """With other words the request is made; without any, there is a form for them."""
    name, options = await _refused(semilla, call, item)
    if prompt is None:
        return _form(call, item, str(options.get("prompt", "")))
    again = replace(call, command=name, options={**options, "prompt": prompt})
    return await COMMANDS[name].run(semilla, again)


@command()
async def appeal(semilla: Semilla, call: Call, item: Item) -> Reply:
    review = await _own_review(semilla, call, item)
    if review is None:
        raise Refusal("unknown-draft", ("/help",))
    moderation = semilla.database.moderation
    if await moderation.ask(review, ASKED_AT_ONCE):
        rules = await rules_of(semilla.database, call.guild.id)
        reply = review_reply(review, rules.language or call.language)
        tell_moderators(semilla.events, rules, call.guild.id, reply)
    elif (now := await _own_review(semilla, call, item)) and not (now.asked or now.decided):
        raise Refusal("reviews-wait", count=ASKED_AT_ONCE)
    return Reply(text=say(call.language, "appealed"), private=True)


def _form(call: Call, item: str, prompt: str) -> Reply:
    fields = (
        Field(name="item", label="", value=item, kind="hidden"),
        Field(name="prompt", label=say(call.language, "option-prompt"), value=prompt),
    )
    title = say(call.language, "rewrite-title")
    return Reply(form=Form(title=title, command="rewrite", fields=fields), private=True)


async def _refused(semilla: Semilla, call: Call, item: str) -> tuple[str, Mapping[str, str]]:
    """Command and options of one's own refused request, by its code or its answer's number.

    Raises Refusal.
    """
    if item.isdecimal() and len(item) < 16:
        answer = await semilla.database.answers.get(int(item))
        if answer and (answer.guild, answer.member) == (call.guild.id, call.member.id):
            name, options = line.parse(answer.line)
            if COMMANDS[name].option("prompt") is not None:
                return name, options
    elif review := await _own_review(semilla, call, item):
        return review.command, review.options
    raise Refusal("unknown-draft", ("/help",))


async def _own_review(semilla: Semilla, call: Call, code: str) -> Review | None:
    review = await semilla.database.moderation.review(call.guild.id, code)
    return review if review is not None and review.member == call.member.id else None
