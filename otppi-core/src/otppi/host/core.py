"""Which settings sections the core has: each room's own."""

from otppi.host.encryption.settings import ENCRYPTION
from otppi.host.inbox.settings import INBOX
from otppi.host.messages.settings import SMS
from otppi.host.modems.settings import MODEMS
from otppi.host.otp.settings import OTP
from otppi.host.users.settings import API_USERS
from otppi.host.webhook.settings import WEBHOOK

CORE_SECTIONS = (SMS, OTP, MODEMS, INBOX, WEBHOOK, API_USERS, ENCRYPTION)
