#!/bin/bash -e
on_chroot -c "dpkg-query -W -f '\${db:Status-Status} \${Package}\t\${Version}\t\${Architecture}\n' | sed -n 's/^installed //p'" \
  >"${OTPPI_OUT:?}/packages.tsv"
# To take out what a base has too much of may take with it what needs it.
sed 's/#.*//' ../00-packages/00-packages-nr | xargs -n 1 | while read -r package; do
  grep -q "^${package}	" "${OTPPI_OUT}/packages.tsv" || { echo "the package ${package} is not in the image any more" >&2; exit 1; }
done
# Empty, not "uninitialized": the id is made per device all the same, and no preset is applied to every unit at first boot.
true >"${ROOTFS_DIR}/etc/machine-id"
# A boot partition that a power cut has torn is no reason to stop: nobody could log in to mend it. And only root reads what it
# tells of the device.
sed -i -E '/\s\/boot\/firmware\s/ { s/,?umask=[0-7]+//; s/(vfat\s+\S+)/\1,nofail,umask=0077/ }' "${ROOTFS_DIR}/etc/fstab"
rm -f "${ROOTFS_DIR}/var/lib/dbus/machine-id" "${ROOTFS_DIR}/var/lib/systemd/random-seed"
# Last: what systemd does at the first boot after /usr has changed is done already.
touch "${ROOTFS_DIR}/etc/.updated" "${ROOTFS_DIR}/var/.updated"
if [ -d "${ROOTFS_DIR}/usr/lib/modules" ] && [ ! -e "${ROOTFS_DIR}/boot/firmware/cmdline.txt" ]; then # no initramfs was made
  echo 'console=tty1 root=LABEL=rootfs rootfstype=ext4 rootwait' >"${ROOTFS_DIR}/boot/firmware/cmdline.txt"
fi
