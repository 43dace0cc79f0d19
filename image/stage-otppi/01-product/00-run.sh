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
ln -sfn /usr/lib/otppi/command "${ROOTFS_DIR}/usr/bin/otppi" # of the version that runs: overlays/update
# By which updates are known (image/bin/bundle). Without one the image takes none.
if [ -n "${OTPPI_RELEASE_KEY:-}" ]; then
  install -D -m 644 "${OTPPI_RELEASE_KEY}" "${ROOTFS_DIR}/usr/share/otppi/update-key.pub"
fi
