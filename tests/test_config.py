"""Settings: where they come from, and how a mistake in them is told."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from bot.config import PROJECT, Config, ConfigError, keys, load, save_token


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def mistake(file: Path, text: str, language: str = "en", **environ: str) -> str:
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(file, environ)
    return caught.value.text(language)


def test_the_projects_own_file_has_every_key_with_its_default_and_a_comment() -> None:
    text = (PROJECT / "config.toml").read_text(encoding="utf-8")
    written = tomllib.loads(text)
    for key in keys():
        section = written
        for name in key[:-1]:
            section = section[name]
        assert key[-1] in section, f"{key} is not in config.toml"
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if "=" in line and not line.startswith("#"):
            assert lines[number - 1].startswith("#"), f"no comment above {line}"
    own = load(PROJECT / "config.toml", {"LANG": "es_ES.UTF-8"})
    bare = Config(data=own.data, language="es")
    assert (own.web, own.limits) == (bare.web, bare.limits)


def test_the_environment_is_stronger_than_the_file(file: Path) -> None:
    file.write_text('data = "here"\n[web]\nport = 8001\nhost = "127.0.0.2"\n')
    config = load(file, {"SEMILLA_WEB__PORT": "9000", "SEMILLA_WEB__OPEN_TO_CLASS": "yes"})
    assert (config.web.port, config.web.host, config.web.open_to_class) == (9000, "127.0.0.2", True)
    assert load(file, {"SEMILLA_DATA": "/elsewhere"}).data == Path("/elsewhere")


def test_relative_folders_start_where_the_file_is(file: Path) -> None:
    file.write_text('data = "here"\n[generator]\nmodels_folders = ["mine", "../others"]\n')
    config = load(file, {})
    assert config.data == file.parent / "here"
    assert config.generator.models_folders == (file.parent / "mine", file.parent / "../others")


def test_a_wrong_value_is_told_with_file_line_key_and_what_is_allowed(file: Path) -> None:
    text = '# mine\n[web]\nhost = "127.0.0.1"\n\nport = "eight"\n'
    assert mistake(file, text) == (
        "config.toml line 5: web.port must be a whole number between 1 and 65535, not 'eight'."
    )
    assert mistake(file, text, "es") == (
        "config.toml línea 5: web.port tiene que ser un número entero entre 1 y 65535, no 'eight'."
    )


def test_a_number_in_quotes_and_one_out_of_range_are_refused(file: Path) -> None:
    assert "not '8000'" in mistake(file, '[web]\nport = "8000"\n')
    assert "between 1 and 65535, not 70000" in mistake(file, "[web]\nport = 70000\n")
    assert "between 1 and 9, not 0" in mistake(file, "[limits]\ncount = 0\n")


def test_an_empty_host_is_refused_as_it_would_be_every_address_of_the_computer(file: Path) -> None:
    assert mistake(file, '[web]\nhost = ""\n') == (
        "config.toml line 2: web.host must be an address of this computer, like 127.0.0.1, not ''."
    )


def test_an_unknown_key_is_told_with_its_line_and_the_nearest(file: Path) -> None:
    told = mistake(file, "[limits]\n# a comment\nstep = 30\n")
    assert (
        told == "config.toml line 3: there is no setting limits.step. The nearest is limits.steps."
    )
    assert "line 1: there is no setting colour" in mistake(file, 'colour = "red"\n')


def test_every_mistake_is_told_at_once(file: Path) -> None:
    text = '[web]\nport = 0\nopen_to_class = "yes"\n[generator]\ndevice = "gpu"\n'
    told = mistake(file, text).splitlines()
    assert len(told) == 3
    assert told[1].startswith("config.toml line 3: web.open_to_class must be true or false")
    assert "must be one of auto, cpu, cuda, mps, not 'gpu'" in told[2]


def test_a_section_written_as_a_key_is_told(file: Path) -> None:
    assert "line 2: web is a section" in mistake(file, 'data = "x"\nweb = 3\n')


def test_a_mistake_in_the_environment_names_the_variable(file: Path) -> None:
    told = mistake(file, "", SEMILLA_WEB__PORT="eight")
    assert told.startswith("SEMILLA_WEB__PORT in the environment: web.port must be a whole number")
    told = mistake(file, "", SEMILLA_WEB__PROT="8001")
    assert told.endswith("The nearest is SEMILLA_WEB__PORT.")


def test_a_file_that_is_no_toml_is_told_with_its_line(file: Path) -> None:
    assert "line 2: this isn't TOML" in mistake(file, "[web]\nhost = localhost\n")


def test_a_path_of_windows_is_told_how_to_be_written(file: Path) -> None:
    told = mistake(file, 'data = "C:\\Users\\Ana"\n')
    assert "line 1" in told
    assert "Write paths with /, or between single quotes" in told


def test_a_data_folder_without_a_name_is_refused_as_it_would_be_the_working_folder(
    file: Path,
) -> None:
    assert 'line 1: data must be the name of a folder, like "data"' in mistake(file, 'data = ""\n')
    told = mistake(file, "", "es", SEMILLA_DATA="")
    assert told.startswith(
        "SEMILLA_DATA en el entorno: data tiene que ser el nombre de una carpeta"
    )


def test_a_name_may_begin_like_the_home_of_a_user_who_is_none(file: Path) -> None:
    file.write_text('data = "~nobody-here"\n')
    assert load(file, {}).data == file.parent / "~nobody-here"


@pytest.mark.parametrize("name", ["config.toml", ".env"])
def test_a_file_in_another_encoding_is_told(file: Path, name: str) -> None:
    file.write_text("")
    (file.parent / name).write_bytes("# año\n".encode("latin-1"))
    with pytest.raises(ConfigError, match=rf"{name} isn't UTF-8"):
        load(file, {})


def test_a_file_that_notepad_marked_is_read(file: Path) -> None:
    file.write_text("[web]\nport = 8003\n", encoding="utf-8-sig")
    assert load(file, {}).web.port == 8003


def test_a_file_that_was_named_and_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="isn't there"):
        load(environ={"SEMILLA_CONFIG": str(tmp_path / "none.toml")})


def test_in_a_folder_that_may_not_be_looked_into_the_projects_settings_stand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looking = os.stat

    def look(path: Any, **how: Any) -> os.stat_result:
        if str(path).startswith(str(tmp_path)):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return looking(path, **how)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "stat", look)
    assert load(environ={}).data == PROJECT / "data"


def test_an_address_may_end_with_a_slash_and_has_to_be_whole(file: Path) -> None:
    file.write_text('[telegram_api]\nbase_url = "http://127.0.0.1:8081/"\n')
    assert load(file, {}).telegram_api.base_url == "http://127.0.0.1:8081"
    told = mistake(file, '[telegram_api]\nwebhook = "semilla.example"\n')
    assert "telegram_api.webhook must be a whole address that begins with https://" in told


@pytest.mark.parametrize("name", [".env", ".env.txt"])
def test_tokens_are_read_from_an_env_file_and_never_shown(file: Path, name: str) -> None:
    (file.parent / name).write_text("DISCORD_TOKEN=abc.def\n", encoding="utf-8-sig")
    file.write_text("")
    config = load(file, {})
    assert config.discord is not None
    assert config.discord.get_secret_value() == "abc.def"
    assert "abc.def" not in repr(config)
    assert config.telegram is None


def test_a_pasted_token_is_kept_for_its_user_only(file: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    save_token(data, "telegram", ' 123:A"B\n')
    save_token(data, "discord", "xyz")
    file.write_text('data = "data"\n')
    config = load(file, {})
    assert config.telegram is not None
    assert config.telegram.get_secret_value() == '123:A"B'
    if os.name == "posix":
        assert (data / "tokens.toml").stat().st_mode & 0o777 == 0o600
    save_token(data, "discord", "")
    assert load(file, {}).discord is None
    given = load(file, {"TELEGRAM_TOKEN": "stronger"}).telegram
    assert given is not None
    assert given.get_secret_value() == "stronger"


def test_a_token_in_config_toml_is_refused_without_repeating_it(file: Path) -> None:
    told = mistake(file, 'discord = "abc.def"\n')
    assert "DISCORD_TOKEN" in told
    assert "abc.def" not in told


def test_the_language_is_the_computers_unless_it_is_set(file: Path) -> None:
    file.write_text("")
    assert load(file, {"LANG": "es_CO.UTF-8"}).language == "es"
    assert load(file, {"LANG": "C"}).language == "en"
    assert load(file, {"LANG": "de_DE.UTF-8", "SEMILLA_LANGUAGE": "es"}).language == "es"


def test_reading_the_settings_needs_neither_database_nor_chats_nor_torch() -> None:
    check = (
        "import sys, bot.config; bot.config.load(); "
        "print([m for m in ('torch', 'sqlalchemy', 'starlette', 'discord', 'fluent')"
        " if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", check], check=True, capture_output=True, text=True, cwd=PROJECT
    )
    assert done.stdout.strip() == "[]"
