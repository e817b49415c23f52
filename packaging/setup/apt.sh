#!/bin/sh
# Installs the Debian packages that Menka is built, run and tested with. Does nothing when they are there.
set -eu

build="build-essential pkg-config libssl-dev libdlib-dev libopenblas-dev liblapack-dev libclang-dev clang libpcsclite-dev libtss2-dev
  linux-libc-dev python3 python3-venv python3-pip ca-certificates"
run="pcscd libx11-6 libx11-xcb1 libxcursor1 libxi6 libxrandr2 libxkbcommon0 libxkbcommon-x11-0 libdbus-1-3 libopenblas0 libtss2-esys-3.0.2-0 libtss2-tctildr0 libtss2-tcti-device0
  fonts-noto-cjk"
test="strace iproute2 xvfb xauth openbox xdotool xclip x11-utils x11-xserver-utils imagemagick poppler-utils zbar-tools vsmartcard-vpcd
  dbus-daemon xdg-desktop-portal xdg-desktop-portal-gtk swtpm swtpm-tools tpm2-tools libtss2-tcti-swtpm0
  speech-dispatcher speech-dispatcher-espeak-ng espeak-ng libasound2-plugins cups-daemon cups-client"
case "${1:-all}" in
  run) wanted="$build $run" ;;
  *) wanted="$build $run $test" ;;
esac

missing=""
for package in $wanted; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package"
done
if [ -n "$missing" ]; then
  as_root=""
  [ "$(id -u)" = 0 ] || as_root="sudo"
  echo "installing:$missing"
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq
  # shellcheck disable=SC2086
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
fi
