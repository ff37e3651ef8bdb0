#!/usr/bin/env bash
# dist/sscard_VERSION_ARCHITECTURE.deb, of this tree (docs/debian.md): scripts/deb.sh. $DEBFULLNAME and $DEBEMAIL are the
# package's maintainer, as Debian's own tools have them. Build and wheels lie in build/deb.
set -euo pipefail
cd "$(dirname "$0")/.."
say() { printf '%s\n' "deb: $*" >&2; }
python=/usr/bin/python3 # Debian's: what it runs on is what the package depends on
work=build/deb
for one in dpkg-buildpackage dh "$python"; do
    command -v "$one" >/dev/null || { say "$one is missing: apt-get install debhelper dpkg-dev python3"; exit 1; }
done
version=$("$python" -c 'from emulator.version import VERSION; print(VERSION)')
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || stat -c %Y pyproject.toml)}
export SOURCE_DATE_EPOCH LC_ALL=C.UTF-8 TZ=UTC
unset PYTHONPATH # a developer's tree would be imported instead of what is packed
umask 022
maintainer="${DEBFULLNAME:-Whoever built it} <${DEBEMAIL:-root@localhost}>"

rm -rf "$work/source" "$work/sscard-$version"
mkdir -p "$work/wheels" dist
say "the source, as an sdist has it"
.venv/bin/python -m hatchling build -t sdist -t wheel -d "$work/source" >/dev/null
tar xf "$work/source/sscard-$version.tar.gz" -C "$work"
source=$work/sscard-$version

say "the packages that requirements-dev.txt locks, of those what sscard[all] needs"
cp requirements-dev.txt "$work/requirements.txt"
.venv/bin/python -m uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --extra all --generate-hashes \
    --no-emit-index-url --custom-compile-command scripts/deb.sh --output-file "$work/requirements.txt"
if ! cmp -s "$work/requirements.txt" "$work/wheels/of.txt"; then
    rm -rf "$work/wheels" "$work/fetching"
    "$python" -m venv "$work/fetching"
    # What is compiled carries no path of this machine.
    CFLAGS="-O2 -g0 -ffile-prefix-map=$PWD=. -ffile-prefix-map=${TMPDIR:-/tmp}=." "$work/fetching/bin/python" -m pip \
        --disable-pip-version-check wheel --quiet --no-deps --require-hashes -r "$work/requirements.txt" -w "$work/wheels"
    cp "$work/requirements.txt" "$work/wheels/of.txt"
fi
mkdir "$source/wheels"
cp "$work"/wheels/*.whl "$work/source"/*.whl "$source/wheels/"

cp -r packaging/debian "$source/debian"
sed -i "s/@MAINTAINER@/$maintainer/" "$source/debian/control"
cat >"$source/debian/changelog" <<CHANGES
sscard ($version) bookworm; urgency=medium

  * Release $version; what changed is in /usr/share/doc/sscard/CHANGELOG.md.

 -- $maintainer  $(date --utc --date="@$SOURCE_DATE_EPOCH" --rfc-email)
CHANGES
say "the package"
(cd "$source" && dpkg-buildpackage --build=binary --no-sign >../build.log 2>&1) ||
    { tail -40 "$work/build.log" >&2; say "dpkg-buildpackage failed; all that it said is in $work/build.log"; exit 1; }
built=$(echo "$work/sscard_${version}"_*.deb)
cp "$built" dist/
echo "dist/${built##*/}"
