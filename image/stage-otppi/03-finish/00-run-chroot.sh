# shellcheck shell=bash
systemd-sysusers
systemctl preset-all                     # the preset's file is the list of what runs
systemctl mask systemd-firstboot.service # it would ask at the console
passwd -l root >/dev/null
# Nobody logs in, and what needs root is started by systemd: no program lends its owner's rights, after updates neither.
find / -xdev -perm /6000 -type f | while read -r program; do
  dpkg-statoverride --quiet --update --force-statoverride-add --add root root 0755 "$program"
done
! id otppi-nobody >/dev/null 2>&1 || userdel --remove otppi-nobody # pi-gen wants one
rm -f /etc/ssh/ssh_host_*
ln -sfn /run/otppi-name-servers/resolv.conf /etc/resolv.conf
chmod -x /etc/ppp/ip-up.d/0000usepeerdns /etc/ppp/ip-down.d/0000usepeerdns # otppi-name-servers does it
if [ -e /etc/initramfs-tools/update-initramfs.conf ]; then
  sed -i 's/^update_initramfs=.*/update_initramfs=yes/' /etc/initramfs-tools/update-initramfs.conf
  if [ -n "${OTPPI_FOR_CARD:-}" ]; then
    echo "the card's initramfs (minutes, where this computer is no arm64)" >&2
    update-initramfs -c -k all
  fi
fi
apt-get clean
rm -rf /var/lib/apt/lists/* /var/cache/debconf/*-old /var/log/*.log /var/log/apt /var/log/journal
rm -f /etc/dpkg/dpkg.cfg.d/otppi-build
