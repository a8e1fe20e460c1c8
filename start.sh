#!/bin/sh
# Double-click or ./start.sh: the same as `make run`, and opens the browser.
cd "$(dirname "$0")" || exit 1

wait_for_enter() { # or the window would close before anybody has read it
    if [ -t 0 ]; then
        printf '[Enter] '
        read -r _
    fi
}

for python in python3.14 python3.13 python3.12 python3.11 python3 python; do
    if command -v "$python" >/dev/null 2>&1 &&
        "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14) or sys.maxsize < 2**32)' 2>/dev/null; then
        "$python" install.py run --open
        code=$?
        if [ "$code" -ne 0 ] && [ "$code" -lt 128 ]; then wait_for_enter; fi
        exit "$code"
    fi
done
echo "Semilla needs Python 3.11, 3.12, 3.13 or 3.14, of 64 bits: python.org/downloads"
echo "Semilla necesita Python 3.11, 3.12, 3.13 o 3.14, de 64 bits: python.org/downloads"
wait_for_enter
exit 2
