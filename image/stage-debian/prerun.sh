#!/bin/bash -e
# pi-gen only, where the base is Debian's: from the mirror of pi-gen's own stage0. Our runner makes the root itself.
if [ ! -d "${ROOTFS_DIR}" ]; then
  bootstrap "${RELEASE}" "${ROOTFS_DIR}" "$(sed -n 's/^URIs: *//p' "${BASE_DIR}/stage0/00-configure-apt/files/debian.sources" | head -n 1)"
fi
