"""OTP-Pi modem type `at`: any modem that speaks 3GPP TS 27.005 and 27.007 in PDU mode."""
