#!/bin/bash
# Inside the camera VM: loads one kind of camera after the other and lets the program check itself against it.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin RUST_BACKTRACE=0
{ read -r program; read -r picture; } < /mnt/share/arguments
result=/mnt/share/result
failed=0

phase() {
    echo "== $1, $(cut -d' ' -f1 /proc/uptime) s after power-on" >> "$result"
    timeout 120 "$program" --camera-selftest "$@" >> "$result" 2>&1 || { failed=1; echo "FAIL phase $1" >> "$result"; }
}

phase none

# A webcam and an output node, which must not be taken for a camera.
insmod /mnt/modules/vivid.ko n_devs=1 node_types=0x101 num_inputs=1 input_types=0x0 num_outputs=1 output_types=0x1
sleep 0.5
phase vivid
rmmod vivid

insmod /mnt/modules/v4l2loopback.ko devices=2 video_nr=10,11 card_label=FaceMJPG,FaceYUYV exclusive_caps=1,1
sleep 0.3
phase loop "$picture" /dev/video10 /dev/video11

echo "END $failed" >> "$result"
