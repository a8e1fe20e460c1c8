"""Workers that are there at once: forked from a process that has imported their libraries already.

To import torch and diffusers takes several seconds of the processor, and dozens of tests have a
worker of their own. A script stands in the place of Python, as it does in tests of workers that
don't start: what it is asked to run as `-m generator.worker` is forked by the seedbed, all else
Python runs as ever, and what that starts is started by the script again. Each is a process of its
own with nothing in it of those before; whoever kills the script kills its worker. Tests of the
start itself take the fixture `unprepared`, or PYTHON.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PYTHON = sys.executable
SCRIPT = """#!/bin/sh
test "$2" = generator.worker && exec {python} -IS {file} ask {address} "$@"
test "$1" = -m && exec {python} -c {module} "$0" "$@"
exec {python} "$@"
"""
MODULE = (
    "import runpy, sys; sys.executable = sys.argv[1]; sys.argv[:] = sys.argv[3:]; "
    "runpy.run_module(sys.argv[0], run_name='__main__', alter_sys=True)"
)


@contextmanager
def prepared() -> Iterator[Path]:
    """The script. Its seedbed imports nothing until the first worker is wanted."""
    import shlex
    import subprocess
    from tempfile import TemporaryDirectory

    pipe, root = subprocess.PIPE, Path(__file__).parent.parent
    with TemporaryDirectory() as folder:  # a socket's address has to be short
        script, address = Path(folder, "python"), str(Path(folder, "socket"))
        words = {"python": PYTHON, "module": MODULE, "file": __file__, "address": address}
        quoted = {name: shlex.quote(word) for name, word in words.items()}
        script.write_text(SCRIPT.format(**quoted))
        script.chmod(0o700)
        command = [PYTHON, "-m", "tests.seedbed", "serve", address]
        with subprocess.Popen(command, cwd=root, stdin=pipe, stdout=pipe) as seedbed:
            assert seedbed.stdout is not None
            assert seedbed.stdout.readline() == b"listening\n"
            yield script


def serve(address: str) -> None:
    """Until stdin ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how they ended
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen()
        os.write(1, b"listening\n")
        while listening in select.select([listening, sys.stdin], [], [])[0]:
            connection, _ = listening.accept()
            _import()
            if os.fork() == 0:
                listening.close()
                _work(connection)
            connection.close()


def ask(address: str, *command: str) -> None:
    """Has a worker forked with this process's files and environment, and ends when it does."""
    order = json.dumps([command[2:], dict(os.environ)]).encode()
    with socket.socket(socket.AF_UNIX) as seedbed:
        seedbed.connect(address)
        socket.send_fds(seedbed, [order], [0, 1, 2])
        seedbed.recv(1)


def _import() -> None:
    from generator import worker

    os.environ.update(worker.OFFLINE)
    import generator.serving  # noqa: F401


def _work(connection: socket.socket) -> None:
    import threading

    from generator import worker

    def follow() -> None:
        connection.recv(1)
        os._exit(1)

    order, files, *_ = socket.recv_fds(connection, 2**20, 3)
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    threading.Thread(target=follow, daemon=True).start()
    sys.argv[1:], environment = json.loads(order)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[:0] = environment.get("PYTHONPATH", "").split(os.pathsep)
    worker.main()


if __name__ == "__main__":
    role, *words = sys.argv[1:]
    {"serve": serve, "ask": ask}[role](*words)
