"""OTP-Pi mobile internet by PPP: `pppd` dials with `chat`, and is watched."""
