#!/usr/bin/env bash
# The container image localhost/sscard:VERSION, by buildah, as root: scripts/image.sh (docs/container.md). It is made of
# dist/sscard_VERSION_*.deb; and dist/sscard-VERSION.docker.tar, for docker load or podman load, is written.
#   BASE      an image to build on instead of a Debian 12 that debootstrap makes
#   MIRROR    where debootstrap gets it, as https://snapshot.debian.org/archive/debian/20261101T000000Z for the same again
#   BUILDAH   buildah with options of its own, as "buildah --root DIR --storage-driver vfs"
set -euo pipefail
cd "$(dirname "$0")/.."
say() { printf '%s\n' "image: $*" >&2; }
read -ra buildah <<<"${BUILDAH:-buildah}"
work=build/image
version=$(python3 -c 'from emulator.version import VERSION; print(VERSION)')
ls "dist/sscard_${version}"_*.deb >/dev/null 2>&1 || { say "dist/sscard_${version}_*.deb is missing: make deb"; exit 1; }
command -v "${buildah[0]}" >/dev/null || { say "buildah is missing: apt-get install buildah"; exit 1; }
epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || stat -c %Y pyproject.toml)}
mkdir -p "$work/debs"

base=${BASE-}
if [ -z "$base" ]; then
    base=localhost/sscard-base:12
    if [ ! -e "$work/base.tar" ]; then
        command -v debootstrap >/dev/null || { say "debootstrap is missing: apt-get install debootstrap, or set BASE"; exit 1; }
        say "Debian 12 by debootstrap"
        rm -rf "$work/base"
        debootstrap --variant=minbase --cache-dir="$PWD/$work/debs" bookworm "$work/base" \
            "${MIRROR:-http://deb.debian.org/debian}" >"$work/debootstrap.log"
        rm -rf "$work"/base/var/{cache,log}/* "$work"/base/var/lib/apt/lists/*
        tar --create --sort=name --mtime="@$epoch" --numeric-owner --one-file-system --file "$work/base.part" -C "$work/base" .
        rm -rf "$work/base"
        mv "$work/base.part" "$work/base.tar"
    fi
    from=$("${buildah[@]}" from scratch)
    "${buildah[@]}" add --quiet "$from" "$work/base.tar" / >/dev/null
    "${buildah[@]}" commit --quiet --rm --timestamp "$epoch" "$from" "$base" >/dev/null
fi

say "the image, on $base"
# Isolated by chroot alone, as it works within a container too; nothing but Debian's packages is run.
"${buildah[@]}" build --isolation chroot --format docker --timestamp "$epoch" --build-arg BASE="$base" \
    --build-arg VERSION="$version" --build-arg REVISION="$(git rev-parse HEAD 2>/dev/null || echo unknown)" \
    --file Containerfile --tag "localhost/sscard:$version" --ignorefile .containerignore . >"$work/build.log" 2>&1 ||
    { tail -30 "$work/build.log" >&2; say "buildah failed; all that it said is in $work/build.log"; exit 1; }
rm -f "dist/sscard-$version.docker.tar"
"${buildah[@]}" push --quiet "localhost/sscard:$version" "docker-archive:dist/sscard-$version.docker.tar:localhost/sscard:$version"
echo "localhost/sscard:$version, dist/sscard-$version.docker.tar"
