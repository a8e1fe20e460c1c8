"""Makes the environment that Semilla runs in, and runs it. Needs nothing but Python itself.

python install.py              environment only
python install.py run [...]    environment, then `semilla run`
python install.py test [...]   environment with the test tools, then the tests
python install.py check        environment with the test tools, then linters and types
python install.py gpu          the CUDA build of torch in the place of the CPU's
python install.py train        trains the model that ships
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
TRIES = 5
TORCH = "torch==2.13.0"
CHECKS = (
    ["ruff", "format", "--check", "."],
    ["ruff", "check", "."],
    ["lint-imports"],
    ["mypy"],
)


def say(english: str, spanish: str) -> None:
    language = os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
    if os.name == "nt":
        import locale

        language = language or (locale.getlocale()[0] or "")
    print(spanish if language.lower().startswith(("es", "span")) else english, flush=True)


def check_python() -> None:
    if sys.version_info < (3, 11):
        version = platform.python_version()
        say(
            f"This is Python {version}; Semilla needs 3.11 or newer. Get it at python.org/downloads.",
            f"Este Python es {version}; Semilla necesita 3.11 o más. Está en python.org/downloads.",
        )
        sys.exit(2)
    if struct.calcsize("P") * 8 != 64:
        say(
            "This Python is a 32-bit one; torch needs a 64-bit Python. Get it at python.org/downloads.",
            "Este Python es de 32 bits; torch necesita uno de 64 bits. Está en python.org/downloads.",
        )
        sys.exit(2)


def wanted(extra: str) -> str:
    """Changes when the dependencies do: a second start compares it and goes on at once."""
    digest = hashlib.sha256()
    for name in ("pyproject.toml", "constraints.txt"):
        digest.update((HERE / name).read_bytes())
    return f"{digest.hexdigest()} {platform.python_version()} {extra}".strip()


def prepare(extra: str = "") -> None:
    stamp = ENVIRONMENT / "semilla-stamp"
    have = stamp.read_text() if stamp.exists() else ""
    if have == wanted(extra) or (not extra and have.startswith(wanted(""))):
        return
    if not PYTHON.exists():
        say(
            "Installing. With torch's CPU build about 0.6 GB are downloaded and 1.5 GB kept; "
            "on Linux the public index sends the CUDA build, several GB (see TORCH_INDEX).",
            "Instalando. Con torch para CPU se descargan unos 0,6 GB y ocupan 1,5 GB; "
            "en Linux el índice público envía el de CUDA, varios GB (mira TORCH_INDEX).",
        )
        make_environment()
    torch = ["--index-url", os.environ["TORCH_INDEX"]] if os.environ.get("TORCH_INDEX") else []
    pip("-c", str(HERE / "constraints.txt"), TORCH, *torch)
    project = f"{HERE}[{extra}]" if extra else str(HERE)
    pip("-c", str(HERE / "constraints.txt"), "-e", project)
    stamp.write_text(wanted(extra))


def make_environment() -> None:
    try:
        venv.create(ENVIRONMENT, with_pip=True)
    except (subprocess.CalledProcessError, OSError) as error:
        shutil.rmtree(ENVIRONMENT, ignore_errors=True)
        say(
            f"The environment could not be made ({error}). On Debian and Ubuntu: "
            "sudo apt install python3-venv",
            f"No se pudo crear el entorno ({error}). En Debian y Ubuntu: "
            "sudo apt install python3-venv",
        )
        sys.exit(2)


def pip(*arguments: str) -> None:
    """Installs; after a broken network it goes on with what is already in pip's cache."""
    command = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    for attempt in range(1, TRIES + 1):
        if subprocess.run([*command, *arguments], check=False).returncode == 0:
            return
        if attempt < TRIES:
            say(
                f"That broke off. Trying again in {attempt * 5} s, from where it was.",
                f"Se cortó. Lo intento otra vez en {attempt * 5} s, desde donde iba.",
            )
            time.sleep(attempt * 5)
    say(
        "The download didn't succeed. Check the network and start again: it goes on from here.",
        "La descarga no se completó. Revisa la red y empieza otra vez: sigue desde aquí.",
    )
    sys.exit(1)


def run(*command: str) -> int:
    return subprocess.run(
        [str(SCRIPTS / command[0]), *command[1:]], check=False, cwd=HERE
    ).returncode


def check() -> int:
    return next((code for command in CHECKS if (code := run(*command))), 0)


def gpu() -> int:
    prepare()
    command = [str(PYTHON), "-m", "pip", "install", "--upgrade", "--force-reinstall", "--no-deps"]
    index = os.environ.get("TORCH_INDEX")
    if index is None and os.name == "nt":
        say(
            "On Windows the CUDA build has its own index. Copy its address from "
            "pytorch.org/get-started and run: set TORCH_INDEX=address, then this again.",
            "En Windows, torch con CUDA tiene su propio índice. Copia su dirección de "
            "pytorch.org/get-started y ejecuta: set TORCH_INDEX=dirección, y esto otra vez.",
        )
        return 2
    where = ["--index-url", index] if index else []
    if subprocess.run([*command, TORCH, *where], check=False).returncode:
        return 1
    return subprocess.run(
        [str(PYTHON), "-m", "pip", "install", TORCH, *where], check=False
    ).returncode


def main() -> int:
    check_python()
    task, *rest = sys.argv[1:] or ["install"]
    if task == "gpu":
        return gpu()
    prepare("test" if task in ("test", "check") else "")
    if task == "run":
        return run("semilla", "run", *rest)
    if task == "test":
        return run("pytest", "-q", *rest)
    if task == "check":
        return check()
    if task == "train":
        return run("python", "-m", "generator.training", *rest)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
