"""The terminal, as real processes: commands on their own, and beside a running Semilla."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import util
from pathlib import Path

import pytest
from PIL import Image

from bot import cli
from bot.adapters.terminal.screen import shell_line
from bot.adapters.web.rooms import NoNetwork, private_address
from generator import metadata
from tests import seedbed
from tests.test_catalogue import large

PATIENCE_SECONDS = 90
CODE = re.compile(r"· ([2-9B-Z]{4,5}) ·")


@dataclass(frozen=True)
class Shell:
    """A folder to work in, with a data folder and a port of its own."""

    folder: Path
    port: int

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def start(self, *words: str, program: str = "", **environ: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [program, *words] if program else [sys.executable, "-m", "bot", *words],
            cwd=self.folder,
            env={
                **{name: value for name, value in os.environ.items() if "TOKEN" not in name},
                "LC_ALL": "en_GB.UTF-8",
                "SEMILLA_DATA": str(self.data),
                "SEMILLA_WEB__PORT": str(self.port),
                "SEMILLA_GENERATOR__THREADS": "1",
                "SEMILLA_LIMITS__ASK_SECONDS": "3600",  # nothing is large, however slow it goes
                **environ,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def run(self, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
        with self.start(*words, **environ) as process:
            try:
                output, errors = process.communicate(timeout=PATIENCE_SECONDS)
            finally:
                process.kill()
        return subprocess.CompletedProcess(words, process.returncode, output, errors)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path, free_port())


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A home in which one picture was drawn by a command on its own, started as at a user's."""
    shell = Shell(tmp_path_factory.mktemp("home"), free_port())
    words = ("imagine", "una manzana roja", "--seed", "7", "-o", "manzana.png")
    with shell.start("-m", "bot", *words, program=seedbed.PYTHON) as process:
        _, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0, errors
    return shell


@pytest.fixture(scope="module")
def running(home: Shell) -> Iterator[Shell]:
    """The same home, with Semilla running."""
    with home.start("run") as process:
        assert process.stdout is not None
        greeting = "".join(process.stdout.readline() for _ in range(4))
        page = f"http://127.0.0.1:{home.port}"
        assert f"{page}/?key=" in greeting
        assert f"Discord: not connected. Paste its token at {page}/connect" in greeting
        (spent,) = re.findall(rf"{page}/\?key=\S+", greeting)
        urllib.request.urlopen(spent).close()
        another = process.stdout.readline()
        assert f"For another browser: {page}/?key=" in another
        assert spent not in another
        yield home
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0, errors
    assert "Stopped" in errors
    assert not (home.data / "owner.json").exists()


def pixels(shell: Shell, name: str) -> str:
    image = metadata.open_image((shell.folder / name).read_bytes(), max_pixels=10**6)
    return metadata.pixel_hash(image)


def test_a_command_on_its_own_draws_and_writes_the_picture_with_its_recipe(home: Shell) -> None:
    recipe = metadata.read((home.folder / "manzana.png").read_bytes())
    assert recipe is not None
    assert (recipe.prompt, recipe.seed) == ("una manzana roja", 7)
    assert not (home.data / "owner.json").exists()


def test_beside_a_running_semilla_a_command_is_handed_to_it(running: Shell) -> None:
    before = (running.data / "owner.json").read_text()
    done = running.run("imagine", "a red apple", "steps:4", "--count=2", "-o", "two.png")
    assert done.returncode == 0, done.stderr
    assert len(CODE.findall(done.stdout)) == 2
    first, second = (
        metadata.read((running.folder / name).read_bytes()) for name in ("two.png", "two-2.png")
    )
    assert first is not None
    assert second is not None
    assert (first.steps, second.seed) == (4, first.seed + 1)
    assert (running.data / "owner.json").read_text() == before


def test_into_a_pipe_goes_the_result_and_nothing_else(running: Shell) -> None:
    done = running.run("imagine", "a red apple", "--steps", "3")
    caption, path = done.stdout.splitlines()
    assert caption.startswith("a red apple · seed ")
    assert Path(path.strip()).read_bytes().startswith(b"\x89PNG")
    assert "Drawing" in done.stderr
    assert "\x1b" not in done.stdout + done.stderr


def test_a_picture_made_again_after_a_restart_is_identical_and_that_is_said(running: Shell) -> None:
    recipe = running.run("history", "manzana").stdout
    code = CODE.search(recipe)
    assert code is not None, recipe
    done = running.run("reroll", code[1].lower(), "-o", "otra.png")
    assert f"✓ Identical to {code[1]}" in done.stdout
    assert pixels(running, "otra.png") == pixels(running, "manzana.png")
    spanish = running.run("repetir", code[1], "--pasos", "3", "--lang", "es")
    assert spanish.returncode == 0, spanish.stderr
    assert "semilla 7" in spanish.stdout


def test_a_picture_file_is_drawn_over(running: Shell) -> None:
    (running.folder / "mine.png").write_bytes((running.folder / "manzana.png").read_bytes())
    done = running.run(
        "imagine", "una rana verde", "--image", "mine.png", "--strength", "0.5", "-o", "rana"
    )
    assert done.returncode == 0, done.stderr
    recipe = metadata.read((running.folder / "rana.png").read_bytes())
    assert recipe is not None
    assert recipe.initial_image is not None
    assert recipe.strength == 0.5


@pytest.mark.skipif(os.name == "nt", reason="there is no sh")
def test_a_line_that_is_offered_draws_the_same_words_and_runs_none_of_them(running: Shell) -> None:
    words = 'a "red" apple $(touch pwned) `touch pwned` $HOME \\ ; it\'s -o x --steps 9'
    drawn = running.run("imagine", "--prompt", words, "--steps", "2", "-o", "evil.png")
    assert drawn.returncode == 0, drawn.stderr
    (code,) = CODE.findall(drawn.stdout)
    offered = running.run("edit", code).stdout.splitlines()[-1].partition(": ")[2]
    semilla = f'semilla() {{ {sys.executable} -m bot "$@" -o again.png; }}'
    done = running.run("-c", f"{semilla}; {offered}", program="sh")
    assert done.returncode == 0, done.stderr
    first, second = (
        metadata.read((running.folder / name).read_bytes()) for name in ("evil.png", "again.png")
    )
    assert first is not None
    assert second is not None
    assert second.prompt == first.prompt == words
    assert not (running.folder / "pwned").exists()


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("/reroll K7QX seed:-1", "semilla reroll K7QX seed:-1"),
        ('/imagine prompt:"a cat & dog" steps:5', 'semilla imagine "--prompt=a cat & dog" steps:5'),
        ("a cat; a dog", 'semilla imagine "a cat; a dog"'),
        ('/imagine prompt:"a $(calc)"', ""),
        ("a %PATH% cat", ""),
        ("/imagine a cat --foo", ""),
    ],
)
def test_windows_shells_are_offered_what_both_read_alike(line: str, offered: str) -> None:
    assert shell_line(line, windows=True) == offered


def test_a_large_picture_is_handed_over_and_one_that_is_too_large_is_told(running: Shell) -> None:
    image = Image.new("RGB", (64, 64), "orange")
    for name, size in (("large.bmp", 22_000_000), ("too-large.bmp", 30_000_000)):
        file = running.folder / name
        image.save(file)
        file.write_bytes(file.read_bytes().ljust(size, b"\0"))
    done = running.run("imagine", "a frog", "--image", "large.bmp", "--steps", "2")
    assert done.returncode == 0, done.stderr
    refused = running.run("imagine", "a frog", "--image", "too-large.bmp", "--steps", "2")
    assert refused.returncode == 1
    assert "That file is too large" in refused.stderr


def test_what_a_member_can_mend_is_told_on_stderr_in_their_language(running: Shell) -> None:
    for words, english in (
        (["imagine", "a cat", "--seed", "many"], "seed has to be a whole number"),
        (["imagine", "a cat", "--sed", "7"], "The nearest is --seed"),
        (["imagine", "a cat", "--seed"], "--seed needs a value"),
        (["imagine", "a cat", "--sampler", "eulr a"], "nearest is"),
        (["histroy"], "semilla history"),
        (["show", "99ZZ"], "There is no picture"),
        (["imagine", "a cat", "--image", "none.png"], "none.png can't be read"),
        (["imagine", "a cat", "-o", "cat.jpg"], "cat.png"),
        (["imagine", "a cat", "-o", "cat.zip"], "cat.png"),
        (["privacy", "export", "-o", "mine.png"], "mine.zip"),
        (["imagine", "a cat", "-o", "nowhere/cat.png"], "nowhere"),
    ):
        done = running.run(*words)
        assert done.returncode == 2, words
        assert english.lower() in done.stderr.lower(), words
        assert done.stdout == ""
        assert "Traceback" not in done.stderr
    spanish = running.run("imagine", "un gato", "--semilla", "muchas", LC_ALL="es_ES.UTF-8")
    assert "tiene que ser un número entero" in spanish.stderr


def test_an_export_is_written_as_the_zip_that_it_is(running: Shell) -> None:
    for name in ("mine.zip", "privado"):
        done = running.run("privacidad", "exportar", "-o", name)
        assert done.returncode == 0, done.stderr
        assert zipfile.is_zipfile((running.folder / name).with_suffix(".zip"))


@pytest.mark.skipif(os.name == "nt", reason="there arguments are text")
def test_bytes_that_are_no_text_are_left_out_of_a_prompt(running: Shell) -> None:
    done = running.run("imagine", "a caf\udce9 table", "--steps", "2", "-o", "table.png")
    assert done.returncode == 0, done.stderr
    recipe = metadata.read((running.folder / "table.png").read_bytes())
    assert recipe is not None
    assert recipe.prompt == "a caf table"


def test_a_second_semilla_refuses_and_says_where_the_first_listens(running: Shell) -> None:
    done = running.run("run")
    assert done.returncode == 1
    assert f"already running at http://127.0.0.1:{running.port}" in done.stderr


def test_only_this_user_can_hand_over_commands(running: Shell) -> None:
    file = running.data / "owner.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    request = urllib.request.Request(
        f"{json.loads(file.read_text())['address']}/terminal", data=b"{}", method="POST"
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    assert refused.value.code == 403
    refused.value.close()


def test_leaving_a_command_cancels_its_request(running: Shell) -> None:
    process = running.start("imagine", "a red apple", "--steps", "150", "--count", "9")
    assert process.stderr is not None
    for line in process.stderr:
        if "Drawing" in line:
            break
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 130
    assert "Cancelled" in errors
    assert "Traceback" not in errors
    deadline = time.monotonic() + PATIENCE_SECONDS
    while "Nobody waits" not in running.run("queue").stdout:
        assert time.monotonic() < deadline


def test_doctor_says_what_works_beside_a_running_semilla(running: Shell) -> None:
    done = running.run("doctor")
    assert done.returncode == 0, done.stdout
    assert f"Semilla is running at http://127.0.0.1:{running.port}" in done.stdout
    assert "torch 2" in done.stdout


def test_doctor_says_what_is_missing_and_how_to_get_it(shell: Shell) -> None:
    with socket.create_server(("127.0.0.1", shell.port)):
        done = shell.run("doctor", DISCORD_TOKEN="secret-token")
    assert done.returncode == 1
    assert f"The port {shell.port} for the page is" not in done.stdout
    assert f"SEMILLA_WEB__PORT={shell.port + 1}" in done.stdout
    assert "Telegram: not connected. Paste its token at" in done.stdout
    assert "Discord: its token is here" in done.stdout
    assert "secret-token" not in done.stdout
    assert "No se puede" not in done.stdout
    if util.find_spec("nudenet") is None:  # wherever it runs: in a container there is no .venv
        assert f"{sys.executable} -m pip install nudenet" in done.stdout


def test_a_port_in_use_is_told_with_what_to_do(shell: Shell) -> None:
    with socket.create_server(("127.0.0.1", shell.port)):
        done = shell.run("run")
    assert done.returncode == 1
    assert f"SEMILLA_WEB__PORT={shell.port + 1}" in done.stderr


def test_a_port_in_use_in_the_network_alone_is_told_too(shell: Shell) -> None:
    try:
        address = private_address()
    except NoNetwork:
        pytest.skip("this machine is in no network")
    with socket.create_server((address, shell.port)):
        done = shell.run("class")
    assert done.returncode == 1
    assert f"uses port {shell.port} in this network" in done.stderr


@pytest.mark.skipif(
    not hasattr(os, "setuid") or os.getuid() != 0,
    reason="only root becomes somebody without a name",
)
def test_a_user_without_a_name_goes_by_their_number() -> None:
    """As in a container that is run with --user."""
    script = "import os; from bot import processes; os.setuid(54321); print(processes.user())"
    unnamed = {
        k: v for k, v in os.environ.items() if k not in ("LOGNAME", "USER", "LNAME", "USERNAME")
    }
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True, env=unnamed
    )
    assert done.stdout.strip() == "54321"


def test_a_mistake_in_the_settings_is_told_before_anything_starts(shell: Shell) -> None:
    (shell.folder / "config.toml").write_text("[web]\nopen_to_class = 3\n")
    done = shell.run("run", LC_ALL="es_ES.UTF-8")
    assert done.returncode == 2
    assert done.stderr.startswith(
        "config.toml línea 2: web.open_to_class tiene que ser true o false"
    )
    assert not shell.data.exists()


def test_a_data_folder_that_cannot_be_written_is_told(shell: Shell) -> None:
    (shell.folder / "file").write_text("")
    done = shell.run("history", SEMILLA_DATA=str(shell.folder / "file"))
    assert done.returncode == 1
    assert "SEMILLA_DATA" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_may_be_named_like_the_home_of_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["imagine", "a cat", "-o", "~nobody-here/cat.png"]) == 2
    assert "~nobody-here" in capsys.readouterr().err


def test_where_its_output_is_closed_a_command_runs_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    assert cli.main(["--version"]) == 0


@pytest.mark.skipif(os.name == "nt", reason="there a user's folders are closed to the others")
@pytest.mark.parametrize(
    ("before", "after"), [(None, 0o700), (0o755, 0o700), (0o777, 0o700), (0o750, 0o750)]
)
def test_other_users_of_the_computer_cannot_look_into_the_data_folder(
    shell: Shell, before: int | None, after: int
) -> None:
    """One that is open to its group alone was made so by somebody, and stays."""
    if before is not None:
        shell.data.mkdir()
        shell.data.chmod(before)
    shell.run("doctor")
    assert stat.S_IMODE(shell.data.stat().st_mode) == after


def test_help_lists_every_declared_command_in_both_languages(shell: Shell) -> None:
    from bot.commands.declaration import COMMANDS

    english, spanish = shell.run("--help"), shell.run("--ayuda", "--lang", "es")
    for command in COMMANDS.values():
        assert f"semilla {command.label('en')}" in english.stdout
        assert f"semilla {command.label('es')}" in spanish.stdout
    assert "--negativo" in shell.run("imagina", "--help", "--lang", "es").stdout
    assert shell.run("--version").stdout.startswith("Semilla ")


def test_a_flag_or_a_word_that_semilla_does_not_have_is_told(shell: Shell) -> None:
    english, spanish = shell.run("--config", "x"), shell.run("--confg", "--lang", "es")
    later, word = shell.run("run", "--port", "9000"), shell.run("run", "--open", "9000")
    palabra = shell.run("doctor", "modelos", "--lang", "es")
    assert {each.returncode for each in (english, spanish, later, word, palabra)} == {2}
    assert 'semilla run takes no "9000" after it' in " ".join(word.stderr.split())
    assert 'Después de semilla doctor no va "modelos"' in " ".join(palabra.stderr.split())
    assert "Semilla has no flag --port." in later.stderr
    assert "Semilla has no flag --config." in english.stderr
    assert "SEMILLA_CONFIG names another file" in " ".join(english.stderr.split())
    assert "Semilla no tiene ninguna opción --confg." in spanish.stderr


def test_a_command_on_its_own_says_that_it_reads_large_models_first(shell: Shell) -> None:
    large(shell.data / "models" / "dream", 0.1)
    errors = shell.run("history").stderr
    assert "First I read a new model (0.1 GB)." in " ".join(errors.split())


def test_after_a_kill_the_data_folder_is_free_and_the_request_is_kept(shell: Shell) -> None:
    process = shell.start("imagine", "a red apple", "--steps", "4", "--seed", "5")
    assert process.stderr is not None
    assert process.stderr.readline()
    process.kill()
    process.communicate()
    with shell.start("run") as server:
        assert server.stdout is not None
        server.stdout.readline()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while "a red apple · seed 5 " not in shell.run("history", "red apple").stdout:
            assert time.monotonic() < deadline
            time.sleep(1)  # asking takes the processor from the drawing
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=PATIENCE_SECONDS)


def test_a_command_whose_semilla_is_stopped_hears_that_its_request_is_kept(shell: Shell) -> None:
    with shell.start("run") as server:
        assert server.stdout is not None
        server.stdout.readline()
        with shell.start("imagine", "a red apple", "--steps", "22", "--count", "9") as waiting:
            assert waiting.stderr is not None
            assert waiting.stderr.readline()  # it was accepted
            server.send_signal(signal.SIGTERM)
            _, errors = waiting.communicate(timeout=PATIENCE_SECONDS)
        server.communicate(timeout=PATIENCE_SECONDS)
    assert waiting.returncode == 1
    assert "Your request is kept" in errors
    assert "error" not in (shell.data / "semilla.log").read_text().replace("uvicorn.error", "")


def test_a_command_that_is_handed_over_waits_for_no_database_to_be_imported() -> None:
    check = "import sys, bot.cli; print([m for m in ('torch', 'sqlalchemy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
