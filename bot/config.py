"""Settings: config.toml, and the environment over it. A mistake is told with its line and key.

pydantic-settings would merge the sources before they are checked, and with that forget which line
or variable a mistake stands in; besides, its import takes longer than all the rest of the settings.
"""

from __future__ import annotations

import json
import locale
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from io import StringIO
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from annotated_types import Ge, Le
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from bot.locales import plain, say
from bot.processes import write_private

PROJECT = Path(__file__).parent.parent
PREFIX = "SEMILLA_"
PLATFORMS = ("discord", "telegram")
TOKENS = "tokens.toml"
ENV_FILES = (".env", ".env.txt")  # Windows' Notepad puts .txt behind a name

Language = Literal["en", "es"]


def _whole(folder: Path) -> Path:
    """Of an empty name the working folder would come, and be closed to others."""
    if not folder.is_absolute():
        raise ValueError(folder)
    return folder


Folder = Annotated[Path, Field(strict=False), AfterValidator(_whole)]
Folders = Annotated[tuple[Path, ...], Field(strict=False)]


class Section(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


class Web(Section):
    """The page. Open to the class, it listens on the whole network instead of on `host`."""

    host: str = Field(default="127.0.0.1", min_length=1)
    port: int = Field(default=8000, ge=1, le=65535)
    open_to_class: bool = False

    @property
    def address(self) -> str:
        """The page's, on this computer: "http://127.0.0.1:8000"."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{self.port}"  # noqa: S104


class GeneratorConfig(Section):
    """`threads`: of the processor, 0 for as many as torch finds good; `rest_minutes`: without work,
    after which the generator lets go of all memory, 0 for never."""

    models_folders: Folders = ()
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    threads: int = Field(default=0, ge=0, le=256)
    preview_every: int = Field(default=4, ge=1, le=150)
    compiled: bool = False
    rest_minutes: int = Field(default=30, ge=0, le=10_000)


class AccessConfig(Section):
    """Who may use Semilla. `private_chats`: for members of guilds where it is switched on."""

    open: bool = False
    private_chats: bool = False


class Limits(Section):
    """What may be asked for; guilds set stricter ones with /setup."""

    waiting: int = Field(default=20, ge=1, le=10_000)
    guild_waiting: int = Field(default=1000, ge=1, le=100_000)
    ask_seconds: int = Field(default=120, ge=1, le=86_400)
    count: int = Field(default=9, ge=1, le=9)
    steps: int = Field(default=150, ge=1, le=150)
    picture_pixels: int = Field(default=1_572_864, ge=4096, le=67_108_864)
    image_pixels: int = Field(default=40_000_000, ge=4096, le=400_000_000)


class History(Section):
    """`keep_days`: after which the file of a picture is removed and its recipe kept; 0 is never."""

    keep_days: int = Field(default=0, ge=0, le=36_500)


class TelegramApi(Section):
    """`base_url`: of a Bot API server of one's own; `webhook`: the public address to be called at
    instead of asking for updates, "" for asking."""

    base_url: Annotated[str, AfterValidator(lambda address: address.rstrip("/"))] = Field(
        default="https://api.telegram.org", pattern=r"^https?://[^/\s]\S*$"
    )
    webhook: str = Field(default="", pattern=r"^(https://\S+)?$")


class Config(Section):
    """All settings. `data` and the folders are absolute paths."""

    data: Folder
    language: Language
    web: Web = Web()
    generator: GeneratorConfig = GeneratorConfig()
    access: AccessConfig = AccessConfig()
    limits: Limits = Limits()
    history: History = History()
    telegram_api: TelegramApi = TelegramApi()
    discord: SecretStr | None = None
    telegram: SecretStr | None = None

    @property
    def own_models(self) -> Path:
        """Where `semilla models add` puts them; the owner's folders are never written into."""
        return self.data / "models"

    @property
    def models_folders(self) -> tuple[Path, ...]:
        return (*self.generator.models_folders, self.own_models)


class ConfigError(Exception):
    """Settings that can't be used: sentences of the locales with their facts, one for each."""

    def __init__(self, *problems: tuple[str, Mapping[str, str]]) -> None:
        super().__init__(*problems)
        self.problems = problems

    def text(self, language: str) -> str:
        return "\n".join(_sentence(language, key, facts) for key, facts in self.problems)

    def __str__(self) -> str:
        return self.text("en")


def load(path: Path | None = None, environ: Mapping[str, str] = os.environ) -> Config:
    """Reads the settings: config.toml of the working folder, or else the project's own.

    Raises ConfigError.
    """
    file, must_exist = _file(path, environ)
    text = _read(file, must_exist)
    environ = {**_env_file(file.parent), **environ}
    values = _parse(file, text)
    _refuse_tokens(file, text, values)
    _resolve_paths(values, file.parent)
    variables = _merge(values, environ)
    if values.get("language", "auto") == "auto":
        values["language"] = system_language(environ) or "en"
    values |= _tokens(values["data"], environ)
    try:
        return Config(**values)
    except ValidationError as error:
        raise ConfigError(
            *(_problem(each, file, text, variables) for each in error.errors())
        ) from None


def system_language(environ: Mapping[str, str] = os.environ) -> Language | None:
    """The language that the system is set to, if Semilla speaks it."""
    names = ("LC_ALL", "LC_MESSAGES", "LANG")
    name = next((environ[each] for each in names if environ.get(each)), "")
    if not name and os.name == "nt":
        name = locale.getlocale()[0] or ""
    found = name.lower()
    if found.startswith(("es", "span")):
        return "es"
    return "en" if found.startswith("en") else None


def save_token(data: Path, platform: str, token: str) -> None:
    """Keeps a chat's token, readable by its user only; an empty one is forgotten."""
    tokens = {**_saved_tokens(data), platform: token.strip()}
    lines = (f"{name} = {json.dumps(value)}\n" for name, value in tokens.items() if value)
    write_private(data / TOKENS, "".join(lines))


def _file(path: Path | None, environ: Mapping[str, str]) -> tuple[Path, bool]:
    """Where the settings are, and whether somebody said so."""
    if path is None and environ.get(f"{PREFIX}CONFIG"):
        path = Path(environ[f"{PREFIX}CONFIG"])
    if path is not None:
        return Path(os.path.expanduser(path)).absolute(), True
    own = Path.cwd() / "config.toml"
    # Path.exists would raise where this user may not look.
    return (own if os.path.exists(own) else PROJECT / "config.toml"), False


def _read(file: Path, must_exist: bool) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")  # Notepad marks its files
    except FileNotFoundError:
        if must_exist:
            raise ConfigError(("config-missing", {"file": str(file)})) from None
        return ""
    except UnicodeDecodeError:
        raise ConfigError(("config-encoding", {"file": str(file)})) from None
    except OSError as error:
        facts = {"file": str(file), "reason": error.strerror or ""}
        raise ConfigError(("config-unreadable", facts)) from error


def _parse(file: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        number = int(line[1]) if line else len(text.splitlines())
        # What Windows' paths are full of, TOML takes for the beginning of something else.
        key = "config-backslash" if "\\" in text.splitlines()[number - 1] else "config-not-toml"
        facts = {"line": str(number), "file": file.name, "reason": str(error).split(" (at ")[0]}
        raise ConfigError((key, facts)) from None


def _env_file(folder: Path) -> dict[str, str]:
    """What is set in .env, beside config.toml."""
    path = next((folder / name for name in ENV_FILES if (folder / name).is_file()), None)
    if path is None:
        return {}
    from dotenv import dotenv_values

    found = dotenv_values(stream=StringIO(_read(path, must_exist=True)), interpolate=False)
    return {name: value for name, value in found.items() if value is not None}


def _resolve_paths(values: dict[str, Any], folder: Path) -> None:
    values["data"] = _absolute(values.get("data", "data"), folder)
    section = values.setdefault("generator", {})
    if isinstance(section, dict) and isinstance(
        section.setdefault("models_folders", ["models"]), list
    ):
        found = section["models_folders"]
        section["models_folders"] = [_absolute(each, folder) for each in found if each != ""]


def _absolute(value: Any, folder: Path) -> Any:
    """A path relative to its folder; anything that is none stays, to be refused."""
    return folder / os.path.expanduser(value) if value and isinstance(value, str) else value


def _refuse_tokens(file: Path, text: str, values: Mapping[str, Any]) -> None:
    for platform in PLATFORMS:
        if platform in values:
            line = str(_line(text, (platform,)) or 1)
            facts = {"file": file.name, "line": line, "name": f"{platform.upper()}_TOKEN"}
            raise ConfigError(("config-token", facts))


def _merge(values: dict[str, Any], environ: Mapping[str, str]) -> dict[tuple[str, ...], str]:
    """Puts the SEMILLA_… variables over the values; says which variable each key came from."""
    variables = {}
    for name, text in environ.items():
        if not name.startswith(PREFIX) or name == f"{PREFIX}CONFIG":
            continue
        key = tuple(name.removeprefix(PREFIX).lower().split("__"))
        field = _field(key)
        if field is None:
            raise ConfigError(_unknown(key, {"variable": name}))
        target = values if len(key) == 1 else values.setdefault(key[0], {})
        if isinstance(target, dict):
            target[key[-1]] = _typed(text, field)
        variables[key] = name
    return variables


def _typed(text: str, field: FieldInfo) -> Any:
    """A variable's text as what the field takes; what it can't be stays text, to be refused."""
    kind = field.annotation
    if kind is int and re.fullmatch(r"[+-]?\d+", text.strip()):
        return int(text)
    if kind is bool:
        words = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
        return words.get(text.strip().lower(), text)
    if kind is Path:
        return _absolute(text, Path.cwd())
    if kind == tuple[Path, ...]:
        return [_absolute(each, Path.cwd()) for each in text.split(os.pathsep) if each]
    return text


def _tokens(data: Any, environ: Mapping[str, str]) -> dict[str, SecretStr]:
    saved = _saved_tokens(data) if isinstance(data, Path) else {}
    found = {name: environ.get(f"{name.upper()}_TOKEN") or saved.get(name) for name in PLATFORMS}
    return {name: SecretStr(token.strip()) for name, token in found.items() if token}


def _saved_tokens(data: Path) -> dict[str, str]:
    try:
        found = tomllib.loads((data / TOKENS).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError) as error:
        facts = {"file": str(data / TOKENS), "reason": str(error)}
        raise ConfigError(("config-unreadable", facts)) from error
    return {name: str(token) for name, token in found.items()}


def keys(
    model: type[BaseModel] = Config, inside: tuple[str, ...] = ()
) -> Iterator[tuple[str, ...]]:
    """Every key that config.toml can have, as a path."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from keys(field.annotation, (*inside, name))
        elif name not in PLATFORMS:
            yield *inside, name


def _field(key: tuple[str, ...]) -> FieldInfo | None:
    """The field of a key; None for a key that doesn't exist, and for a whole section."""
    if key not in set(keys()):
        return None
    model: Any = Config
    for name in key[:-1]:
        model = model.model_fields[name].annotation
    return model.model_fields[key[-1]]  # type: ignore[no-any-return]


def _problem(
    error: ErrorDetails, file: Path, text: str, variables: Mapping[tuple[str, ...], str]
) -> tuple[str, Mapping[str, str]]:
    """The sentence and facts for one thing that pydantic found."""
    key = tuple(str(part) for part in error["loc"] if not isinstance(part, int))
    where = {"variable": variables[key]} if key in variables else {"file": file.name}
    if "file" in where:
        where["line"] = str(_line(text, key) or 1)
    if error["type"] == "extra_forbidden":
        return _unknown(key, where)
    facts = {**where, "setting": ".".join(key), "value": _shown(error["input"])}
    field = _field(key[:2])
    if field is None:
        return "config-section", facts
    if field.annotation is int:
        low = next(str(each.ge) for each in field.metadata if isinstance(each, Ge))
        high = next(str(each.le) for each in field.metadata if isinstance(each, Le))
        return "config-whole-number", {**facts, "low": low, "high": high}
    if field.annotation is bool:
        return "config-switch", facts
    if choices := [str(each) for each in get_args(field.annotation) if isinstance(each, str)]:
        more = ["auto"] if key == ("language",) else []
        return "config-choice", {**facts, "choices": ", ".join(more + choices)}
    if error["type"] == "string_pattern_mismatch":
        return "config-address", facts
    if error["type"] == "string_too_short":
        return "config-host", facts
    folder = {"data": "config-folder", "models_folders": "config-folders"}
    return folder.get(key[-1], "config-text"), facts


def _unknown(key: tuple[str, ...], where: Mapping[str, str]) -> tuple[str, Mapping[str, str]]:
    known = [".".join(each) for each in keys()]
    near = get_close_matches(".".join(key), known, n=1, cutoff=0.0)[0]
    if "variable" in where:
        near = PREFIX + near.upper().replace(".", "__")
    return "config-unknown", {**where, "setting": ".".join(key), "nearest": near}


def _shown(value: Any) -> str:
    shown = "true" if value is True else "false" if value is False else repr(value)
    return shown if len(shown) <= 60 else shown[:59] + "…"


def _line(text: str, key: tuple[str, ...]) -> int | None:
    """The line that sets a key, or that begins its section."""
    section: tuple[str, ...] = ()
    found = None
    for number, line in enumerate(text.splitlines(), 1):
        if match := re.match(r"\s*\[+\s*([\w.\" -]+?)\s*\]+", line):
            section = tuple(part.strip(' "') for part in match[1].split("."))
            found = number if section == key[:1] and found is None else found
        elif match := re.match(r"\s*([\w.\"-]+)\s*=", line):
            path = (*section, *(part.strip(' "') for part in match[1].split(".")))
            if path == key or path == key[: len(path)]:
                return number
    return found


def _sentence(language: str, key: str, facts: Mapping[str, str]) -> str:
    if "variable" in facts:
        where = say(language, "config-in-environment", variable=facts["variable"])
    elif "line" in facts:
        where = say(language, "config-in-file", file=facts["file"], line=facts["line"])
    else:
        where = ""
    return plain(say(language, key, **{**facts, "where": plain(where)}))
