"""Every sentence is there in both languages, with the same facts."""

import re
from pathlib import Path

import pytest
from fluent.syntax import ast, parse
from fluent.syntax.visitor import Visitor

import bot
from bot.commands.declaration import COMMANDS
from bot.commands.reference import markdown
from bot.locales import LANGUAGES, duration, has, say
from generator.messages import Failure, NoteKind

BOT = Path(bot.__file__).parent


class Facts(Visitor):
    def __init__(self):
        self.names = set()

    def visit_VariableReference(self, node):  # noqa: N802
        self.names.add(node.id.name)

    def visit_MessageReference(self, node):  # noqa: N802
        raise AssertionError(f"{node.id.name}: each sentence is read without the others")

    visit_TermReference = visit_MessageReference  # noqa: N815


def sentences(language):
    found = {}
    for path in BOT.rglob(f"{language}.ftl"):
        for entry in parse(path.read_text(encoding="utf-8")).body:
            assert not isinstance(entry, ast.Junk), f"{path}: {entry.content}"
            if isinstance(entry, ast.Message):
                assert entry.id.name not in found, f"{entry.id.name} stands twice"
                facts = Facts()
                facts.visit(entry)
                found[entry.id.name] = facts.names
    return found


def test_both_languages_have_every_sentence_with_the_same_facts():
    english, spanish = sentences("en"), sentences("es")
    # Aliases are understood in both languages, so they stand once.
    english = {key: facts for key, facts in english.items() if not key.endswith("-aliases")}
    assert english == spanish


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_failure_and_note_has_a_sentence(language):
    assert all(has(language, f"failure-{failure.value}") for failure in Failure)
    assert all(has(language, f"note-{kind.value}") for kind in NoteKind)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_refusal_that_is_raised_has_a_sentence(language):
    raised = {
        key
        for path in BOT.rglob("*.py")
        for key in re.findall(r'Refusal\(\s*"([\w-]+)"', path.read_text(encoding="utf-8"))
    }
    assert len(raised) > 20
    assert [key for key in raised if not has(language, f"refusal-{key}")] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_command_and_option_is_described(language):
    for command in COMMANDS.values():
        assert command.label(language)
        assert len(command.description(language)) <= 100
        for option in command.options:
            assert option.label(language)
            assert len(option.description(language)) <= 100


def test_a_members_words_cannot_format_a_reply():
    text = say("en", "deleted", code="**bold** `code` \\")
    assert text == "`\\*\\*bold\\*\\* \\`code\\` \\\\` is deleted."


def test_a_span_is_told_in_the_unit_that_says_it_well():
    spans = [duration(seconds, "es") for seconds in (0, 89, 5399, 5401, 172_799, 259_200)]
    assert spans == ["1 s", "89 s", "90 min", "2 h", "48 h", "3 días"]


def test_the_page_of_commands_is_current():
    assert (BOT.parent / "docs" / "commands.md").read_text(encoding="utf-8") == markdown()
