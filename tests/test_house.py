"""How the house is kept: sizes, annotations, what may not be imported."""

import ast
import importlib.util
import re
import subprocess
import sys
import tomllib
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = sorted(
    chain.from_iterable((ROOT / part).rglob("*.py") for part in ("bot", "db", "generator"))
)
LINES_A_FILE, LINES_A_FUNCTION = 400, 60


def functions(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_stay_small(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LINES_A_FILE
    for function in functions(path):
        assert function.end_lineno - function.lineno < LINES_A_FUNCTION, function.name


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_parameter_is_annotated(path):
    for function in functions(path):
        of = function.args
        arguments = [*of.posonlyargs, *of.args, *of.kwonlyargs, of.vararg, of.kwarg]
        bare = [
            a.arg for a in arguments if a and a.annotation is None and a.arg not in ("self", "cls")
        ]
        assert bare == [], function.name


def test_only_the_worker_process_imports_torch():
    script = """
import importlib, pkgutil, sys
import bot, db
for package in (bot, db):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not module.name.endswith("__main__") and ".migrations." not in module.name:
            importlib.import_module(module.name)
heavy = {"torch", "diffusers", "transformers"} & set(sys.modules)
sys.exit(f"imported: {heavy}" if heavy else 0)
"""
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT
    )
    assert result.returncode == 0, result.stderr


def test_torchvision_has_not_come_in():
    """Its wheel doesn't load beside the CPU build of torch, and breaks transformers when it is there."""
    assert importlib.util.find_spec("torchvision") is None


def test_only_one_file_has_calls_of_one_system():
    for path in FILES:
        if path.name != "processes.py":
            text = path.read_text(encoding="utf-8")
            assert "import fcntl" not in text
            assert "import pwd" not in text
            assert "os.geteuid" not in text
            assert "os.fork" not in text


def plain(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_dependency_has_its_exact_version_and_no_address():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not re.fullmatch(r"[\w.-]+==[\w.]+", line)] == []
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    pinned = {plain(line.partition("==")[0]) for line in lines}
    assert {plain(re.match(r"[\w.-]+", one)[0]) for one in named} - pinned == set()


def test_the_starter_for_windows_has_windows_line_ends():
    """With other line ends cmd.exe may not find the label that goto names."""
    starter = (ROOT / "iniciar.bat").read_bytes()
    assert starter.count(b"\n") == starter.count(b"\r\n") > 0
