#!/usr/bin/env bash
# Fetches into build/foreign what tests/deep/foreign runs of other people's clients and Debian does not have as a program:
# python-emv with the packages that it pins, and the sources of pyscard and pcsc-lite for their own tests.
# Called by setup.sh.
set -uo pipefail
cd "$(dirname "$0")/.."
say() { printf '%s\n' "setup: $*" >&2; }
mkdir -p build/foreign

# A Python of its own: it pins other versions than ours.
emv=1.0.14
{ [ -x build/foreign/python/bin/python ] || "${PYTHON:-python3}" -m venv build/foreign/python; } &&
    build/foreign/python/bin/python -m pip --disable-pip-version-check install --quiet "emv==$emv" ||
    say "python-emv could not be had from PyPI: its tests will fail"

# The tests of the version that is installed. pip names the folder after it.
pyscard() {
    local version
    version=$(.venv/bin/python -c 'from importlib.metadata import version; print(version("pyscard"))') &&
        .venv/bin/python -m pip --disable-pip-version-check download --quiet --no-deps --no-binary pyscard \
            --dest build/foreign "pyscard==$version" &&
        mkdir -p build/foreign/pyscard &&
        tar -xf "build/foreign/pyscard-$version.tar.gz" -C build/foreign/pyscard --strip-components 1
}
pyscard || say "pyscard's source could not be had from PyPI: its own tests will fail"

# Lists of Debian's sources beside the machine's own, which stay as they are.
pcsc_lite() (
    mkdir -p build/foreign/apt/lists/partial build/foreign/pcsc-lite && cd build/foreign/apt || return
    apt-get indextargets 'Identifier: Packages' 'Origin: Debian' \
        --format 'deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(SITE) $(RELEASE) $(COMPONENT)' | sort -u >sources
    apt="apt-get -qq -o Dir::Etc::SourceList=$PWD/sources -o Dir::Etc::SourceParts=/dev/null
        -o Dir::State::Lists=$PWD/lists -o APT::Sandbox::User=$(id -un)"
    $apt update && $apt source --tar-only --download-only pcsc-lite &&
        tar -xf pcsc-lite_*.orig.tar.* -C ../pcsc-lite --wildcards --strip-components 2 '*/src/testpcsc.c'
) 1>&2
pcsc_lite || say "pcsc-lite's source could not be had from Debian: its own test will fail"
