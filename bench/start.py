"""Start to the first answer of the page, over a bare import of the libraries that it stands on.

python -m bench.start [pairs]
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from statistics import median

BARE = "import starlette.applications, uvicorn, sqlalchemy.ext.asyncio, aiosqlite"


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def bare() -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", BARE], check=True)
    return time.perf_counter() - started


def first_answer(data: Path) -> float:
    port = free_port()
    environment = {**os.environ, "SEMILLA_DATA": str(data), "SEMILLA_WEB__PORT": str(port)}
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "bot", "run"], env=environment, stdout=subprocess.DEVNULL
    )
    try:
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).read()
                return time.perf_counter() - started
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.01)
    finally:
        process.terminate()
        process.wait()


def main(pairs: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        first_answer(Path(folder))  # makes the database
        both = [(first_answer(Path(folder)), bare()) for _ in range(pairs)]
    print(f"bare import     {median(b for _, b in both):.2f} s (median of {pairs})")
    print(f"first answer    {median(a for a, _ in both):.2f} s")
    print(f"ratio           {median(a / b for a, b in both):.2f} (median of pairs)")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
