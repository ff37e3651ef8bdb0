#!/bin/sh
# What completes commands in bash, zsh and fish, as the program itself says it: completions.sh STAGE ROOM.
set -eu
stage=$1 room=$2
say() {
    mkdir -p "$stage/usr/share/${2%/*}"
    _SSCARD_COMPLETE=$1_source PYTHONDONTWRITEBYTECODE=1 "$stage$room/bin/python" -P "$stage$room/bin/sscard" >"$stage/usr/share/$2"
}
say bash bash-completion/completions/sscard
say zsh zsh/vendor-completions/_sscard
say fish fish/vendor_completions.d/sscard.fish
