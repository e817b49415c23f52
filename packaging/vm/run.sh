#!/usr/bin/env bash
# Runs the real camera adapter against real V4L2 devices in a small virtual machine (`make test-camera`, a few minutes; many on a busy machine).
#
# The machine is Debian's kernel (unpacked, not installed), a busybox initramfs and this machine's own root folder, shared read-only:
# the program under test is menka-gate with its hidden `--camera-selftest`. `vivid` and `v4l2loopback` are the cameras; at the end a known
# face goes through one of them into a template and to a gate, and opens that gate's door: a line of a GPIO chip of our own (menka_gpio.c, built
# here, since Debian's kernel has neither gpio-sim nor gpio-mockup). Last comes the network section of the chaos tests, cards and faces, on a line
# that the machine's kernel makes bad (sch_netem). What is downloaded stays in var/vm.
# Only the engine child runs outside, by this machine's own processor: emulated, one look takes over ten seconds, and the desk gives up on an
# engine that slow. Its two pipes are carried by relay.py over a network that leads to that one process and nowhere else.
# Always software emulation: a /dev/kvm that opens is no promise that a guest boots.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
state=$root/var/vm
limit_s=${MENKA_VM_LIMIT:-2400}

need() {
    local missing=()
    command -v qemu-system-x86_64 >/dev/null || missing+=(qemu-system-x86)
    command -v busybox >/dev/null || missing+=(busybox-static)
    command -v cpio >/dev/null || missing+=(cpio)
    command -v tc >/dev/null || missing+=(iproute2)
    command -v modprobe >/dev/null || missing+=(kmod)
    command -v make >/dev/null || missing+=(make)
    command -v gcc >/dev/null || missing+=(gcc)
    [ ${#missing[@]} -eq 0 ] && return
    install_packages "${missing[@]}"
}

install_packages() {
    [ "$(id -u)" -eq 0 ] || { echo "camera vm: please install: $*" >&2; exit 2; }
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" >/dev/null
}

fetch_kernel() {
    [ -s "$state/version" ] && [ -s "$state/v4l2loopback.ko" ] && return
    rm -rf "$state/work" && mkdir -p "$state/work"
    local package version
    package=$(apt-cache depends linux-image-amd64 | awk '/Depends: linux-image-/ { print $2; exit }')
    version=${package#linux-image-}
    (cd "$state/work" && apt-get download -q "$package" v4l2loopback-dkms 2>/dev/null >/dev/null)
    rm -rf "$state/kernel" && dpkg-deb -x "$state/work/$package"_*.deb "$state/kernel"
    depmod -b "$state/kernel" "$version"
    [ -d "/usr/src/linux-headers-$version" ] || install_packages "linux-headers-$version"
    dpkg-deb -x "$state"/work/v4l2loopback-dkms_*.deb "$state/work/loopback"
    local source
    source=$(echo "$state"/work/loopback/usr/src/v4l2loopback-*)
    make -s -C "/usr/src/linux-headers-$version" "M=$source" "KERNELRELEASE=$version" modules >/dev/null 2>&1
    install -m 0644 "$source/v4l2loopback.ko" "$state/v4l2loopback.ko"
    echo "$version" > "$state/version"
    rm -rf "$state/work"
}

# The GPIO chip at the gate's door.
make_gpio() {
    [ "$state/menka_gpio.ko" -nt "$here/menka_gpio.c" ] && return
    [ -d "/usr/src/linux-headers-$version" ] || install_packages "linux-headers-$version"
    rm -rf "$state/work" && mkdir -p "$state/work"
    cp "$here/menka_gpio.c" "$state/work/"
    echo 'obj-m := menka_gpio.o' > "$state/work/Makefile"
    make -s -C "/usr/src/linux-headers-$version" "M=$state/work" modules >/dev/null 2>&1
    install -m 0644 "$state/work/menka_gpio.ko" "$state/menka_gpio.ko"
    rm -rf "$state/work"
}

# Modules in the order in which they must be loaded; the cameras themselves are loaded by the guest, later.
modules_for() {
    modprobe -d "$state/kernel" -S "$version" --show-depends "$1" | awk '$1 == "insmod" { print $2 }'
}

make_initramfs() {
    local tree=$state/tree
    rm -rf "$tree" && mkdir -p "$tree"/{bin,proc,sys,dev,host,rw,newroot,modules}
    cp "$(command -v busybox)" "$tree/bin/busybox" && ln -s busybox "$tree/bin/sh"
    local module file
    for module in virtio_pci virtio_net 9p 9pnet_virtio overlay vivid sch_netem; do
        for file in $(modules_for "$module"); do
            local name
            name=$(basename "$file")
            [ -e "$tree/modules/$name" ] && continue
            cp "$file" "$tree/modules/$name" && strip --strip-debug "$tree/modules/$name"
            case "$name" in vivid.ko | sch_netem.ko) continue ;; esac
            echo "$name" >> "$tree/modules/order"
        done
    done
    cp "$state/v4l2loopback.ko" "$state/menka_gpio.ko" "$tree/modules/"
    install -m 0755 "$here/init.sh" "$tree/init"
    (cd "$tree" && find . | cpio -o -H newc --quiet | gzip -1) > "$state/initramfs.gz"
    rm -rf "$tree"
}

need
mkdir -p "$state/share"
fetch_kernel
version=$(cat "$state/version")
make_gpio
make_initramfs

# Our own code optimised (MENKA_VM_BUILT=1: as built before), or emulation makes two frames a second of it; the dependencies are the daily build's.
program=$state/menka-gate chaos=$state/chaos
if [ -z "${MENKA_VM_BUILT:-}" ]; then
    export CARGO_PROFILE_DEV_OPT_LEVEL=2
    (
        cd "$root"
        cargo build --quiet --features practice --bin menka-gate
        install -m 0755 target/debug/menka-gate "$program"
        built=$(cargo test --features practice --test chaos --no-run 2>&1 | sed -n 's/.*Executable .*(\(.*\))$/\1/p')
        install -m 0755 "$built" "$chaos"
    )
    unset CARGO_PROFILE_DEV_OPT_LEVEL
fi
cc -O1 -Wall -shared -fPIC -o "$state/fault.so" "$root/tests/chaos/fault.c" -ldl -lpthread
models=${MENKA_MODELS:-$root/var/models}
pictures=${MENKA_PICTURES:-$root/var/pictures}
"$root/packaging/setup/models.sh" "$models" >/dev/null
"$root/packaging/setup/pictures.sh" "$pictures" >/dev/null
install -m 0755 "$here/guest.sh" "$here/relay.py" "$state/share/"
# What the camera shows and the engine says of each practice person is learnt here, since an emulated engine takes minutes a face.
rm -rf "$state/share/faces" && mkdir -p "$state/share/faces"
MENKA_MODELS=$models MENKA_PICTURES=$pictures MENKA_CHAOS_FACES=$state/share/faces MENKA_CHAOS_GATE=$program MENKA_CHAOS_LIBRARY=$state/fault.so \
    "$chaos" netem enroll > "$state/faces.log" 2>&1 || { cat "$state/faces.log" >&2; exit 1; }
printf '#!/bin/sh\nexec "%s" --face-engine sface --models "%s"\n' "$program" "$models" > "$state/engine"
chmod 0755 "$state/engine"
printf '%s\n' "$program" "$pictures/obama.jpg" "$models" "$pictures" "$chaos" "$state/fault.so" > "$state/share/arguments"
: > "$state/share/result"

began=$(date +%s)
timeout "$limit_s" qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp 2 -m 2048 \
    -nodefaults -display none -no-reboot -monitor none -serial "file:$state/console" \
    -kernel "$state/kernel/boot/vmlinuz-$version" -initrd "$state/initramfs.gz" \
    -append "console=ttyS0 quiet panic=-1 mitigations=off" \
    -netdev "user,id=lan,restrict=on,guestfwd=tcp:10.0.2.100:1234-cmd:$state/engine" -device virtio-net-pci,netdev=lan \
    -virtfs local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap \
    -virtfs "local,path=$state/share,mount_tag=share,security_model=none" || true

cat "$state/share/result"
if grep -q '^FAIL' "$state/share/result" || ! grep -q '^END 0$' "$state/share/result"; then
    echo "camera vm: not passed; the machine's own words are in $state/console" >&2
    tail -n 15 "$state/console" >&2 || true
    exit 1
fi
grep ' similarity: ' "$state/share/result"
echo "camera vm: passed, $(grep -c '^ok' "$state/share/result") checks, kernel $version, $(($(date +%s) - began)) s"
