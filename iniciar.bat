@echo off
rem Double-click: the same as "make run", and opens the browser.
chcp 65001 >nul
cd /d "%~dp0"
set PYTHONUTF8=1
set FITS="import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14) or sys.maxsize < 2**32)"

rem The newest Python may be too new for torch, so others are asked by their number.
for %%v in (-3 -3.14 -3.13 -3.12 -3.11) do (
    py %%v -c %FITS% >nul 2>nul && (
        py %%v install.py run --open
        goto done
    )
)
python -c %FITS% >nul 2>nul && (
    python install.py run --open
    goto done
)
echo Semilla necesita Python 3.11, 3.12, 3.13 o 3.14, de 64 bits: python.org/downloads
echo Semilla needs Python 3.11, 3.12, 3.13 or 3.14, 64 bits: python.org/downloads
:done
pause
