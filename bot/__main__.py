"""`semilla`, also as `python -m bot`."""

from __future__ import annotations

import gc
import sys


def main() -> int:
    """Runs the process's command line; gives its exit code."""
    # What a start builds stays: searching it for garbage meanwhile would take a fifth of the time.
    # App.serve turns it on.
    gc.disable()
    from bot import cli

    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
