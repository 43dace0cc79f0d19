"""Owns the fixed facts of one simulated modem: who it is, what its SIM is, and how long things take."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from otppi.wire.ussd import UssdForm


class PortKind(StrEnum):
    """What one serial port of a modem does (modems.md row 25)."""

    AT = "at"
    """Answers commands, and says nothing of its own accord."""
    AT_URC = "at+urc"
    """Answers commands, and tells what the modem says of its own accord."""
    DIAG = "diag"
    """Answers nothing: it speaks another protocol."""


@dataclass(frozen=True, slots=True)
class ScriptedUssdAnswer:
    """One scripted answer of the network to a USSD string (3GPP TS 27.007 7.15).

    Attributes:
        text: what the network says; None leaves text and DCS out.
        mode: the `<m>` of +CUSD: 0 finished, 1 a reply is wanted, 2 ended by the network, 4 not supported, 5 time-out.
        dcs: the cell broadcast coding scheme told beside it: 15 for GSM-7, 72 for UCS-2, which each modem writes as
            hexadecimal; None for the one that the text needs.
        tells_dcs: whether the DCS is told.
        padded: whether GSM-7 in hexadecimal is filled with CR where it ends, as some models do.
        delay: seconds from when the OK is due to the +CUSD line; with 0 it comes just before the OK, as some models do.
        replies: the answers to what the user may reply, where `mode` is 1.
        raw: what stands between the quotes, where the modem does not write `text` as it writes others.
        first: a +CUSD line that comes before the answer and is not the answer.
    """

    text: str | None = field(default="", repr=False)
    mode: int = 0
    dcs: int | None = None
    tells_dcs: bool = True
    padded: bool = False
    delay: float = 0.01
    replies: Mapping[str, "ScriptedUssdAnswer"] = field(default_factory=dict)
    raw: str | None = field(default=None, repr=False)
    first: str = ""


DEFAULT_USSD: Mapping[str, ScriptedUssdAnswer] = {
    "*123#": ScriptedUssdAnswer("Balance: 10000"),
    "*100#": ScriptedUssdAnswer("1 Balance\n2 Packages", mode=1, replies={"1": ScriptedUssdAnswer("Balance: 10000")}),
}


@dataclass(frozen=True, slots=True)
class ModemProfile:
    """Identity, SIM and timings of a simulated modem. All times are seconds; every number is made up.

    Attributes:
        name: what the peer is called in logs and links.
        manufacturer, model, revision: the answers to +CGMI, +CGMM, +CGMR.
        imei, imsi, iccid: the numbers of device, subscriber and SIM card.
        iccid_commands: the commands that this model answers with the ICCID.
        operator, operator_code: name and MCC/MNC of the network.
        smsc: number of the short message service centre on the SIM; empty = none is set.
        pin: the SIM's PIN; None = the SIM does not ask for it.
        idle_pin: the PIN of a SIM that does not ask for it (AT+CLCK makes it do so).
        puk: what unlocks a SIM after three wrong PINs.
        sim_ready_delay: how long the SIM is busy (CME 14) after a right PIN.
        signal: the `<rssi>` of +CSQ (0-31, 99 = unknown).
        technology: the access technology told by +COPS? (7 = E-UTRAN).
        echo: whether commands are echoed after power-on (the factory setting of most models).
        text_mode: whether it has text mode, and is in it after power-on (a profile that was stored so by AT&W).
        memories: message memories and how many messages fit into each; the first is used after power-on. Where there
            is one named "SR", status reports are stored in it.
        full_urc: what is said when a message finds its memory full, with the memory's name for `{memory}`.
        boot_time: from AT+CFUN=1,1 (the port vanishes) until it is back.
        command_time: from the end of a command line to its answer.
        prompt_time: from AT+CMGS to its prompt.
        network_time: what the network adds between Ctrl-Z and +CMGS.
        report_delay: from +CMGS to the status report, where one was asked for; None = the network never sends any.
        report_status: the TP-Status of these reports (3GPP TS 23.040 9.2.3.15; 0 = received by the phone); of several
            each comes `report_delay` after the one before, such as (0x30, 0x00): still trying, then received.
        ussd: the network's USSD script.
        ussd_form: how USSD strings are written.
        apn: the one with which the network gives a data connection; None = with any.
        baud_rate: the only speed of the line at which it understands, in bit/s; None = any.
        ports: what its serial ports do, in the order of their USB interfaces; more than one only in a rack with `usb`.
        usb_ids: vendor and product, four hexadecimal digits each.
        boot_urcs: what the modem says as soon as it has power.
        chatter: what it says of its own accord every `chatter_interval` seconds, line by line; 0 = never.
        vendor_commands: which of the commands of `otppi.simulator.vendor_commands` it knows.
        answers: what else this model answers: a command as it stands behind AT, or up to its `=`, and the answer
            without OK. In braces may stand `pin_tries`, `puk_tries`, `lock`, `times` (tries of what `lock` asks for),
            `iccid`, `imei`, `operator_code`, `signal`, `registered`.
    """

    name: str = "modem0"
    manufacturer: str = "OTP-Pi"
    model: str = "Simulated Modem"
    revision: str = "SIM-1.0"
    imei: str = "350000000000000"
    imsi: str = "001010000000000"
    msisdn: str = ""
    iccid: str = "8900000000000000000"
    iccid_commands: tuple[str, ...] = ("+CCID", "+ICCID", "^ICCID", "+QCCID")
    operator: str = "Simulated"
    operator_code: str = "00101"
    smsc: str = "+620000000000"
    pin: str | None = None
    idle_pin: str = "1234"
    puk: str = "12345678"
    sim_ready_delay: float = 0.0
    signal: int = 21
    technology: int = 7
    echo: bool = True
    text_mode: bool = False
    memories: Mapping[str, int] = field(default_factory=lambda: {"SM": 20, "ME": 50})
    full_urc: str = '^SMMEMFULL: "{memory}"'
    boot_time: float = 1.0
    command_time: float = 0.002
    prompt_time: float = 0.0
    network_time: float = 0.0
    report_delay: float | None = 0.05
    report_status: int | Sequence[int] = 0
    ussd: Mapping[str, ScriptedUssdAnswer] = field(default_factory=lambda: DEFAULT_USSD, repr=False)
    ussd_form: UssdForm = UssdForm.PLAIN
    apn: str | None = None
    baud_rate: int | None = None
    ports: Sequence[PortKind] = (PortKind.AT_URC,)
    usb_ids: tuple[str, str] = ("f055", "0001")
    boot_urcs: Sequence[str] = ()
    chatter: Sequence[str] = ()
    chatter_interval: float = 0.0
    vendor_commands: frozenset[str] = frozenset()
    answers: Mapping[str, str] = field(default_factory=dict)

    def numbered(self, number: int) -> "ModemProfile":
        """Return this profile as the `number`-th of a rack: a name, an IMEI, an IMSI and an ICCID of its own."""
        return replace(
            self,
            name=f"modem{number}",
            imei=f"{int(self.imei) + number:015}",
            imsi=f"{int(self.imsi) + number:015}",
            iccid=f"{int(self.iccid) + number:019}",
        )
