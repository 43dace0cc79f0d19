#!/bin/bash -e
# The product: what image/bin/product has put together for this architecture, and an environment that sees Debian's D-Bus.
arch=$(on_chroot -c 'dpkg --print-architecture')
site=${ROOTFS_DIR}/opt/otppi/lib/python${PYTHON_VERSION}/site-packages
rm -rf "${ROOTFS_DIR}/opt/otppi"
on_chroot -c 'python3 -m venv --without-pip --system-site-packages /opt/otppi'
cp -R --no-preserve=ownership "${OTPPI_PRODUCT:?}/${arch}/." "${site}/"
# Compiled once for all: what is compiled never looks at its source, which nobody changes, nor at a clock that may be wrong.
on_chroot -c "/opt/otppi/bin/python -m compileall -q -j0 --invalidation-mode unchecked-hash /opt/otppi/lib/python${PYTHON_VERSION}/site-packages"
cat >"${ROOTFS_DIR}/opt/otppi/bin/otppi" <<'TXT'
#!/opt/otppi/bin/python -I
import sys

from otppi.cli.main import main

sys.exit(main())
TXT
chmod 755 "${ROOTFS_DIR}/opt/otppi/bin/otppi"
ln -sfn /opt/otppi/bin/otppi "${ROOTFS_DIR}/usr/bin/otppi"
