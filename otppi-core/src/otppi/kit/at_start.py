"""How a modem on an AT channel is made ready: first words, SIM PIN, message format, and who it is."""

import hashlib
import logging
import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from otppi.api.errors import ModemBlocked, ModemLost, Trouble
from otppi.api.modem import ModemIdentity
from otppi.kit.at_channel import AtChannel, AtRefused, AtTimeout
from otppi.wire.at import ResultKind
from otppi.wire.cme_cms import Advice, cme_advice, cme_meaning

logger = logging.getLogger(__name__)

_SIM_BUSY_STEP = 0.2
_SIM_BUSY_LONGEST = 5.0
"""Then the modem counts as not ready; the gateway opens it again and again, and can stop in between."""

REGISTRATIONS: Mapping[str, str] = {
    "0": "not registered",
    "1": "home network",
    "2": "searching",
    "3": "denied",
    "4": "unknown",
    "5": "roaming",
    "6": "home network, SMS only",
    "7": "roaming, SMS only",
    "8": "emergency calls only",
    "9": "home network, CSFB not preferred",
    "10": "roaming, CSFB not preferred",
}
"""<stat> of +CREG, +CGREG and +CEREG (3GPP TS 27.007 7.2, 10.1.20, 10.1.22)."""
_REGISTERED = frozenset({"1", "5", "6", "7", "9", "10"})


@dataclass(frozen=True, slots=True)
class Profile:
    """What differs from model to model; a vendor's plugin replaces the values that it knows better.

    `cnmi` are tried in turn (modems.md 19); `iccid` likewise, since 3GPP has only AT+CCID of 27.007's younger releases.
    """

    init: tuple[str, ...] = ()
    cnmi: tuple[str, ...] = ("AT+CNMI=2,1,2,1,0", "AT+CNMI=2,1,2,2,0", "AT+CNMI=2,1,2,0,0", "AT+CNMI=2,1,0,0,0")
    iccid: tuple[str, ...] = ("AT+CCID", "AT+ICCID", "AT+QCCID", "AT^ICCID?")
    prompt_pause: float = 0.0
    """Seconds between the prompt and the PDU, for modems that lose its first bytes (modems.md 4)."""


class Start:
    """One opening of one modem; `wait` sleeps for some seconds but ends when the modem is to stop."""

    def __init__(
        self,
        channel: AtChannel,
        settings: Mapping[str, Any],
        profile: Profile,
        pin_memory: "PinMemory",
        wait: Callable[[float], None],
    ) -> None:
        self._channel = channel
        self._settings = settings
        self._profile = profile
        self._pin_memory = pin_memory
        self._wait = wait

    def run(self) -> ModemIdentity:
        """Make it ready to send, and read who it is.

        Raises:
            ModemLost: It does not answer, or is not registered with a network.
            ModemBlocked: SIM PIN, PUK or SIM missing, or it has no PDU mode.
        """
        channel = self._channel
        channel.synchronise()
        channel.attempt("ATE0")
        if channel.attempt("AT+CMEE=1") is None:
            channel.attempt("AT+CMEE=2")
        self._unlock()
        for line in self._profile.init:
            channel.attempt(line)
        if channel.attempt("AT+CMGF=0") is None:
            raise ModemBlocked("the modem has no PDU mode (AT+CMGF=0 is refused)")
        channel.attempt("AT+CSMS=0")
        channel.attempt("AT+CMMS=2")
        any(channel.attempt(line) is not None for line in self._profile.cnmi)
        self._set_smsc()
        identity = self._identity()
        return look(channel, identity)

    # -- SIM --------------------------------------------------------------------------------------------------------

    def _unlock(self) -> None:
        """Give the PIN where it is asked for: once per boot and PIN, since three wrong ones cost the PUK."""
        status = self._sim_status(_SIM_BUSY_LONGEST)
        if status == "SIM PIN":
            self._give_pin()
            status = self._sim_status(_SIM_BUSY_LONGEST)
        if status not in ("READY", ""):
            raise ModemBlocked(f"the SIM asks for {status}")
        if status == "READY":
            self._pin_memory.forget()

    def _give_pin(self) -> None:
        pin = self._settings["sim_card_pin"]
        if not pin:
            raise ModemBlocked("the SIM asks for its PIN and none is set")
        if self._pin_memory.was_tried(pin):
            raise ModemBlocked("the SIM asks for its PIN again: the one that is set was tried and is not tried again")
        if self._pin_tries() == 1:
            raise ModemBlocked("the SIM asks for its PIN and one try is left: that one is for a person")
        self._pin_memory.remember(pin)
        try:
            self._channel.command(f'AT+CPIN="{pin}"', timeout=15)
        except AtRefused as error:
            raise ModemBlocked(f"the SIM refused the PIN ({error.result.text})") from error
        logger.info("the SIM PIN was accepted")

    def _pin_tries(self) -> int | None:
        """Read how many wrong PINs the SIM still bears (27.007 8.65); None where the modem does not tell."""
        lines = self._channel.attempt("AT+CPINR") or ()
        found = re.search(r"\+CPINR: *\"?SIM PIN\"?, *(\d+)", "\n".join(lines))
        return int(found[1]) if found else None

    def _sim_status(self, patience: float) -> str:
        """Ask +CPIN? until the SIM is no longer busy; empty where the modem does not know the command."""
        deadline = time.monotonic() + patience
        while True:
            try:
                return _pin_status(self._channel.command("AT+CPIN?"))
            except AtTimeout as error:  # some models say +CPIN: and forget the OK (modems.md 9)
                self._channel.synchronise()
                if status := _pin_status(error.lines):
                    return status
                raise
            except AtRefused as error:
                result = error.result
                if result.kind is not ResultKind.CME:
                    return ""
                if cme_advice(result.code) is not Advice.WAIT:
                    raise ModemBlocked(f"the SIM cannot be used: {cme_meaning(result.code or 0)}") from error
            if time.monotonic() > deadline:
                raise ModemLost("the SIM stays busy", Trouble.FAULTY)
            self._wait(_SIM_BUSY_STEP)

    def _set_smsc(self) -> None:
        wanted = self._settings["sms_center"].lstrip("+")
        if wanted and self._channel.attempt(f'AT+CSCA="+{wanted}",145') is None:
            raise ModemBlocked("the SMS Center that is set was refused (AT+CSCA)")

    # -- identity ---------------------------------------------------------------------------------------------------

    def _identity(self) -> ModemIdentity:
        return ModemIdentity(
            manufacturer=self._word("AT+CGMI"),
            model=self._word("AT+CGMM"),
            revision=self._word("AT+CGMR"),
            imei=_digits(self._word("AT+CGSN"), 14),
            imsi=_digits(self._word("AT+CIMI"), 6),
            iccid=next(filter(None, (_digits(self._word(line), 18) for line in self._profile.iccid)), ""),
            smsc=self._smsc(),
        )

    def _word(self, line: str) -> str:
        lines = self._channel.attempt(line) or ()
        # Not noise (modems.md 32).
        word = next((line for line in lines if line.isprintable() and "\ufffd" not in line), "")
        return re.sub(r"^[+^][A-Z]+: *", "", word).strip().strip('"')[:64]

    def _smsc(self) -> str:
        found = re.search(r'\+CSCA: *"([^"]*)"', "\n".join(self._channel.attempt("AT+CSCA?") or ()))
        return found[1] if found else ""


def look(channel: AtChannel, identity: ModemIdentity) -> ModemIdentity:
    """Read what changes: registration, operator and signal.

    Raises:
        ModemLost: It is not registered with any network.
    """
    answers = [_registration(channel, name) for name in ("CREG", "CGREG", "CEREG")]
    known = [stat for stat in answers if stat is not None]
    registered = next((stat for stat in known if stat in _REGISTERED), None)
    if known and registered is None:
        raise ModemLost(f"no network: {REGISTRATIONS.get(known[0], 'unknown')}", Trouble.NO_NETWORK)
    operator = re.search(r'\+COPS: *\d+,\d+,"([^"]*)"', "\n".join(channel.attempt("AT+COPS?", 10) or ()))
    signal = re.search(r"\+CSQ: *(\d+)", "\n".join(channel.attempt("AT+CSQ") or ()))
    rssi = int(signal[1]) if signal else 99
    return replace(
        identity,
        registration=REGISTRATIONS[registered] if registered else "",
        operator=operator[1] if operator else "",
        signal_dbm=-113 + 2 * rssi if rssi <= 31 else None,  # 27.007 8.5
    )


def _registration(channel: AtChannel, name: str) -> str | None:
    """Give <stat>, which follows <n> in the reply to a query (27.007 7.2); None where the modem does not tell."""
    lines = channel.attempt(f"AT+{name}?") or ()
    found = re.search(rf"\+{name}: *\d+, *(\d+)", "\n".join(lines))
    return found[1] if found else None


def _pin_status(lines: tuple[str, ...]) -> str:
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("+CPIN:")), "")


def _digits(text: str, least: int) -> str:
    found = re.search(rf"\d{{{least},20}}", text)
    return found[0] if found else ""


class PinMemory:
    """Remembers, on the RAM disk, the PIN that was tried and not accepted since the device was switched on.

    One that was accepted is forgotten, so that the modem works again after it was unplugged: no more than one wrong
    try is ever made (modems.md 16).
    """

    def __init__(self, folder: Path, modem: str) -> None:
        self._path = folder / f"pin-{hashlib.sha256(modem.encode()).hexdigest()[:16]}"

    def was_tried(self, pin: str) -> bool:
        """Whether this very PIN was given to this modem's SIM already."""
        try:
            kept = self._path.read_bytes()
        except FileNotFoundError:
            return False
        return kept[16:] == self._digest(pin, kept[:16])

    def remember(self, pin: str) -> None:
        """Note it before it is tried, so that a crash in between cannot try it again."""
        salt = os.urandom(16)
        with open(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(salt + self._digest(pin, salt))

    def forget(self) -> None:
        """The SIM is open: what was tried was right."""
        self._path.unlink(missing_ok=True)

    @staticmethod
    def _digest(pin: str, salt: bytes) -> bytes:
        return hashlib.scrypt(pin.encode(), salt=salt, n=2**12, r=8, p=1, dklen=32)
