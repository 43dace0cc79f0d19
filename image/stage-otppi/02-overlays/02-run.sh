#!/bin/bash -e
# The light and the buzzer of alarms (docs/hardware.md): lines for whoever wires them. As they stand they do nothing, since
# another board may use these pins.
config=${ROOTFS_DIR}/boot/firmware/config.txt
if [ -e "$config" ] && ! grep -q 'label=otppi-alarm' "$config"; then
  cat >>"$config" <<'END'

[all]
# OTP-Pi: a light and a buzzer of alarms: take away the # where they are wired (docs/hardware.md)
#dtoverlay=gpio-led,gpio=27,label=otppi-alarm
#dtoverlay=gpio-led,gpio=17,label=otppi-buzzer
END
fi
