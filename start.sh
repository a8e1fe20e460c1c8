#!/bin/sh
# Double-click or ./start.sh: the same as `make run`, and opens the browser.
cd "$(dirname "$0")" || exit 1
for python in python3.13 python3.12 python3.11 python3 python; do
    if command -v "$python" >/dev/null 2>&1 &&
        "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        exec "$python" install.py run --open
    fi
done
echo "Semilla needs Python 3.11 or newer: python.org/downloads"
echo "Semilla necesita Python 3.11 o más nuevo: python.org/downloads"
printf '[Enter] '
read -r _
exit 2
