"""`semilla models add`: from a file, a folder or a hub; whole, or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

from bot import cli
from generator.catalogue import BUNDLED, Catalogue
from generator.headers import Kind
from tests.test_models import lora, put


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """A data folder of its own; what is added goes into its folder of models."""
    monkeypatch.setenv("SEMILLA_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("SEMILLA_GENERATOR__MODELS_FOLDERS", "")
    monkeypatch.setenv("LANG", "en_US")
    return tmp_path


def names(home: Path) -> list[str]:
    found = Catalogue([home / "data" / "models"], home / "cache")
    extras = [each for kind in Kind for each in found.extras(kind)]
    return [each.name for each in (*found.models()[1:], *extras)]


def leftovers(home: Path) -> list[str]:
    return [each.name for each in (home / "data" / "models").rglob("*.part")]


def test_a_file_is_added_with_what_lies_beside_it(home, capsys):
    source = put(home / "elsewhere" / "dream.safetensors")
    (home / "elsewhere" / "dream.toml").write_text("steps = 9")
    assert cli.main(["models", "add", str(source)]) == 0
    assert "dream is in" in " ".join(capsys.readouterr().err.split())
    assert names(home) == ["dream"]
    found = Catalogue([home / "data" / "models"], home / "cache").find("dream")
    assert found.steps == 9
    assert source.exists()
    assert leftovers(home) == []


def test_a_lora_is_added_too(home):
    assert cli.main(["models", "add", str(put(home / "ink.safetensors", lora()))]) == 0
    assert names(home) == ["ink"]


@pytest.mark.parametrize("begun", ["the same", "another", "longer"])
def test_what_was_broken_off_goes_on_and_what_is_another_begins_again(home, begun):
    source = put(home / "dream.safetensors")
    content = source.read_bytes()
    part = home / "data" / "models" / "dream.safetensors.part"
    part.parent.mkdir(parents=True)
    beginnings = {"the same": content[:300], "another": b"x" * 300, "longer": content + b"more"}
    part.write_bytes(beginnings[begun])
    assert cli.main(["models", "add", str(source)]) == 0
    assert (home / "data" / "models" / "dream.safetensors").read_bytes() == content
    assert leftovers(home) == []


def test_a_folder_is_added_with_what_drawing_needs_of_it(home):
    source = shutil.copytree(BUNDLED, home / "mine")
    (source / "semilla.toml").unlink()
    (source / "notes.pdf").write_bytes(b"%PDF")
    assert cli.main(["models", "add", str(source)]) == 0
    assert names(home) == ["mine"]
    assert not (home / "data" / "models" / "mine" / "notes.pdf").exists()
    hashes = [
        Catalogue([folder], home / "cache").find("mine").hash
        for folder in (source, home / "data" / "models")
    ]
    assert hashes[0] == hashes[1]


def test_a_folder_that_is_named_from_inside_it_is_added_under_its_own_name(home, monkeypatch):
    source = shutil.copytree(BUNDLED, home / "mine")
    (source / "semilla.toml").unlink()
    (home / "data" / "pictures").mkdir(parents=True)
    monkeypatch.chdir(source / "unet")
    assert cli.main(["models", "add", ".."]) == 0
    assert names(home) == ["mine"]
    assert (home / "data" / "pictures").is_dir()


def test_what_is_no_model_is_refused_with_the_reason(home, capsys):
    pickle = home / "old.safetensors"
    pickle.write_bytes(b"PK")
    (home / "empty").mkdir()
    for named, why in (
        (pickle, "it is no file of weights, or not whole"),
        (home / "empty", "is no model"),
        ("nowhere.safetensors", "There is no file or folder nowhere.safetensors here"),
        ("owner/..", "There is no file or folder owner/.. here"),
    ):
        assert cli.main(["models", "add", str(named)]) == 2
        assert why in " ".join(capsys.readouterr().err.split())
    assert cli.main(["models", "add"]) == 2
    assert names(home) == []


def test_its_help_says_what_it_takes(home, capsys):
    assert cli.main(["models", "add", "--help", "--lang", "en"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "FILE, a FOLDER or a HUB-ID" in said
    assert "owner/name" in said


@pytest.mark.parametrize("name", ["old.ckpt", "style.pt"])
def test_a_pickle_is_refused_as_one_and_embeddings_have_their_folder(home, capsys, name):
    (home / name).write_bytes(b"PK")
    assert cli.main(["models", "add", str(home / name)]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "it is a pickle" in said
    assert "models/embeddings" in said.replace(" ", "")


def test_a_model_does_not_take_the_place_of_another_one_of_its_name(home, capsys):
    first = put(home / "a" / "dream.safetensors")
    second = put(home / "b" / "dream.safetensors", lora())
    assert cli.main(["models", "add", str(first)]) == 0
    kept = contents(home / "data" / "models")
    assert cli.main(["models", "add", str(second)]) == 2
    assert "is there already" in " ".join(capsys.readouterr().err.split())
    assert contents(home / "data" / "models") == kept
    assert cli.main(["models", "add", str(first)]) == 0  # the same one may be added again


@pytest.mark.parametrize("suffix", [".toml", ".json", ".civitai.info"])
def test_a_model_that_is_added_again_changes_no_settings_that_lie_beside_it(home, capsys, suffix):
    source = put(home / "elsewhere" / "dream.safetensors")
    assert cli.main(["models", "add", str(source)]) == 0
    own = home / "data" / "models" / f"dream{suffix}"
    own.write_text("{}")
    beside = source.with_name(f"dream{suffix}")
    beside.write_text("[]")
    assert cli.main(["models", "add", str(source)]) == 2
    said = "".join(capsys.readouterr().err.split())
    assert f"dream{suffix}istherealready" in said
    assert own.read_text() == "{}"
    beside.write_text("{}")
    assert cli.main(["models", "add", str(source)]) == 0


def test_a_folder_does_not_take_the_place_of_another_one_of_its_name(home):
    first, second = (shutil.copytree(BUNDLED, home / each / "mine") for each in "ab")
    (second / "unet" / "config.json").write_text("{}")
    assert cli.main(["models", "add", str(first)]) == 0
    assert cli.main(["models", "add", str(second)]) == 2
    kept = home / "data" / "models" / "mine" / "unet" / "config.json"
    assert kept.read_text() == (first / "unet" / "config.json").read_text()
    assert cli.main(["models", "add", str(first)]) == 0


def test_where_there_is_no_room_nothing_is_begun(home, capsys, monkeypatch):
    source = put(home / "dream.safetensors")
    usage = SimpleNamespace(free=1_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage)
    assert cli.main(["models", "add", str(source)]) == 1
    assert "no room" in capsys.readouterr().err
    assert names(home) == []


class Hub:
    """A hub on this machine: what its client asks for a model, with ranges and hashes."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.told = dict(files)
        self.asked: list[tuple[str, str]] = []

    def info(self, name: str) -> bytes:
        siblings = [
            {
                "rfilename": file,
                "size": len(content),
                "lfs": {
                    "sha256": hashlib.sha256(self.told[file]).hexdigest(),
                    "size": len(content),
                    "pointerSize": 100,
                },
            }
            for file, content in self.files.items()
        ]
        return json.dumps({"id": name, "sha": "a" * 40, "siblings": siblings}).encode()


@contextmanager
def serving(hub: Hub) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            hub.asked.append((self.command, path))
            if path.startswith("/api/models/owner/mine"):
                return self.send(hub.info("owner/mine"), "info")
            file = path.partition(f"/resolve/{'a' * 40}/")[2]
            if file not in hub.files:
                return self.send_error(404)
            return self.send(hub.files[file], hashlib.sha256(hub.files[file]).hexdigest())

        def send(self, content: bytes, etag: str) -> None:
            start = int((self.headers["Range"] or "bytes=0-").partition("=")[2].partition("-")[0])
            self.send_response(206 if start else 200)
            self.send_header("ETag", f'"{etag}"')
            self.send_header("X-Repo-Commit", "a" * 40)
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content[start:])

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def fetched(home: Path, address: str, name: str) -> subprocess.CompletedProcess[str]:
    own = {"HF_ENDPOINT": address, "HF_HOME": str(home / "hub"), "HF_HUB_DISABLE_XET": "1"}
    command = [sys.executable, "-m", "bot", "models", "add", name]
    environment = {**os.environ, **own}
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def contents(folder: Path) -> dict[str, bytes]:
    files = (each for each in folder.rglob("*") if each.is_file())
    return {each.relative_to(folder).as_posix(): each.read_bytes() for each in files}


def test_a_model_of_a_hub_is_fetched_and_checked(home):
    files = {n: c for n, c in contents(BUNDLED).items() if not n.endswith((".jpg", ".md", ".toml"))}
    files["unet/diffusion_pytorch_model.fp16.safetensors"] = b"x" * 999  # not of every part
    files["model.ckpt"] = b"PK"
    with serving(Hub(files)) as address:
        ended = fetched(home, address, "owner/mine")
    assert ended.returncode == 0, ended.stderr
    assert names(home) == ["mine"]
    there = set(contents(home / "data" / "models" / "mine"))
    assert there == {n for n in files if n.endswith((".json", ".txt", ".safetensors"))} - {
        "unet/diffusion_pytorch_model.fp16.safetensors"
    }


@pytest.mark.parametrize(
    ("parts", "wanted"),
    [
        (("unet/a.fp16", "unet/a", "vae/b.fp16", "vae/b"), ("unet/a.fp16", "vae/b.fp16")),
        (("unet/a.fp16", "unet/a", "vae/b"), ("unet/a", "vae/b")),
        (("unet/a.bf16", "vae/b.bf16"), ("unet/a.bf16", "vae/b.bf16")),
        (
            (
                "unet/a.fp16",
                "unet/a",
                "te/b.fp16-00001-of-00002",
                "te/b.fp16-00002-of-00002",
                "te/b",
            ),
            ("unet/a.fp16", "te/b.fp16-00001-of-00002", "te/b.fp16-00002-of-00002"),
        ),
        (("unet/a", "vae/b.fp16"), ("unet/a", "vae/b.fp16")),
    ],
)
def test_of_a_hubs_model_one_precision_is_fetched_of_every_part(home, parts, wanted):
    """Half where all parts have it."""
    files = dict.fromkeys((f"{each}.safetensors" for each in parts), b"x")
    with serving(Hub({"model_index.json": b"{}", **files})) as address:
        assert fetched(home, address, "owner/mine").returncode == 0
    there = set(contents(home / "data" / "models" / "mine")) - {"model_index.json"}
    assert there == {f"{each}.safetensors" for each in wanted}


def test_of_two_repositories_with_one_name_the_second_is_refused_before_it_is_fetched(home):
    other = put(home / "data" / "models" / "dream.safetensors", lora()).read_bytes()
    hub = Hub({"dream.safetensors": put(home / "dream.safetensors").read_bytes()})
    with serving(hub) as address:
        refused = fetched(home, address, "owner/mine")
        assert refused.returncode == 2
        assert "is there already" in " ".join(refused.stderr.split())
        assert not any("/resolve/" in path for _, path in hub.asked)
        (home / "data" / "models" / "dream.safetensors").write_bytes(hub.files["dream.safetensors"])
        assert fetched(home, address, "owner/mine").returncode == 0
    assert contents(home / "data" / "models") == hub.files != {"dream.safetensors": other}


def test_what_a_hub_sends_is_checked_against_what_it_said(home):
    content = put(home / "dream.safetensors").read_bytes()
    hub = Hub({"dream.safetensors": content})
    hub.told["dream.safetensors"] = content[:-1] + b"x"
    with serving(hub) as address:
        ended = fetched(home, address, "owner/mine")
        assert ended.returncode == 1
        assert "did not arrive whole" in ended.stderr
        assert names(home) == []
        hub.told["dream.safetensors"] = content
        assert fetched(home, address, "owner/mine").returncode == 0
        assert names(home) == ["dream"]
        missing = fetched(home, address, "owner/other")
    assert missing.returncode == 1
    assert "could not be added" in missing.stderr
