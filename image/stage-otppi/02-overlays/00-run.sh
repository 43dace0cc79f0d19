#!/bin/bash -e
for role in "${OTPPI_OVERLAYS:?}"/*/; do
  cp -R --no-preserve=ownership "${role}." "${ROOTFS_DIR}/"
done
