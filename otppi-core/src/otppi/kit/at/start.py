"""How a modem on an AT channel is made ready: first words, SIM PIN, message format, and who it is."""

import logging
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from otppi.api.errors import ModemBlocked, ModemLost, Trouble
from otppi.api.modem import ModemIdentity
from otppi.kit.at.channel import AtChannel, AtRefused, AtTimeout
from otppi.kit.at.charset import choose_charset
from otppi.kit.at.identity import identify, read_imei
from otppi.kit.at.pin_memory import PinMemory
from otppi.kit.at.sim import CPINR, SimTries, sim_state, tries_left
from otppi.kit.at.smsc import set_smsc
from otppi.kit.at.values import StartValues
from otppi.text import _
from otppi.wire.at import FinalResult, ResultKind
from otppi.wire.charset import decode
from otppi.wire.cme_cms import Advice, cme_advice, cms_advice
from otppi.wire.ussd import UssdForm

logger = logging.getLogger(__name__)

_SIM_BUSY_STEP = 0.2
_SIM_BUSY_LONGEST = 5.0
"""Then the modem counts as not ready; the gateway opens it again and again, and can stop in between."""
_INIT_TIMEOUT = 20.0

REGISTRATIONS: Mapping[str, str] = {
    "0": _("not registered"),
    "1": _("home network"),
    "2": _("searching"),
    "3": _("denied"),
    "4": _("unknown"),
    "5": _("roaming"),
    "6": _("home network, SMS only"),
    "7": _("roaming, SMS only"),
    "8": _("emergency calls only"),
    "9": _("home network, CSFB not preferred"),
    "10": _("roaming, CSFB not preferred"),
}
"""<stat> of +CREG, +CGREG and +CEREG (3GPP TS 27.007 7.2, 10.1.20, 10.1.22)."""
_OPERATOR = re.compile(r'\+COPS: *\d+ *, *\d+ *, *(?:"([^"\n]*)"|"?([^",\n]*))')
"""<oper> of +COPS (3GPP TS 27.007 7.3); one of its quotes may be lost."""
_REGISTERED = frozenset({"1", "5", "6", "7", "9", "10"})


@dataclass(frozen=True, slots=True)
class SignalQuery:
    """A model's own command for the signal, for what +CSQ does not tell well (it was made for GSM).

    `dbm` reads the information lines, joined by line ends; None where they do not tell.
    """

    command: str
    dbm: Callable[[str], int | None]


@dataclass(frozen=True, slots=True)
class Profile:
    """What differs from model to model; a vendor's plugin replaces the values that it knows better.

    `cnmi` are tried in turn (modems.md 19); `iccid` likewise, since 3GPP has only AT+CCID of 27.007's younger releases.
    """

    init: tuple[str, ...] = ()
    cnmi: tuple[str, ...] = (
        "AT+CNMI=2,1,2,1,0",
        "AT+CNMI=2,1,2,2,0",
        "AT+CNMI=2,1,0,1,0",
        "AT+CNMI=2,1,0,2,0",
        "AT+CNMI=2,1,2,0,0",
        "AT+CNMI=2,1,0,0,0",
    )
    memories: tuple[str, ...] = ("ME", "SM")
    """Where messages are to come in: the first that the modem takes (modems.md 18)."""
    iccid: tuple[str, ...] = ("AT+CCID", "AT+ICCID", "AT+QCCID", "AT^ICCID?")
    prompt_pause: float = 0.0
    """Seconds between the prompt and the PDU, for modems that lose its first bytes (modems.md 4)."""
    signal: SignalQuery | None = None
    """Asked instead of AT+CSQ; where it does not tell, AT+CSQ is."""
    network_urcs: tuple[str, ...] = ()
    """URCs upon which the network is looked at at once, beside those of 3GPP: the SIM came or went."""
    boot_urcs: tuple[str, ...] = ()
    """URCs that say that the modem has just been switched on, beside those that `at_restart` knows."""
    ussd_forms: tuple[UssdForm, ...] = (UssdForm.PLAIN, UssdForm.GSM7_HEX, UssdForm.UCS2_HEX)
    """How it writes USSD strings: tried in turn until one is taken (modems.md 27)."""
    sim_tries: tuple[SimTries, ...] = (CPINR,)
    """How it tells the tries that the SIM bears: asked in turn until one answers."""
    reset: str = "AT+CFUN=1,1"
    """Restarts it (3GPP TS 27.007 8.2)."""
    chunk_size: int = 0
    """How many bytes it takes at once, for those with a small buffer and no flow control (modems.md 29); 0: any."""


class Start:
    """One opening of one modem.

    `wait` sleeps for some seconds but ends when the modem is to stop; `synchronise` gets into step with the modem;
    `recognise` gets its IMEI before the SIM gets a PIN, and raises ModemLost where it is another modem than wanted.
    """

    def __init__(
        self,
        channel: AtChannel,
        settings: StartValues,
        profile: Profile,
        pin_memory: PinMemory,
        wait: Callable[[float], None],
        synchronise: Callable[[AtChannel], None] = AtChannel.synchronise,
        recognise: Callable[[str], None] | None = None,
    ) -> None:
        self._channel = channel
        self._synchronise = synchronise
        self._recognise = recognise
        self._settings = settings
        self._profile = profile
        self._pin_memory = pin_memory
        self._wait = wait
        self.warnings: list[str] = []

    def run(self) -> ModemIdentity:
        """Make it ready to send, and read who it is.

        Raises:
            ModemLost: It does not answer, or is not registered with a network.
            ModemBlocked: SIM PIN, PUK or SIM missing, or it has no PDU mode.
        """
        channel = self._channel
        self._synchronise(channel)
        self._be_understood()
        if self._recognise is not None:
            self._recognise(read_imei(channel))
        self._unlock()
        for line in self._profile.init:
            channel.attempt(line)
        if self._settings.get("init_commands", ()):
            self._run_init_commands()
            self._be_understood()  # one of them may be ATZ, AT&F or ATE1
        self._choose_pdu_mode()
        channel.attempt("AT+CMMS=2")
        self._set_smsc()
        identity = identify(channel, self._profile.iccid)
        if self._recognise is not None:  # some tell their IMEI only now
            self._recognise(identity.imei)
        return look(channel, identity, self._profile.signal)

    def _be_understood(self) -> None:
        """Switch the echo off, let errors be told by number, or at least in words, and strings be plain."""
        self._channel.attempt("ATE0")
        if self._channel.attempt("AT+CMEE=1") is None:
            self._channel.attempt("AT+CMEE=2")
        choose_charset(self._channel)

    # -- SIM --------------------------------------------------------------------------------------------------------

    def _unlock(self) -> None:
        """Give the PIN where it is asked for: once per boot and PIN, since three wrong ones cost the PUK."""
        status = sim_state(self._channel, self._wait)
        if status == "SIM PIN":
            self._give_pin()
            status = sim_state(self._channel, self._wait)
        if status not in ("READY", ""):
            raise ModemBlocked(_("the SIM asks for {status}", status=status))
        if status == "READY":
            self._pin_memory.forget()

    def _give_pin(self) -> None:
        pin = self._settings["sim_card_pin"]
        self._pin_memory.claim(pin, lambda: tries_left(self._channel, self._profile.sim_tries)[0])
        try:
            self._channel.command(f'AT+CPIN="{pin}"', timeout=15)
        except AtRefused as error:
            raise ModemBlocked(_("the SIM refused the PIN ({text})", text=error.result.text)) from error
        logger.info("the SIM PIN was accepted")

    def _run_init_commands(self) -> None:
        """Run those of the settings; what is refused, or not answered, is noted, and the modem is used all the same."""
        for line in self._settings.get("init_commands", ()):
            try:
                self._channel.command(line, _INIT_TIMEOUT)
            except (AtRefused, AtTimeout) as error:
                what = (
                    _("init command {command} was refused")
                    if isinstance(error, AtRefused)
                    else _("init command {command} was not answered")
                )
                self.warnings.append(what.filled(command=line.partition("=")[0]))  # not what follows: passwords
                if isinstance(error, AtTimeout):
                    self._channel.synchronise()

    def _choose_pdu_mode(self) -> None:
        """Choose it; some SIMs are busy for messages some seconds longer than for their PIN (modems.md 11)."""
        deadline = time.monotonic() + _SIM_BUSY_LONGEST
        while True:
            try:
                self._channel.command("AT+CMGF=0")
            except AtRefused as error:
                if _advice(error.result) is not Advice.WAIT:
                    raise ModemBlocked(_("the modem has no PDU mode (AT+CMGF=0 is refused)")) from error
            else:
                return
            if time.monotonic() > deadline:
                raise ModemLost(_("the SIM stays busy"), Trouble.FAULTY)
            self._wait(_SIM_BUSY_STEP)

    def _set_smsc(self) -> None:
        wanted = self._settings["sms_center"].lstrip("+")
        if wanted and not set_smsc(self._channel, wanted):
            raise ModemBlocked(_("the SMS Center that is set was refused (AT+CSCA)"))


def look(channel: AtChannel, identity: ModemIdentity, signal: SignalQuery | None = None) -> ModemIdentity:
    """Read what changes: registration, operator and signal.

    Raises:
        ModemLost: It is not registered with any network.
    """
    answers = [_registration(channel, name) for name in ("CREG", "CGREG", "CEREG")]
    known = [stat for stat in answers if stat is not None]
    registered = next((stat for stat in known if stat in _REGISTERED), None)
    if known and registered is None:
        raise ModemLost(
            _("no network: {registration}", registration=REGISTRATIONS.get(known[0], _("unknown"))), Trouble.NO_NETWORK
        )
    operator = _OPERATOR.search("\n".join(channel.attempt("AT+COPS?", 10) or ()))
    return replace(
        identity,
        registration=REGISTRATIONS[registered] if registered else "",
        operator=decode((operator[1] or operator[2] or "").strip(), channel.charset) if operator else "",
        signal_dbm=_signal_dbm(channel, signal),
    )


def _signal_dbm(channel: AtChannel, query: SignalQuery | None) -> int | None:
    if query is not None:
        dbm = query.dbm("\n".join(channel.attempt(query.command) or ()))
        if dbm is not None:
            return dbm
    found = re.search(r"\+CSQ: *(\d{1,3})(?!\d)", "\n".join(channel.attempt("AT+CSQ") or ()))
    rssi = int(found[1]) if found else 99
    return -113 + 2 * rssi if rssi <= 31 else None  # 27.007 8.5


def _registration(channel: AtChannel, name: str) -> str | None:
    """Return <stat>, which follows <n> in the reply to a query (27.007 7.2); None where the modem does not tell."""
    lines = channel.attempt(f"AT+{name}?") or ()
    # Some fill both with zeros: 002,001.
    found = re.search(rf"\+{name}: *\d+, *0*(\d{{1,2}})(?!\d)", "\n".join(lines))
    return found[1] if found else None


def _advice(result: FinalResult) -> Advice | None:
    if result.kind is ResultKind.CME:
        return cme_advice(result.code)
    return cms_advice(result.code) if result.kind is ResultKind.CMS else None
