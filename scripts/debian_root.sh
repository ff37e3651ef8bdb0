#!/usr/bin/env bash
# A clean Debian 12 in which the Debian package is tried: scripts/debian_root.sh FOLDER, as root. It gets what the package
# depends on and recommends, and the shells whose completion is tried; the package itself is not in it.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=${1:?the folder, which is not there yet}
debs=$PWD/build/debs
mkdir -p "$debs"
depends() { sed -n "/^$1:/,/^[^ ]/s/^ \([a-z0-9.+-]*\),\$/\1/p" packaging/debian/control; }
debootstrap --variant=minbase --cache-dir="$debs" bookworm "$folder.part" "${MIRROR:-http://deb.debian.org/debian}" >/dev/null
printf '#!/bin/sh\nexit 101\n' >"$folder.part/usr/sbin/policy-rc.d" # nothing is started
chmod +x "$folder.part/usr/sbin/policy-rc.d"
cp /etc/resolv.conf "$folder.part/etc/resolv.conf"
# The machine's own /proc would stay mounted: a namespace takes it along when it ends.
# shellcheck disable=SC2046 # names of packages
unshare --mount --propagation private sh -ec '
    folder=$1 debs=$2; shift 2
    mount -t proc proc "$folder/proc"
    mount --bind "$debs" "$folder/var/cache/apt/archives"
    export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin
    chroot "$folder" apt-get -q update
    chroot "$folder" apt-get -q install -y --no-install-recommends "$@"
' sh "$folder.part" "$debs" $(depends Depends) $(depends Recommends) python3 init-system-helpers libstdc++6 zlib1g \
    systemd man-db bash-completion zsh fish >&2
mv "$folder.part" "$folder"
