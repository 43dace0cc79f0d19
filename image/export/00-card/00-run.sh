#!/bin/bash -e
root=${EXPORT_ROOTFS_DIR}
sed -i 's#^BOOTDEV#LABEL=bootfs#; s#^ROOTDEV#LABEL=rootfs#' "${root}/etc/fstab"
if [ -e "${root}/boot/firmware/cmdline.txt" ]; then
  # The card grows by our own otppi-grow-card.service, whatever the base.
  sed -i -E 's#root=[^ ]*#root=LABEL=rootfs#; s# (resize|quiet|init=[^ ]*)\b##g' "${root}/boot/firmware/cmdline.txt"
fi
true >"${root}/etc/machine-id"
rm -f "${root}/var/lib/dbus/machine-id"
find "${root}/var/log" -type f -delete
unmount "${root}"
"${OTPPI_SOURCE:?}/image/bin/img" "${root}" "${DEPLOY_DIR}/card.img"
