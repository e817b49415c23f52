#!/bin/sh
# First program of the camera VM: joins the host's root folder (read-only, changes go to memory) and runs the guest script in it.
export PATH=/bin
busybox mount -t proc proc /proc
busybox mount -t sysfs sys /sys
busybox mount -t devtmpfs dev /dev
for module in $(busybox cat /modules/order); do
    busybox insmod "/modules/$module" || echo "insmod $module failed"
done
busybox mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,cache=loose,ro host /host || echo "no host folder"
busybox mount -t tmpfs rw /rw && busybox mkdir /rw/upper /rw/work
busybox mount -t overlay -o lowerdir=/host,upperdir=/rw/upper,workdir=/rw/work root /newroot || echo "no overlay"
for folder in proc sys dev; do
    busybox mount -o bind "/$folder" "/newroot/$folder"
done
busybox mount -t tmpfs mnt /newroot/mnt
busybox mkdir -p /newroot/mnt/share /newroot/mnt/modules
busybox mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000 share /newroot/mnt/share || echo "no share"
busybox cp /modules/vivid.ko /modules/v4l2loopback.ko /modules/menka_gpio.ko /modules/sch_netem.ko /newroot/mnt/modules/
busybox chroot /newroot /bin/bash /mnt/share/guest.sh
busybox sync
busybox poweroff -f
