#!/bin/bash -e
on_chroot -c "dpkg-query -W -f '\${Package}\t\${Version}\t\${Architecture}\n'" >"${OTPPI_OUT:?}/packages.tsv"
# Empty, not "uninitialized": the id is made per device all the same, and no preset is applied to every unit at first boot.
true >"${ROOTFS_DIR}/etc/machine-id"
# A boot partition that a power cut has torn is no reason to stop: nobody could log in to mend it.
# And it is root's: passphrase and code stand there until there is an administrator, and the settings of the card.
sed -i -E -e '/\s\/boot\/firmware\s/ s/(vfat\s+\S+)/\1,nofail/' \
  -e '/\s\/boot\/firmware\s.*umask=/! s/(\s\/boot\/firmware\s+vfat\s+\S+)/\1,umask=0077/' "${ROOTFS_DIR}/etc/fstab"
rm -f "${ROOTFS_DIR}/var/lib/dbus/machine-id" "${ROOTFS_DIR}/var/lib/systemd/random-seed"
# Last: what systemd does at the first boot after /usr has changed is done already.
touch "${ROOTFS_DIR}/etc/.updated" "${ROOTFS_DIR}/var/.updated"
if [ -d "${ROOTFS_DIR}/usr/lib/modules" ] && [ ! -e "${ROOTFS_DIR}/boot/firmware/cmdline.txt" ]; then # no initramfs was made
  echo 'console=tty1 root=LABEL=rootfs rootfstype=ext4 rootwait' >"${ROOTFS_DIR}/boot/firmware/cmdline.txt"
fi
