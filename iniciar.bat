@echo off
rem Double-click: the same as "make run", and opens the browser.
chcp 65001 >nul
cd /d "%~dp0"
set PYTHONUTF8=1
where py >nul 2>nul
if %errorlevel%==0 (
    py -3 install.py run --open
    goto done
)
where python >nul 2>nul
if %errorlevel%==0 (
    python install.py run --open
    goto done
)
echo Semilla necesita Python 3.11 o mas nuevo, de 64 bits: python.org/downloads
echo Semilla needs Python 3.11 or newer, 64 bits: python.org/downloads
:done
pause
