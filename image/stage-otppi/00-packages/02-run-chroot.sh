# shellcheck shell=bash
# What Raspberry Pi OS Lite has, and a gateway has not: doors, compilers, and what asks or changes things at the first boot.
installed=()
for package in openssh-server openssh-sftp-server ssh build-essential gcc g++ cpp make gdb python3-pip python3-venv sudo \
  cloud-init netplan.io userconf-pi raspi-config rpi-connect-lite triggerhappy dphys-swapfile rpi-swap bluez pi-bluetooth \
  nfs-common rpcbind curl wget git; do
  ! dpkg-query --show --showformat '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || installed+=("$package")
done
if [ ${#installed[@]} -gt 0 ]; then
  export SUDO_FORCE_REMOVE=yes # root has no password, and needs none
  apt-get -qq -o Dpkg::Use-Pty=0 purge -y --autoremove "${installed[@]}" >&2
fi
