"""OTP-Pi modem type: Huawei sticks (E1xx, E3xx)."""
