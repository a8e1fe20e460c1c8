"""install.py makes the environment that Semilla runs in; here its Python only says what is asked."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import install

INDEX = "https://index.test/cpu"


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that gets a line for each call of the environment's Python."""
    for name, file in (("STAMP", "stamp"), ("TORCH_SOURCE", "source"), ("PYTHON", "python")):
        monkeypatch.setattr(install, name, tmp_path / file)
    monkeypatch.delenv("TORCH_INDEX", raising=False)
    install.PYTHON.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n')
    install.PYTHON.chmod(0o700)
    return tmp_path / "asked"


@pytest.mark.skipif(os.name == "nt", reason="its Python is a script of the shell here")
def test_an_update_takes_torch_from_where_it_was_taken_at_first(
    asked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_INDEX", INDEX)
    install.prepare()
    monkeypatch.delenv("TORCH_INDEX")
    install.STAMP.write_text("of an older version")
    asked.unlink()
    install.prepare()
    (torch,) = (line for line in asked.read_text().splitlines() if install.TORCH in line)
    assert torch.endswith(f"--index-url {INDEX}")


def test_a_folder_that_can_not_be_written_is_told_as_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(install, "ENVIRONMENT", tmp_path / "file" / ".venv")
    monkeypatch.setenv("LC_ALL", "es_ES.UTF-8")
    with pytest.raises(SystemExit):
        install.make_environment()
    told = capsys.readouterr().out
    assert "No se pudo crear el entorno" in told
    assert "apt" not in told
