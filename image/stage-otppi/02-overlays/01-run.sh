#!/bin/bash -e
# The clock with a battery (DS3231 on I2C): a Raspberry Pi finds it by this line alone. Without the chip it does no harm.
config=${ROOTFS_DIR}/boot/firmware/config.txt
if [ -e "$config" ] && ! grep -q '^dtoverlay=i2c-rtc' "$config"; then
  printf '\n[all]\n# OTP-Pi: a DS3231 keeps the time while the power is off\ndtoverlay=i2c-rtc,ds3231\n' >>"$config"
fi
