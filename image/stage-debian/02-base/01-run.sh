#!/bin/bash -e
cat >"${ROOTFS_DIR}/etc/fstab" <<'TXT'
proc            /proc          proc  defaults                    0 0
LABEL=bootfs    /boot/firmware vfat  defaults,noatime,umask=0077 0 2
LABEL=rootfs    /              ext4  defaults,noatime,commit=30  0 1
TXT
