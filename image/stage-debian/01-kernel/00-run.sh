#!/bin/bash -e
mkdir -p "${ROOTFS_DIR}/etc/initramfs-tools/conf.d" "${ROOTFS_DIR}/etc/default"
echo 'do_symlinks=0' >"${ROOTFS_DIR}/etc/kernel-img.conf"
echo 'COMPRESS=zstd' >"${ROOTFS_DIR}/etc/initramfs-tools/conf.d/otppi"
# Debian's raspi-firmware writes cmdline.txt anew at each update-initramfs.
printf 'ROOTPART=LABEL=rootfs\nCONSOLES="tty1 ttyS1,115200"\n' >"${ROOTFS_DIR}/etc/default/raspi-firmware"
