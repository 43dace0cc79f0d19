"""Owns ModemManager's names and numbers: interfaces, enumerations, and what they mean to OTP-Pi.

Source: ModemManager's introspection XML and `ModemManager-enums.h`, 1.20 to 1.24.
"""

from collections.abc import Mapping
from enum import IntEnum
from typing import Final

SERVICE: Final = "org.freedesktop.ModemManager1"
ROOT: Final = "/org/freedesktop/ModemManager1"
MODEM: Final = f"{SERVICE}.Modem"
THREEGPP: Final = f"{MODEM}.Modem3gpp"
USSD: Final = f"{THREEGPP}.Ussd"
MESSAGING: Final = f"{MODEM}.Messaging"
SMS: Final = f"{SERVICE}.Sms"
SIM: Final = f"{SERVICE}.Sim"
ERROR: Final = f"{SERVICE}.Error."

DBUS: Final = "org.freedesktop.DBus"
OBJECT_MANAGER: Final = f"{DBUS}.ObjectManager"
PROPERTIES: Final = f"{DBUS}.Properties"


class ModemState(IntEnum):
    """MMModemState, as far as it is told apart here: each state includes what those before it can do."""

    FAILED = -1
    UNKNOWN = 0
    INITIALIZING = 1
    LOCKED = 2
    DISABLED = 3
    DISABLING = 4
    ENABLING = 5
    ENABLED = 6
    SEARCHING = 7
    REGISTERED = 8


SIM_MISSING: Final = 2
"""MMModemStateFailedReason."""
POWER_LOW: Final = 2
"""MMModemPowerState: the radio is off."""
FACILITY_SIM: Final = 1
"""MMModem3gppFacility: the SIM asks for its PIN when it is switched on."""

REGISTERED: Final = frozenset({1, 5, 6, 7, 9, 10})
"""MMModem3gppRegistrationState, whose numbers are those of +CREG (3GPP TS 27.007 7.2)."""


class Lock(IntEnum):
    """MMModemLock, as far as this SIM's own codes go."""

    NONE = 1
    SIM_PIN = 2
    SIM_PIN2 = 3
    SIM_PUK = 4
    SIM_PUK2 = 5


LOCKS: Final[Mapping[int, str]] = {
    0: "",
    Lock.NONE: "READY",
    Lock.SIM_PIN: "SIM PIN",
    Lock.SIM_PIN2: "SIM PIN2",
    Lock.SIM_PUK: "SIM PUK",
    Lock.SIM_PUK2: "SIM PUK2",
    6: "PH-SP PIN",
    7: "PH-SP PUK",
    8: "PH-NET PIN",
    9: "PH-NET PUK",
    10: "PH-SIM PIN",
    11: "PH-CORP PIN",
    12: "PH-CORP PUK",
    13: "PH-FSIM PIN",
    14: "PH-FSIM PUK",
    15: "PH-NETSUB PIN",
    16: "PH-NETSUB PUK",
}
"""MMModemLock in the words of +CPIN (3GPP TS 27.007 8.3)."""


class SmsState(IntEnum):
    """MMSmsState."""

    UNKNOWN = 0
    STORED = 1
    RECEIVING = 2
    RECEIVED = 3
    SENDING = 4
    SENT = 5


class PduType(IntEnum):
    """MMSmsPduType of 3GPP."""

    DELIVER = 1
    SUBMIT = 2
    STATUS_REPORT = 3


VALIDITY_RELATIVE: Final = 1
"""MMSmsValidityType: a period in minutes."""
FLASH_CLASS: Final = 0


class UssdState(IntEnum):
    """MMModem3gppUssdSessionState."""

    UNKNOWN = 0
    IDLE = 1
    ACTIVE = 2
    USER_RESPONSE = 3
