#!/usr/bin/env bash
# Sets up what `make` needs: Debian's PC/SC packages where they can be had, then .venv.
#   scripts/setup.sh run|all|dev|site|bench|deep|release   to run the card; every command; to test it as well; to make the
#   documentation's site; to measure it beside vicc; to test all of it; to make a release
# Without root, sudo or apt the Debian part is left out: `sscard` then says what is missing.
set -euo pipefail
cd "$(dirname "$0")/.."
kind=${1:?run, all, dev, site, bench, deep or release}
python=${PYTHON:-python3}
say() { printf '%s\n' "setup: $*" >&2; }

# Debian package -> the file or command that shows it is there already.
missing=()
need() { [ -e "$2" ] || command -v "$2" >/dev/null 2>&1 || missing+=("$1"); }
if command -v apt-get >/dev/null 2>&1; then
    need pcscd /usr/sbin/pcscd
    need vsmartcard-vpcd /usr/lib/pcsc/drivers/serial/libifdvpcd.so
    need libpcsclite-dev /usr/include/PCSC/winscard.h   # pyscard is compiled against it
    need gcc gcc
    # The agent's letter as PDF: Pango sets it, in these two fonts, of which harfbuzz-subset embeds what it uses.
    need libpango-1.0-0 /usr/lib/*/libpango-1.0.so.0
    need libpangoft2-1.0-0 /usr/lib/*/libpangoft2-1.0.so.0
    need libharfbuzz-subset0 /usr/lib/*/libharfbuzz-subset.so.0
    need fonts-arphic-gbsn00lp /usr/share/fonts/truetype/arphic-gbsn00lp/gbsn00lp.ttf
    need fonts-babelstone-han /usr/share/fonts/truetype/babelstone/BabelStoneHan.ttf
    "$python" -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
    header=$("$python" -c 'import sysconfig; print(sysconfig.get_path("include") + "/Python.h")')
    [ -e "$header" ] || missing+=(python3-dev)
    [ "$kind" = bench ] && need vsmartcard-vpicc vicc
    if [ "$kind" != run ] && [ "$kind" != all ] && [ "$kind" != site ]; then
        need opensc opensc-tool
        need pcsc-tools scriptor
        need iproute2 ip
        need postgresql /usr/lib/postgresql/*/bin/postgres   # a register on a server; the tests start their own
        need tshark tshark   # that exported traces are what Wireshark reads
        need zbar-tools zbarimg   # that a QR code is what a scanner reads
        need chromium chromium   # the live page, before a real browser
    fi
    if [ "$kind" = deep ]; then
        need gcc-mingw-w64-x86-64 x86_64-w64-mingw32-gcc   # SSCardDriver.dll, 64- and 32-bit
        need gcc-mingw-w64-i686 i686-w64-mingw32-gcc
        need wine wine
        need wine64 /usr/lib/wine/wine64
        need valgrind valgrind
        need prometheus prometheus   # that it reads what the services count
        need clang clang   # libFuzzer for the C library
        need libclang-rt-dev /usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-*.a
        need nodejs node
        need npm npm
        # The Debian package and the container image: built, and tried in a Debian of their own.
        need debhelper dh
        need python3-dev /usr/include/python3.*/Python.h   # Debian's own, whatever $PYTHON is
        need python3-venv /usr/lib/python3.*/ensurepip
        need dpkg-dev dpkg-buildpackage
        need debootstrap debootstrap
        need buildah buildah
        need lintian lintian
        need mandoc mandoc
        # Programs that no one here wrote, for tests/deep/foreign.
        need libnode-dev /usr/include/node/node.h   # npm's PC/SC packages are compiled
        need g++ g++
        need swig swig   # so is the pyscard that python-emv asks for
        need mono-mcs mcs
        need mono-runtime mono
        need libmono-i18n-cjk4.0-cil /usr/lib/mono/gac/I18N.CJK   # GBK
        need default-jdk-headless javac
        need libjna-java /usr/share/java/jna.jar
        need libpcsc-perl /usr/share/doc/libpcsc-perl/examples/test.pl
    fi
    if [ ${#missing[@]} -gt 0 ]; then
        if [ "$(id -u)" = 0 ]; then as_root=()
        elif command -v sudo >/dev/null 2>&1 && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then as_root=(sudo)
        else as_root=(no)
        fi
        if [ "${as_root[0]-}" = no ]; then
            say "no root and no sudo: left out ${missing[*]}"
        else
            say "installing ${missing[*]} from Debian"
            apt="env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=120"
            # The tests start PostgreSQL servers of their own: Debian's package shall make none, and start none. Whoever installs
            # another version later has the usual.
            [[ " ${missing[*]} " == *" postgresql "* ]] && no_server=/etc/postgresql-common/createcluster.d/sscard-setup.conf
            [ -z "${no_server-}" ] || "${as_root[@]}" sh -c "mkdir -p ${no_server%/*} && echo 'create_main_cluster = false' >$no_server" ||
                say "$no_server could not be written: PostgreSQL will be started"
            { "${as_root[@]}" $apt update && "${as_root[@]}" $apt install -y --no-install-recommends "${missing[@]}"; } >&2 ||
                say "apt-get could not install ${missing[*]}: going on without"
            [ -z "${no_server-}" ] || "${as_root[@]}" rm -f "$no_server"
        fi
    fi
fi

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    { say "Python 3.11 or newer is needed, $("$python" --version) found; name another with PYTHON=…"; exit 1; }
[ -x .venv/bin/python ] || "$python" -m venv .venv ||
    { say "no virtual environment could be made: install python3-venv (Debian) and try again"; exit 1; }
# PC/SC is compiled: everything else works without, and is installed without where it cannot be built.
all=adapter,cluster,conformance,office,postgres,web
case "$kind" in
    run) extra=conformance ;;
    all) extra=$all ;;
    site) extra=conformance,site ;;
    bench) extra=$all,dev,bench ;;
    deep) extra=$all,dev,site ;;
    release) extra=$all,dev,site,release ;;
    *) extra=$all,dev ;;
esac
# What is used is compiled when it is: most of what comes never is.
pip=(.venv/bin/python -m pip --disable-pip-version-check install --quiet --no-compile)
# uv needs a fifth of pip's time. It reads none of pip's configuration: an index that is set there is named to it.
index=${PIP_INDEX_URL:-$(.venv/bin/python -m pip config get global.index-url 2>/dev/null || true)}
uv=(.venv/bin/python -m uv pip install --quiet --python .venv/bin/python ${index:+--default-index "$index"})
uv_range=$(sed -n 's/^ *"\(uv>=[^"]*\)".*/\1/p' pyproject.toml)
say "Python packages into .venv"
if [ -n "${PIP_NO_INDEX-}" ]; then
    uv=(false)
elif ! "${pip[@]}" "$uv_range" 2>/dev/null; then
    say "uv could not be had: pip installs, which takes longer"
    uv=(false)
fi
fetch() { "${uv[@]}" "$@" || "${pip[@]}" "$@"; }
if [ -e /usr/include/PCSC/winscard.h ] || [ "$(uname -s)" != Linux ]; then
    fetch --editable ".[$extra,pcsc]" || {
        say "pyscard could not be built: going on without PC/SC"
        fetch --editable ".[$extra]"
    }
else
    fetch --editable ".[$extra]"
fi
if [ "$kind" = deep ]; then
    fetch --editable '.[fuzz]' || say "Atheris could not be had from PyPI: fuzzing by coverage will fail"
    # Not by the tests: they have no network.
    mkdir -p build/node && cp tests/deep/package.json build/node/
    (cd build/node && npm install --no-audit --no-fund --ignore-scripts --loglevel=error &&
        npm rebuild --nodedir=/usr --loglevel=error smartcard pcsclite @pokusew/pcsclite) >&2 ||
        say "koffi or PC/SC packages could not be had from npm: their tests will fail"
    scripts/foreign.sh
    # An environment for each Python that is here, with what the wheel needs: tests/deep/test_packages.py puts the wheel in.
    for other in python3.11 python3.12 python3.13 python3.14 python3.15 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.1[1-9].*/bin/python3.1?; do
        name=build/pythons/$(basename "$other")
        "$other" -c 'import ensurepip' 2>/dev/null || continue
        { [ -x "$name/bin/python" ] || "$other" -m venv "$name"; } &&
            .venv/bin/python -m uv pip install --quiet --python "$name/bin/python" --constraint requirements-dev.txt \
                --requirement pyproject.toml --extra all pytest || { say "left out: $other"; rm -rf "$name"; }
    done
    [ -d build/debian-root ] || scripts/debian_root.sh build/debian-root ||
        say "a clean Debian could not be made (debootstrap, as root): the tests of the Debian package will fail"
    [ -d build/wine32 ] || scripts/wine32.sh build/wine32 ||
        say "Debian's 32-bit wine could not be had: the 32-bit DLLs are not tried"
    [ -d build/windows-python ] || scripts/windows_python.sh build/windows-python ||
        say "Python for Windows could not be had from PyPI: the tests of sscard on Windows will fail"
fi
