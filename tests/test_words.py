"""The lists of words, and the floor that no setting removes."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.moderation import LISTS, Kind, Rules, below_floor, blocked_word, in_channel, mentions_minor
from bot.words import FOLDER, find

DATA = Path(__file__).parent / "data"
CLASS, COMMUNITY = Rules(words=Kind.CHILDREN), Rules(words=Kind.GENERAL)
STUDIO = Rules(words=Kind.ADULTS, nsfw=True)
EVERY_LIST = frozenset().union(*LISTS.values())
OF_THE_FLOOR = frozenset({"floor_sexual", "floor_suggestive"})


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_thousand_harmless_prompts_pass_in_a_class(language: str) -> None:
    prompts = (DATA / f"harmless_{language}.txt").read_text(encoding="utf-8").splitlines()
    assert len(set(prompts)) == 1000
    assert [prompt for prompt in prompts if find(prompt, EVERY_LIST) or below_floor(prompt)] == []
    assert [prompt for prompt in prompts if find(prompt, OF_THE_FLOOR)] == [], "a child beside it"


@pytest.mark.parametrize("language", ["pt", "fr", "de", "it"])
def test_what_classes_ask_for_in_other_languages_passes(language: str) -> None:
    prompts = (DATA / f"harmless_{language}.txt").read_text(encoding="utf-8").splitlines()
    assert len(set(prompts)) >= 40
    assert [p for p in prompts if find(p, EVERY_LIST | OF_THE_FLOOR) or below_floor(p)] == []


@pytest.mark.parametrize(
    "prompt",
    [
        *("una niña molesta con su hermano", "un niño molesto", "la niña pija de Madrid"),
        *("una niña comiendo rape", "pilucho de bebé", "helado en bolas", "perro calato"),
        *(
            "un tren retrasado",
            "el juego del ahorcado",
            "senos y cosenos",
            "los anales de la villa",
        ),
        *("una orgía de colores", "una fruta mamón", "violación de tránsito", "armario sin ropa"),
        *("a kid in a stripped shirt", "a child by a bottomless well", "children escort the queen"),
        *("naked baby birds in a nest", "blue-footed boobies", "tit for tat", "gore-tex jacket"),
        *("n a k e d  e y e", "A B C D E F G H", "S O S and U S A"),
        *("kids who're playing tag", "comic book heroines", "no molestes al perro", "tetanus shot"),
        *("nude pink makeup", "kinky curly hair", "Sleeping Beauty pricks her finger"),
    ],
)
def test_what_is_a_bad_word_in_other_company_passes_in_a_class(prompt: str) -> None:
    assert find(prompt, EVERY_LIST) == []
    assert not below_floor(prompt)


@pytest.mark.parametrize(
    "prompt",
    [
        *("nudes", "DESNUDAS", "a nude woman", "mujer désnuda", "nude, masterpiece"),
        *("p0rn", "$3x", "t!ts", "d35nud4", "p*rn", "nuuuude"),
        *("s e x", "s.e.x", "n-u-d-e", "po-rn", "nu(de:1.2)", "nu_de", "nu\u200bde"),
        *("nυde", "ｎｕｄｅ", "ѕех", "𝓃𝓊𝒹𝑒"),
        *("s i n   r o p a", "s.i.n r.o.p.a", "sin r o p a", "u n a  m u j e r  s i n  r o p a"),
    ],
)
def test_a_disguised_word_is_the_word(prompt: str) -> None:
    assert blocked_word(COMMUNITY, prompt)


@pytest.mark.parametrize(
    ("prompt", "word"),
    [
        *(("a cat and P0RN", "p0rn"), ("un gato sin ropa", "sin ropa"), ("n u d e cat", "nude")),
        ("un gato s i n r o p a", "s i n r o p a"),
    ],
)
def test_the_word_is_told(prompt: str, word: str) -> None:
    assert blocked_word(COMMUNITY, prompt) == word


@pytest.mark.parametrize(
    ("prompt", "rules"),
    [
        *((tag, COMMUNITY) for tag in ("rating_explicit", "rating:explicit", "rating: explicit")),
        *((word, COMMUNITY) for word in ("pr0n", "nekid", "seminude", "areolae", "bare breast")),
        *(
            (word, COMMUNITY)
            for word in ("semidesnuda", "semidesnudo", "semidesnudas", "semi-nude")
        ),
        *((word, COMMUNITY) for word in ("legs spread", "spreading her legs", "private parts")),
        *(
            (word, COMMUNITY)
            for word in ("piernas abiertas", "abierta de piernas", "partes íntimas")
        ),
        *(
            (word, COMMUNITY)
            for word in ("sin calzón", "sin corpiño", "sin brasier", "sin pantaletas")
        ),
        *((word, CLASS) for word in ("rating_questionable", "explicit", "explícita", "no pants")),
        *(
            (word, CLASS)
            for word in ("ligera de ropa", "ligeros de ropa", "scantily clad", "no bra")
        ),
        *((word, CLASS) for word in ("sin pantalones", "en pantaletas", "en bombacha", "ecchi")),
    ],
)
def test_a_word_is_found_with_its_siblings(prompt: str, rules: Rules) -> None:
    assert blocked_word(rules, f"a woman, {prompt}, by the sea")


def test_a_list_is_for_its_kind_of_place() -> None:
    for oath in ("shit", "mierda", "pendejo", "gilipollas", "conchetumare", "boludo"):
        assert blocked_word(CLASS, oath)
        assert blocked_word(COMMUNITY, oath) is None
    for hatred in ("heil hitler", "sudaca"):
        assert all(blocked_word(rules, hatred) for rules in (CLASS, COMMUNITY, STUDIO))
    assert blocked_word(CLASS, "a severed head")
    assert blocked_word(STUDIO, "a severed head") is None


def test_nakedness_is_for_channels_of_adults_whose_pictures_are_looked_at() -> None:
    prompt = "a nude woman, oil painting"
    assert blocked_word(in_channel(STUDIO, True, True), prompt) is None
    assert blocked_word(in_channel(STUDIO, False, True), prompt)
    assert blocked_word(in_channel(STUDIO, True, False), prompt)


@pytest.mark.parametrize(
    "prompt",
    [
        *(
            "a naked child",
            "nude schoolgirl",
            "sexy teen",
            "kids having sex",
            "child porn",
            "lolicon",
        ),
        *(
            "una niña desnuda",
            "niño sin ropa",
            "colegiala en lencería",
            "nena sexy",
            "pibita en tanga",
        ),
        *("n1ñ4 d3snud4", "n a k e d child", "una nina desnuda", "bebé, (desnud4:1.3)"),
        *("12 year old, topless", "nude, 17yo", "niña de doce años en lencería", "nude aged 15"),
        *("nakedchild", "niñadesnuda", "naked littlegirl", "underaged, nude", "kidz naked"),
        *("child undressing", "child nudist", "child without her clothes", "a child in underwear"),
        *("niña sin nada puesto", "niñe desnude", "niño nudista", "morrita desnuda"),
        *(
            "tiene 15 años, desnuda",
            "she is 15, naked",
            "under 18, nude",
            "12-yo nude",
            "nude at 14",
        ),
        *("chica de 12, desnuda", "naked 5th grader", "highschool girl, topless", "naked minor"),
        *("twelve-year-old topless", "nude boy", "a woman and a naked girl", "sexo con menores"),
        *(
            "n i ñ a  d e s n u d a",
            "c h i l d   p o r n",
            "n1ñ4 s 1 n r 0 p 4",
            "n i ñ a sin ropa",
        ),
        *("n u d e  l i t t l e  g i r l", "a child who-re", "p-o-r-n with a child"),
        *("s e x o  c o n  m e n o r e s", "l i t t l e  g i r l without c l o t h e s"),
        *("a child, naked, feet in the sand", "a naked baby, birds in a nest"),
        *("explicit, loli", "niña con piernas abiertas", "nude morra", "semidesnuda, 13 años"),
        *(
            "a child, legs spread",
            "niña, partes íntimas",
            "a kid without pants",
            "el sexo del bebé",
        ),
    ],
)
def test_sexual_content_with_minors_is_below_the_floor(prompt: str) -> None:
    assert below_floor(prompt)


@pytest.mark.parametrize(
    "prompt",
    [
        *(
            "a nude woman",
            "a nude man of 40 years",
            "nude, 25 years old",
            "mujer desnuda de 30 años",
        ),
        *(
            "hijo de puta",
            "desnuda, pintada hace 15 años",
            "nude, for 10 years",
            "just one woman, nude",
        ),
        *("niña con paraguas", "a child swimming", "bebé en la bañera", "a girl of 9 with a kite"),
    ],
)
def test_the_floor_is_no_higher_than_that(prompt: str) -> None:
    assert not below_floor(prompt)


@pytest.mark.parametrize(
    "prompt",
    [
        *("uma criança nua", "menina pelada", "meninas sem roupa", "menino nu na praia"),
        *("novinha sexy", "criança de calcinha", "sexo com crianças", "treze anos, nua"),
        *("une fillette nue", "enfants nus", "petite fille en culotte", "pornographie enfantine"),
        *("13 ans, seins nus", "douze ans, toute nue", "lycéenne en sous-vêtements", "garçon nu"),
        *("ein nacktes Kind", "nacktes Mädchen", "Schülerin in Unterwäsche", "Kinderpornografie"),
        *("13-jährige, nackt", "zwölf Jahre alt, nackt", "minderjährig, sexy", "unter 18, nackt"),
        *("bambina nuda", "bambino nudo", "ragazzina in mutandine", "sesso con bambini"),
        *("tredici anni, nuda", "minorenne sexy", "pedopornografia", "bimbi senza vestiti"),
        *(
            "m e n i n o  n u",
            "s e x  m i t  K i n d e r n",
            "f i l l e  n u e",
            "b a m b i n o  n u d o",
        ),
        *(
            "ein nacktes Kind isst Nudeln",
            "ein nackter Junge",
            "un p'tit garçon tout nu",
            "rape a child",
        ),
        *(
            "bimbo nudo",
            "guri pelado",
            "gamine toute nue",
            "fille de 12 ans nue",
            "scolaretta nuda",
        ),
        *("menina seminua", "enfant à moitié nu", "fillette demi-nue", "halbnackte Kinder"),
        *("b4mbina n u d a", "MENINA P3L4DA", "une f.i.l.l.e.t.t.e sexy", "ein nacktes Kínd"),
    ],
)
def test_the_floor_understands_portuguese_french_german_and_italian(prompt: str) -> None:
    assert below_floor(prompt)


@pytest.mark.parametrize(
    "prompt",
    [
        *("criança com os pés nus na areia", "menino comendo peito de frango", "filho da puta"),
        *("mulher nua, pintura a óleo", "a criança fica em casa", "menina usando fio dental"),
        *(
            "enfant pieds nus",
            "femme nue de 30 ans",
            "il y a 15 ans, une femme nue",
            "fils de pute",
        ),
        *("une fille joue de la viole", "un enfant au-dessous de la table", "Antoine, 7 ans"),
        *(
            "nackte Füße im Sand, Kinder",
            "eine junge nackte Frau",
            "Kinder essen Pute",
            "Hurensohn",
        ),
        *("der junge nackte Mann", "eine Frau von 30 Jahren, nackt", "ein Kind mit Regenschirm"),
        *("bambino a piedi nudi", "donna nuda", "bambini tra i muschi", "figlio di puttana"),
        *("un albero nudo e un bambino", "da 15 anni, una donna nuda", "ragazze in bicicletta"),
        *("a kind woman, sexy", "niña con un nudo en la cinta", "Houjuu Nue and a little girl"),
        *("aged elf, nude", "niña con vestido de cueca", "kids hiking in Teton National Park"),
    ],
)
def test_what_is_harmless_in_one_of_these_languages_or_beside_them_passes(prompt: str) -> None:
    assert not below_floor(prompt)


@pytest.mark.parametrize(
    "somebody",
    [
        *("12-year-olds", "12 year olds", "13 years of age", "13 y.o", "13yos", "14y"),
        *("thirteen years young", "6 months old", "aged just 13", "she is thirteen, smiling"),
        *(
            "under eighteen",
            "younger than eighteen",
            "younger than nine",
            "under-18s",
            "u18",
            "U-15",
        ),
        *("selección sub-17", "menor de dieciocho", "almost 18", "high school student"),
        *("high-school students", "middle school student", "junior high", "7th grade"),
        *("a 7th grader", "seventh grade", "chicas de 12", "chica con 13 años", "chica con 13"),
        *("alguien con 15 años", "tiene 13", "tiene trece", "quince primaveras", "liceísta"),
        *("chica de bachillerato", "estudiantes de secundaria", "una chica de primaria"),
        *("morra", "morrita", "plebita", "de prepa", "huerca", "emma at 9", "girl, only 9"),
    ],
)
def test_an_age_is_understood_however_it_is_told(somebody: str) -> None:
    assert mentions_minor(somebody)
    assert below_floor(f"{somebody}, naked")


@pytest.mark.parametrize(
    "phrase",
    [
        *("woman in a baby blue dress", "a baby pink skirt", "falda rosa bebé", "fondo azul bebé"),
        *("kid leather boots", "baby's breath flowers", "child's pose (yoga)", "Billy the Kid"),
        *("mujer que bebe vino", "maestra de primaria", "Pedro Infante", "chicas de dos países"),
        *("meet at 10, downtown", "roses, only 2, red", "chica de un pueblo", "at once, only once"),
        *("couple under one umbrella", "U2", "modelo con 15 años de experiencia"),
    ],
)
def test_a_word_for_a_child_may_be_a_thing(phrase: str) -> None:
    assert not below_floor(f"sexy, {phrase}")
    for child in ("sexy child", "niña sexy", "sexy 12-year-old"):
        assert below_floor(f"{child}, {phrase}")
        assert below_floor(f"{phrase}, {child}")
    assert below_floor(f"a naked girl, {phrase}")


@pytest.mark.parametrize(
    "prompt",
    [
        *("a sexy baby, blue eyes", "naked baby blue dress", "a naked kid, leather boots"),
        *("qué bebé sexy", "que bebé en tanga", "mi bebé agua en tanga", "celeste bebé sexy"),
        *("sexy bebé vino a la casa", "mira qué bebé sensual en lencería", "azul bebé, tanga"),
        *("desnudo, vestido rosa bebé", "naked child's pose (yoga)", "nude billy the kid"),
        *("el niño emperador va desnudo", "sexy baby, pink shirt", "desnuda, chica de tres"),
    ],
)
def test_beside_nakedness_and_across_commas_it_is_a_child(prompt: str) -> None:
    assert below_floor(prompt)


@pytest.mark.parametrize("language", ["en", "es", "pt", "fr", "de", "it"])
def test_no_harmless_phrase_hides_what_stands_beside_it(language: str) -> None:
    lists = tomllib.loads((FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
    text = lists["harmless"] + "," + lists.get("things", "")
    phrases = [phrase.strip().replace("/a", "") for phrase in re.split(r"[,\n]+", text)]
    for asked in ("naked child", "niña desnuda", "sexy 12-year-old"):
        prompts = [p for phrase in phrases for p in (f"{asked} {phrase}", f"{phrase}, {asked}")]
        assert [prompt for prompt in prompts if not below_floor(prompt)] == []


@pytest.mark.parametrize(
    ("child", "phrase"),
    [
        *(("a baby", "bottle with a nipple"), ("un bebé", "fiesta de revelación de sexo")),
        *(("children", "the sex of a chick"), ("un niño", "el emperador va desnudo")),
        *(("niños", "igualdad de sexos"), ("niños", "órganos sexuales de la flor")),
        *(("niña", "maqueta a menor escala"), ("abuela", "adivinan el sexo del bebé")),
        *(("a child", "the emperor is naked"), ("kids", "an explicit instruction")),
    ],
)
def test_what_sounds_sexual_may_be_something_else(child: str, phrase: str) -> None:
    assert not below_floor(f"{child} {phrase}")
    for asked in ("naked child", "niño desnudo", "having sex with a child"):
        assert below_floor(f"{asked}, {phrase}")
        assert below_floor(f"{phrase}, {asked}")


def test_whether_adults_may_be_meant_is_known() -> None:
    for prompt in ("a naked child", "sexy teen", "13-year-old, nude", "child porn", "niña desnuda"):
        assert below_floor(prompt, plainly=True)
    for prompt in ("a nude girl", "muchacha desnuda", "nude woman, baby blue dress", "nude at 12"):
        assert below_floor(prompt)
        assert not below_floor(prompt, plainly=True)


def test_who_may_be_a_child_is_known() -> None:
    assert mentions_minor("a girl at the sea")
    assert mentions_minor("alguien de 15 años")
    assert not mentions_minor("a woman at the sea, 30 years old")


@given(st.text(st.one_of(st.characters(), st.sampled_from("a1$*.- ()")), max_size=400))
def test_any_text_is_read(text: str) -> None:
    found = find(text, EVERY_LIST | {"never", "minors", "young"})
    assert all(each.typed for each in found)
    assert isinstance(below_floor(text), bool)


@given(
    st.sampled_from(["nude", "porno", "desnuda", "mujeres desnudas", "hentai"]),
    st.text(max_size=30),
    st.text(max_size=30),
)
def test_a_listed_word_is_found_wherever_it_stands(word: str, before: str, after: str) -> None:
    assert find(f"{before}. {word} .{after}", EVERY_LIST)
