#!/usr/bin/env bash
# Fetches the pictures that practice and tests use, and checks them against assets/practice.toml.
#
#   packaging/setup/pictures.sh [FOLDER]        (default: var/pictures)
#
# Sources, each by its ordinary client: PyPI's source archive of face_recognition, PyPI's wheel of scikit-image, and the
# documentation inside Debian's package libdlib19.1. A second run only compares digests. Nothing outside FOLDER is changed.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
folder=${1:-$root/var/pictures}
manifest=$root/assets/practice.toml

# "sha256  name" for every file of the manifest whose source is $1 (or for all).
listed() {
    awk -v want="${1:-}" '
        function value() { split($0, part, "\""); return part[2] }
        /^\[\[/        { in_files = ($0 == "[[files]]") }
        !in_files      { next }
        /^name = /     { name = value() }
        /^from = /     { from = value() }
        /^sha256 = /   { if (want == "" || want == from) print value() "  " name }
    ' "$manifest"
}

complete() { (cd "$folder" 2>/dev/null && listed "${1:-}" | sha256sum --check --status 2>/dev/null); }

[ "$(listed | wc -l)" -gt 0 ] || { echo "pictures: no files are listed in $manifest" >&2; exit 1; }
if complete; then
    echo "pictures: all $(listed | wc -l) are in $folder"
    exit 0
fi

mkdir -p "$folder"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

pip() {
    if python3 -m pip --version >/dev/null 2>&1; then
        python3 -m pip "$@"
    else
        [ -x "$work/venv/bin/pip" ] || python3 -m venv "$work/venv"
        "$work/venv/bin/pip" "$@"
    fi
}

# Copies the files of one source out of an unpacked tree, wherever they lie in it.
take() {
    listed "$1" | while read -r _ name; do
        found=$(find "$2" -type f -name "$name" -print -quit)
        [ -n "$found" ] || { echo "pictures: $name is not in $1" >&2; exit 1; }
        install -m 0644 "$found" "$folder/$name"
    done
    complete "$1" || { echo "pictures: a file of $1 is not the pinned one" >&2; exit 1; }
}

if ! complete face_recognition; then
    echo "face_recognition==1.3.0 --hash=sha256:5e5efdd1686aa566af0d3cc1313b131e4b197657a8ffd03669e6d3fad92705ec" \
        > "$work/want.txt"
    pip --disable-pip-version-check --quiet download --no-deps --no-binary face_recognition --dest "$work" \
        --requirement "$work/want.txt"
    mkdir "$work/fr" && tar -xzf "$work"/face_recognition-1.3.0.tar.gz -C "$work/fr"
    take face_recognition "$work/fr"
fi

if ! complete scikit-image; then
    pip --disable-pip-version-check --quiet download --no-deps --only-binary :all: --dest "$work" \
        --python-version 3.11 --implementation cp --platform manylinux2014_x86_64 scikit-image==0.25.2
    mkdir "$work/ski" && python3 -m zipfile -e "$work"/scikit_image-*.whl "$work/ski"
    take scikit-image "$work/ski/skimage/data"
fi

if ! complete libdlib19.1; then
    # Where the documentation of packages is not left out, it may already be on this machine.
    faces=/usr/share/doc/libdlib19.1/examples/faces
    if [ ! -d "$faces" ]; then
        (cd "$work" && apt-get download libdlib19.1 >/dev/null && dpkg-deb -x libdlib19.1_*.deb dlib)
        faces=$work/dlib/usr/share/doc/libdlib19.1/examples/faces
    fi
    take libdlib19.1 "$faces"
fi

complete || { echo "pictures: something is missing in $folder" >&2; exit 1; }
echo "pictures: fetched $(listed | wc -l) into $folder"
