#!/usr/bin/env bash
# Debian's 32-bit wine, unpacked into a folder of its own: scripts/wine32.sh FOLDER. Needs no root, and the machine's packages
# stay as they are. tests/deep/test_driver_windows.py lays its /usr under the machine's, in a namespace.
set -euo pipefail
folder=$(realpath -m "${1:?the folder, which is not there yet}")
apt=$(mktemp -d)
trap 'rm -rf "$apt" "$folder.part"' EXIT
mkdir -p "$folder.part" "$apt/lists/partial" "$apt/archives/partial"
: >"$apt/status"
options=(-q -o APT::Architecture=i386 -o APT::Architectures=i386 -o Dir::State="$apt" -o Dir::State::status="$apt/status"
    -o Dir::Cache="$apt" -o Dir::Cache::archives="$apt/archives" -o Debug::NoLocking=1 -o APT::Sandbox::User=)
# An index that cannot be had (a mirror between two states) is no end: the next command says what is missing.
apt-get "${options[@]}" update >&2 || true
apt-get "${options[@]}" install -y --download-only --no-install-recommends wine32 >&2
for package in "$apt"/archives/*.deb; do dpkg -x "$package" "$folder.part"; done
# Debian 12's packages still name /lib; the machine's /lib is /usr/lib.
[ -L "$folder.part/lib" ] || { cp -a "$folder.part/lib/." "$folder.part/usr/lib/" && rm -r "$folder.part/lib"; }
mv "$folder.part" "$folder"
