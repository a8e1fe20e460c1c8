from __future__ import annotations

from db.session import Database
from tests.rows import GUILD, MEMBER


async def test_a_members_default_wins_over_the_channels_and_the_guilds(database: Database) -> None:
    stored = database.settings
    await stored.set(GUILD, "guild", "", "steps", "10")
    await stored.set(GUILD, "guild", "", "size", "square")
    await stored.set(GUILD, "channel", "c1", "steps", "20")
    await stored.set(GUILD, "member", MEMBER, "steps", "30")
    assert await stored.get(GUILD, "c1", MEMBER) == {"steps": "30", "size": "square"}
    assert await stored.get(GUILD, "c1", "web:bea") == {"steps": "20", "size": "square"}
    assert await stored.get(GUILD, "c2", "web:bea") == {"steps": "10", "size": "square"}
    assert await stored.get("web:other", "c1", MEMBER) == {}
    await stored.set(GUILD, "member", MEMBER, "steps", None)
    assert (await stored.get(GUILD, "c1", MEMBER))["steps"] == "20"


async def test_styles_are_their_members_alone(database: Database) -> None:
    stored = database.settings
    await stored.save_style(GUILD, MEMBER, "Acuarela", {"prompt": "acuarela", "steps": "12"})
    await stored.save_style(GUILD, MEMBER, "acuarela", {"prompt": "acuarela suave"})
    assert await stored.styles(GUILD, MEMBER) == {"acuarela": {"prompt": "acuarela suave"}}
    assert await stored.get_style(GUILD, MEMBER, "ACUARELA") == {"prompt": "acuarela suave"}
    assert await stored.get_style(GUILD, "web:bea", "acuarela") is None
    assert await stored.get_style("web:other", MEMBER, "acuarela") is None
    assert not await stored.delete_style(GUILD, "web:bea", "acuarela")
    assert await stored.delete_style(GUILD, MEMBER, "acuarela")
    assert await stored.styles(GUILD, MEMBER) == {}


async def test_a_draft_keeps_a_long_prompt_under_a_short_code(database: Database) -> None:
    code = await database.drafts.save(GUILD, MEMBER, {"prompt": "ñ" * 5000})
    found = await database.drafts.get(GUILD, code.lower())
    assert found is not None
    assert found.options == {"prompt": "ñ" * 5000}
    assert await database.drafts.get(GUILD, "zzzz") is None


async def test_of_each_member_the_newest_drafts_are_kept(database: Database) -> None:
    drafts = database.drafts
    for number in range(30):
        await drafts.miss(GUILD, MEMBER, number, {"prompt": "missed"})
    others = await drafts.save(GUILD, "web:bea", {"prompt": "a cat"})
    own = [await drafts.save(GUILD, MEMBER, {"prompt": str(number)}) for number in range(22)]
    kept = [await drafts.get(GUILD, code) for code in own]
    assert [each and each.options["prompt"] for each in kept] == [
        *(None, None),
        *(str(number) for number in range(2, 22)),
    ]
    assert await drafts.get(GUILD, others)
    assert len(await drafts.missed(GUILD)) == 30
