# shellcheck shell=bash disable=SC2086
# An initramfs takes four minutes under emulation, and a kernel's installation makes two: it is made once, at the end, and
# only for a card (03-finish of stage-otppi); the virtual machine boots with image/bin/qemu-initrd's.
sed -i 's/^update_initramfs=.*/update_initramfs=no/' /etc/initramfs-tools/update-initramfs.conf
export INITRD=No
case $(dpkg --print-architecture) in
  arm64) kernel='linux-image-arm64 raspi-firmware firmware-brcm80211' ;;
  *) kernel='' ;; # the twin runs on the host's
esac
[ -z "$kernel" ] || apt-get -qq -o Dpkg::Use-Pty=0 install -y --no-install-recommends $kernel >&2
