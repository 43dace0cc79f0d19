#!/bin/bash -e
echo "${HOST_NAME}" >"${ROOTFS_DIR}/etc/hostname"
printf '127.0.0.1 localhost\n127.0.1.1 %s\n::1 localhost\n' "${HOST_NAME}" >"${ROOTFS_DIR}/etc/hosts"
