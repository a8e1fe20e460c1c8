"""The worker process: python -m generator.worker. The only process that imports torch.

Orders come as frames on stdin, events go as frames on stdout. It ends when stdin does.
"""

from __future__ import annotations

import gc
import os
import sys
import traceback
from contextlib import suppress

OFFLINE = dict.fromkeys(("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_DISABLE_TELEMETRY"), "1")
NICER = 5  # than the chats: they acknowledge at once, and drawing takes what they leave


def _own_stdout() -> int:
    """Moves stdout away, so that no library's print can get between two frames."""
    own = os.dup(1)
    os.dup2(2, 1)
    return own


def main() -> None:
    events = os.fdopen(_own_stdout(), "wb", buffering=0)
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the bot; it closes our stdin
    os.environ.update(OFFLINE)
    if hasattr(os, "nice"):
        os.nice(NICER)
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # else a card's sums may differ
    # What is imported stays: searching it for garbage meanwhile takes a sixth of the start.
    gc.disable()
    from generator.serving import serve

    gc.freeze()
    gc.enable()
    try:
        with suppress(BrokenPipeError):  # nobody is left to be told
            serve(sys.argv[1:], sys.stdin.buffer, events)
    except Exception:  # noqa: BLE001 — a card that is lost, for example
        traceback.print_exc()
        os._exit(1)
    os._exit(0)  # without waiting for a build or a load that is under way, either way


if __name__ == "__main__":
    main()
