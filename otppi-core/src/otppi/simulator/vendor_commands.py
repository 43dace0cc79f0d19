"""Owns the vendors' AT commands that a simulated modem knows if its profile names them."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial

from otppi.simulator.device import SimulatedDevice
from otppi.simulator.request import AtRequest
from otppi.simulator.sim import PIN_TRIES, PUK_TRIES, Lock
from otppi.wire.ussd import UssdForm

_USSD_FORMS = {0: UssdForm.PLAIN, 1: UssdForm.GSM7_HEX}


def answer_of(peer: SimulatedDevice, command: str) -> list[str] | None:
    """Return what the profile's `answers` have for a command without AT, or None."""
    answers = peer.profile.answers
    template = answers.get(command)
    if template is None and "=" in command and not command.endswith("=?"):
        template = answers.get(command.partition("=")[0] + "=")
    if template is None:
        return None
    return [template.format_map(_facts(peer))] if template else []


def _facts(peer: SimulatedDevice) -> Mapping[str, object]:
    sim, profile = peer.sim, peer.profile
    return {
        "pin_tries": sim.pin_tries,
        "puk_tries": sim.puk_tries,
        "lock": sim.lock.value,
        "times": {Lock.READY: "", Lock.PIN: sim.pin_tries, Lock.PUK: sim.puk_tries}[sim.lock],
        "iccid": profile.iccid,
        "imei": profile.imei,
        "operator_code": profile.operator_code,
        "signal": profile.signal,
        "registered": int(peer.registered),
    }


def _curc(request: AtRequest) -> Iterable[str]:
    """Huawei: the modem's own news off or on."""
    session = request.peer.session
    if request.operation == "=":
        session.chatty = request.number(0) != 0
        return ()
    return [f"^CURC: {int(session.chatty)}"]


def _ussdmode(request: AtRequest) -> Iterable[str]:
    """Huawei: USSD strings as plain text (0) or as packed GSM-7 (1)."""
    session = request.peer.session
    if request.operation == "=":
        session.ussd_form = _USSD_FORMS[min(1, request.number(0))]
        return ()
    form = session.ussd_form or request.peer.profile.ussd_form
    return [f"^USSDMODE: {int(form is not UssdForm.PLAIN)}"]


def _portsel(request: AtRequest) -> Iterable[str]:
    """Huawei: which port gets the URCs."""
    session = request.peer.session
    if request.operation == "=":
        session.urc_port = request.number(0)
        return ()
    return [f"^PORTSEL: {session.urc_port}"]


def _getportmode(_: AtRequest) -> Iterable[str]:
    """Huawei: what each port is for; asking crashes some models."""
    return ["^GETPORTMODE: TYPE: WCDMA: huawei,MDM:0,NDIS:1,DIAG:2,PCUI:3"]


def _switch_usb(request: AtRequest) -> Iterable[str]:
    """SIMCom: another set of USB ports, after which the modem starts anew."""
    peer = request.peer
    if request.operation != "=":
        return [f"+CUSBPIDSWITCH: {peer.usb_product}"]
    peer.usb_product = request.number(0)
    peer.after_answer(partial(peer.unplug, replug_after=peer.profile.boot_time), request.now)
    return ()


def _qpinc(request: AtRequest) -> Iterable[str]:
    """Quectel: how many tries the SIM has left."""
    sim = request.peer.sim
    return [f'+QPINC: "SC",{sim.pin_tries},{sim.puk_tries}', f'+QPINC: "P2",{PIN_TRIES},{PUK_TRIES}']


VENDOR_COMMANDS: dict[str, Callable[[AtRequest], Iterable[str]]] = {
    "^CURC": _curc,
    "^USSDMODE": _ussdmode,
    "^PORTSEL": _portsel,
    "^GETPORTMODE": _getportmode,
    "+CUSBPIDSWITCH": _switch_usb,
    "+QPINC": _qpinc,
}
"""The vendors' commands that do something or tell what changes; all others stand in a profile's `answers`."""
