#!/bin/sh
# A virtual environment under STAGE that will lie at ROOM: venv.sh STAGE ROOM. $PYTHON is the Python that runs it.
set -eu
stage=$1 room=$2 to=$1$2
mkdir -p "$stage/usr/bin"
"$PYTHON" -m venv build/tools
"$PYTHON" -m venv --without-pip --symlinks "$to"
build/tools/bin/python -m pip --isolated --disable-pip-version-check --python "$to/bin/python" install --quiet \
    --no-cache-dir --no-compile --no-index --find-links wheels "sscard[all]"

# Nothing says where it was built; what activates an environment in a shell is not needed.
rm -rf "$to"/bin/[Aa]ctivate* "$to/include"
sed -i '/^command = /d' "$to/pyvenv.cfg"
for script in "$to"/bin/*; do
    [ -L "$script" ] || sed -i "1s|^#!$stage|#!|" "$script"
done
# Scripts are no longer what their packages recorded of them.
sed -i '/^\.\.\/\.\.\/\.\.\/bin\//d' "$to"/lib/python*/site-packages/*.dist-info/RECORD
case $(readlink -f "$to/bin/python") in
    /usr/bin/python*) ;;
    *) echo "venv.sh: $PYTHON is not Debian's Python" >&2; exit 1 ;;
esac
if grep -rlF "$stage" "$to"; then
    echo "venv.sh: these files name the folder in which the package is built" >&2
    exit 1
fi
ln -s "../..${room}/bin/sscard" "$stage/usr/bin/sscard"
