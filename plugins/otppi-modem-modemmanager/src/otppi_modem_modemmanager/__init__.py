"""OTP-Pi modem type `modemmanager`: a modem that ModemManager drives, over D-Bus."""
