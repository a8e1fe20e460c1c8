"""Makes the environment that Semilla runs in, and runs it. Needs nothing but Python itself.

python install.py              environment only
python install.py run [...]    environment, then `semilla run`
python install.py test [...]   environment with the test tools, then the tests
python install.py soak         environment with the test tools, then the large counts: an hour or two
python install.py check        environment with the test tools, then linters and types
python install.py train [...]  environment with what training needs, then the training of the model
python install.py gpu          the CUDA build of torch in the place of the CPU's
python install.py clean        removes the environment and the caches, never the data folder

TORCH_INDEX=address takes torch from that index, all the rest from the usual one.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import struct
import subprocess
import sys
import time
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
ENVIRONMENT = HERE / ".venv"
SCRIPTS = ENVIRONMENT / ("Scripts" if os.name == "nt" else "bin")
PYTHON = SCRIPTS / ("python.exe" if os.name == "nt" else "python")
STAMP = ENVIRONMENT / "semilla-stamp"
TORCH_SOURCE = ENVIRONMENT / "semilla-torch-index"
TRIES = 5
# torch 2.13.0 has wheels for these and no others.
OLDEST, NEWEST = (3, 11), (3, 14)
TORCH = "torch==2.13.0"
SOAKS = (
    ("python", "-m", "bench.load", "10000"),
    ("pytest", "-q", "--hypothesis-profile=soak", "tests/test_isolation.py", "tests/test_fuzz.py"),
    ("python", "-m", "bench.kill", "200"),
)
CHECKS = (
    ["ruff", "format", "--check", "."],
    ["ruff", "check", "."],
    ["lint-imports"],
    ["mypy"],
)
CACHES = (".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", ".import_linter_cache")


def say(english: str, spanish: str) -> None:
    language = os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
    if os.name == "nt":
        import locale

        language = language or (locale.getlocale()[0] or "")
    print(spanish if language.lower().startswith(("es", "span")) else english, flush=True)


def check_python() -> None:
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        version = platform.python_version()
        say(
            f"This is Python {version}; Semilla needs 3.11, 3.12, 3.13 or 3.14 (torch has no "
            "build for others). Get one at python.org/downloads.",
            f"Este Python es {version}; Semilla necesita 3.11, 3.12, 3.13 o 3.14 (torch no tiene "
            "versión para otros). Están en python.org/downloads.",
        )
        sys.exit(2)
    if struct.calcsize("P") * 8 != 64:
        say(
            "This Python is a 32-bit one; torch needs a 64-bit Python. Get it at python.org/downloads.",
            "Este Python es de 32 bits; torch necesita uno de 64 bits. Está en python.org/downloads.",
        )
        sys.exit(2)


def torch_index() -> list[str]:
    index = os.environ.get("TORCH_INDEX")
    return ["--index-url", index] if index else []


def fingerprint() -> str:
    """Changes with the dependencies, the folder and the Python below: later starts compare it."""
    digest = hashlib.sha256(f"{HERE}\n{PYTHON.resolve()}\n".encode())
    for name in ("pyproject.toml", "constraints.txt"):
        digest.update((HERE / name).read_bytes())
    return digest.hexdigest()


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def is_ready(extra: str) -> bool:
    have, *extras = read(STAMP).splitlines() or [""]
    return have == fingerprint() and extra in ("", *extras)


def wants_other_torch() -> bool:
    return bool(torch_index()) and read(STAMP) != "" and torch_index()[1] != read(TORCH_SOURCE)


def prepare(extra: str = "") -> None:
    if wants_other_torch():
        replace_torch()
    if is_ready(extra):
        return
    quiet = ["--quiet"] if STAMP.exists() else []  # the first time somebody wants to see it move
    # What was said at an earlier time stands, also when a new Python needs a new environment.
    index = os.environ.get("TORCH_INDEX") or read(TORCH_SOURCE)
    if not environment_works():
        say_what_comes(index)
        make_environment()
    TORCH_SOURCE.write_text(index, encoding="utf-8")
    # Without its dependencies: torch's own index has them in versions of its own.
    pip(*quiet, "--no-deps", TORCH, *(["--index-url", index] if index else []))
    project = f"{HERE}[{extra}]" if extra else str(HERE)
    pip(*quiet, "-c", str(HERE / "constraints.txt"), "-e", project)
    STAMP.write_text(f"{fingerprint()}\n{extra}\n", encoding="utf-8")


def say_what_comes(index: str) -> None:
    if sys.platform == "linux" and not index:
        say(
            "Installing. On Linux the usual index sends torch's CUDA build: several GB. Without an "
            "NVIDIA card stop this (Ctrl+C) and take PyTorch's CPU index, 0.4 GB to download and "
            "1.5 GB to keep: make run TORCH_INDEX=address (see README.md).",
            "Instalando. En Linux el índice habitual envía el torch de CUDA: varios GB. Sin tarjeta "
            "NVIDIA, para esto (Ctrl+C) y usa el índice CPU de PyTorch, 0,4 GB de descarga y 1,5 GB "
            "en disco: make run TORCH_INDEX=dirección (mira README.md).",
        )
    else:
        say(
            "Installing. About 0.4 GB are downloaded and 1.5 GB kept; only this first time.",
            "Instalando. Se descargan unos 0,4 GB y ocupan 1,5 GB; solo esta primera vez.",
        )


def environment_works() -> bool:
    """Not so if it was left half made, or its Python has gone (pip could be the system's then)."""
    code = "import pip, sys; sys.exit(sys.prefix == sys.base_prefix)"
    try:
        done = subprocess.run([str(PYTHON), "-c", code], stderr=subprocess.DEVNULL, check=False)
    except OSError:
        return False
    return done.returncode == 0


def make_environment() -> None:
    try:
        venv.create(ENVIRONMENT, with_pip=True, clear=True)
    except (subprocess.CalledProcessError, OSError) as error:
        shutil.rmtree(ENVIRONMENT, ignore_errors=True)
        say(
            f"The environment could not be made ({error}).",
            f"No se pudo crear el entorno ({error}).",
        )
        if isinstance(error, subprocess.CalledProcessError):  # pip is in a package of its own
            package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
            say(
                f"On Debian and Ubuntu: sudo apt install {package}",
                f"En Debian y Ubuntu: sudo apt install {package}",
            )
        sys.exit(2)
    pip("--quiet", "--upgrade", "pip>=25.2")  # from here on it resumes a download that broke off


def pip(*arguments: str) -> None:
    """Installs; after a broken network it goes on with what has already come."""
    command = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", *arguments]
    # setuptools warns about every editable install; a newcomer would take it for a failure.
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    for attempt in range(1, TRIES + 1):
        if subprocess.run(command, check=False, env=environment).returncode == 0:
            return
        if attempt < TRIES:
            say(
                f"That broke off. Trying again in {attempt * 5} s, from where it was.",
                f"Se cortó. Lo intento otra vez en {attempt * 5} s, desde donde iba.",
            )
            time.sleep(attempt * 5)
    say(
        "The download didn't succeed. Check the network and the free disk and start again: it goes on from here.",
        "La descarga no se completó. Revisa la red y el disco y empieza otra vez: sigue desde aquí.",
    )
    sys.exit(1)


def command_line(command: tuple[str, ...] | list[str]) -> list[str]:
    return [shutil.which(command[0], path=str(SCRIPTS)) or command[0], *command[1:]]


def run(*command: str) -> int:
    with subprocess.Popen(command_line(command), cwd=HERE) as child:
        while True:
            try:
                return child.wait()
            except KeyboardInterrupt:  # it got the same one, and needs its time to end
                continue


def become(*command: str) -> int:
    """Like run; where the system has it, in the place of this process, so that signals arrive."""
    if os.name == "nt":
        return run(*command)
    os.chdir(HERE)
    sys.stdout.flush()
    line = command_line(command)
    os.execv(line[0], line)


def soak() -> int:
    """All of them, also after one that failed."""
    return max(run(*command) for command in SOAKS)


def check() -> int:
    return next(filter(None, (run(*command) for command in CHECKS)), 0)


def replace_torch() -> None:
    pip("--force-reinstall", "--no-deps", TORCH, *torch_index())
    pip("--quiet", "-c", str(HERE / "constraints.txt"), TORCH)  # what this build needs besides
    TORCH_SOURCE.write_text(os.environ.get("TORCH_INDEX") or "", encoding="utf-8")


def gpu() -> int:
    if sys.platform != "linux" and not torch_index():
        say(
            "Here the CUDA build has its own index. Copy its address from "
            "pytorch.org/get-started and run: set TORCH_INDEX=address, then this again.",
            "Aquí, torch con CUDA tiene su propio índice. Copia su dirección de "
            "pytorch.org/get-started y ejecuta: set TORCH_INDEX=dirección, y esto otra vez.",
        )
        return 2
    say(
        f"The CUDA build of {TORCH}: several GB are downloaded.",
        f"El {TORCH} de CUDA: se descargan varios GB.",
    )
    prepare()
    replace_torch()
    return 0


def clean() -> int:
    for folder in (ENVIRONMENT, *(HERE / name for name in CACHES), *HERE.glob("*.egg-info")):
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def main() -> int:
    check_python()
    task, *rest = sys.argv[1:] or ["install"]
    if task in ("gpu", "clean"):
        return gpu() if task == "gpu" else clean()
    prepare({"train": "train"}.get(task, "test" if task in ("test", "check", "soak") else ""))
    if task == "run":
        return become("semilla", "run", *rest)
    if task == "test":
        # Three at a time, for two cores: a third of a test is waiting. A file stays together, with
        # what it has started, and files are begun in the order that tests/conftest.py gives them.
        how = ("-n", "3", "--dist", "loadfile", "--no-loadscope-reorder")
        return run("pytest", "-q", *how, *rest)
    if task == "train":
        return run("python", "-m", "generator.training", *rest)
    if task == "soak":
        return soak()
    if task == "check":
        return check()
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
