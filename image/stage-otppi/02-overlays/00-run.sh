#!/bin/bash -e
for role in "${OTPPI_SOURCE:?}"/overlays/*/; do
  cp -R --no-preserve=ownership "${role}." "${ROOTFS_DIR}/"
done
# Of the plugins: which devices are theirs.
find "${OTPPI_SOURCE}/plugins" -path '*/udev/*.rules' -exec install -m 644 -t "${ROOTFS_DIR}/etc/udev/rules.d" {} +
install -d "${ROOTFS_DIR}/usr/share/doc/otppi"
install -m 644 -t "${ROOTFS_DIR}/usr/share/doc/otppi" "${OTPPI_SOURCE}/README.md" "${OTPPI_SOURCE}/LICENSE" \
  "${OTPPI_SOURCE}"/docs/{firewall,hardware,image,mobile-internet,network,reset}.md # units name them as their documentation
# git keeps no modes but one bit.
find "${OTPPI_SOURCE}/overlays" -type d -printf '%P\n' | cut -s -d/ -f2- | while read -r folder; do
  chmod 755 "${ROOTFS_DIR}/${folder}"
done
# The first boot would make it root's alone, and the gateway reads there which ports are kept.
install -d -m 755 "${ROOTFS_DIR}/etc/otppi"
chmod 755 "${ROOTFS_DIR}"
chmod 700 "${ROOTFS_DIR}/etc/NetworkManager/system-connections"
