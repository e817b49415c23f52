#!/bin/bash
# Inside the camera VM: loads one kind of camera after the other and lets the program check itself against it.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin RUST_BACKTRACE=0 MENKA_LOG=off
{
    read -r program; read -r picture; read -r MENKA_MODELS; read -r MENKA_PICTURES; read -r chaos; read -r MENKA_CHAOS_LIBRARY
} < /mnt/share/arguments
export MENKA_MODELS MENKA_PICTURES MENKA_CHAOS_LIBRARY
result=/mnt/share/result
failed=0

phase() {
    local limit_s=$1
    shift
    echo "== $1, $(cut -d' ' -f1 /proc/uptime) s after power-on" >> "$result"
    timeout "$limit_s" "$program" --camera-selftest "$@" >> "$result" 2>&1 || { failed=1; echo "FAIL phase $1" >> "$result"; }
}

phase 120 none

# A webcam and an output node, which must not be taken for a camera.
insmod /mnt/modules/vivid.ko n_devs=1 node_types=0x101 num_inputs=1 input_types=0x0 num_outputs=1 output_types=0x1
sleep 0.5
phase 120 vivid
rmmod vivid

loop="insmod /mnt/modules/v4l2loopback.ko devices=2 video_nr=10,11 card_label=FaceMJPG,FaceYUYV exclusive_caps=1,1"
$loop
sleep 0.3
phase 120 loop "$picture" /dev/video10 /dev/video11

# A whole visit with a known face before the camera; the gate of the visit listens on this machine itself.
# Its camera is a fresh one: a loopback node keeps the format that was played into it last.
rmmod v4l2loopback
$loop
sleep 0.3
ip link set lo up
ip address add 10.0.2.15/24 dev eth0
ip link set eth0 up
export MENKA_ENGINE=/mnt/share/relay.py
mkdir -p /mnt/work
insmod /mnt/modules/menka_gpio.ko
phase 1200 face /mnt/work /dev/video10 "rmmod v4l2loopback" "$loop" /dev/gpiochip0 /sys/module/menka_gpio/parameters

# The network section of the chaos tests on a line that this kernel makes bad (tests/chaos): every act that reaches a gate, with faces that were
# learnt outside (run.sh). What the kernel says it dropped comes after it.
if insmod /mnt/modules/sch_netem.ko && tc qdisc add dev lo root netem delay 15ms 8ms loss 3% duplicate 1% reorder 20%; then
    echo "== netem, $(cut -d' ' -f1 /proc/uptime) s after power-on" >> "$result"
    export MENKA_CHAOS_GATE=$program MENKA_CHAOS_FACES=/mnt/share/faces
    timeout 1500 "$chaos" netem >> "$result" 2>&1 || { failed=1; echo "FAIL phase netem" >> "$result"; }
    tc -s qdisc show dev lo | tr '\n' ' ' | sed 's/^/netem: /' >> "$result"
    echo >> "$result"
    echo "netem ended $(cut -d' ' -f1 /proc/uptime) s after power-on" >> "$result"
else
    failed=1
    echo "FAIL netem does not load" >> "$result"
fi

echo "END $failed" >> "$result"
