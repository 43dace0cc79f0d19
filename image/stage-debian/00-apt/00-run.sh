#!/bin/bash -e
if [ -n "${BASE_DIR:-}" ]; then # pi-gen; our runner finds the sources that the root was made from
  true >"${ROOTFS_DIR}/etc/apt/sources.list"
  sed "s/RELEASE/${RELEASE}/g" "${BASE_DIR}/stage0/00-configure-apt/files/debian.sources" \
    >"${ROOTFS_DIR}/etc/apt/sources.list.d/debian.sources"
fi
# While it is built: no question about a file that is there before its package, and no sync of what may be made again.
printf 'force-confold\nforce-unsafe-io\n' >"${ROOTFS_DIR}/etc/dpkg/dpkg.cfg.d/otppi-build"
printf 'path-exclude=%s\n' '/usr/share/man/*' '/usr/share/locale/*' '/usr/share/doc/*' >"${ROOTFS_DIR}/etc/dpkg/dpkg.cfg.d/otppi"
printf 'path-include=%s\n' '/usr/share/doc/*/copyright' >>"${ROOTFS_DIR}/etc/dpkg/dpkg.cfg.d/otppi"
mkdir -p "${ROOTFS_DIR}/boot/firmware"
on_chroot <<'CHROOT'
apt-get -qq update
CHROOT
