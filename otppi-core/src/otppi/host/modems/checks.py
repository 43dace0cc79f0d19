"""What the settings of modems do not take together: it is refused when it is set."""

from collections.abc import Iterable, Sequence

from otppi.api.settings import FieldError
from otppi.host.modems.values import ModemValues
from otppi.kit.at.identity import same_imei
from otppi.text import _


def modem_problems(modem: ModemValues) -> Iterable[FieldError]:
    """Yield which settings of one modem do not go together."""
    if not modem["active"]:
        return
    if modem["balance_every"] and not modem["balance_ussd"]:
        yield FieldError("balance_ussd", _("must not be empty where balance_every is set: nothing tells the balance"))
    if modem["internet_access"] and modem["apn_preset"] == "none" and not modem["apn"]:
        yield FieldError("apn", _("must not be empty where apn_preset is none: nobody knows what to dial"))


def shared_ports(modems: Sequence[ModemValues]) -> Iterable[FieldError]:
    """Find active modems that are set to one port. One with an IMEI is looked for there first only, and may be."""
    owners: dict[str, str] = {}
    for index, modem in enumerate(modems):
        port = modem["port"]
        if not port or modem["imei"] or not modem["active"]:
            continue
        if port in owners:
            reason = _(
                "is the port of {owners} too: one modem has one port (or set the IMEI of both)", owners=owners[port]
            )
            yield FieldError(f"[{index}].port", reason)
        owners.setdefault(port, modem["name"])


def shared_internet_ports(modems: Sequence[ModemValues]) -> Iterable[FieldError]:
    """Find ports to dial on that another active modem dials on, or sends SMS by."""
    active = [(index, modem) for index, modem in enumerate(modems) if modem["active"]]
    dialling = [(index, modem) for index, modem in active if modem["internet_access"] and modem["internet_port"]]
    for index, modem in dialling:
        port = modem["internet_port"]
        others = [other for place, other in active if place != index and other["port"] == port and not other["imei"]]
        others += [other for place, other in dialling if place < index and other["internet_port"] == port]
        if others:
            yield FieldError(f"[{index}].internet_port", _("is the port of {name} too", name=others[0]["name"]))


def shared_imeis(modems: Sequence[ModemValues]) -> Iterable[FieldError]:
    """Find active modems with one IMEI: clones are told apart by their ports, so each needs one of its own."""
    active = [(index, modem) for index, modem in enumerate(modems) if modem["active"] and modem["imei"]]
    for place, (index, modem) in enumerate(active):
        for _index, other in active[:place]:
            if same_imei(other["imei"], modem["imei"]) and (not modem["port"] or modem["port"] == other["port"]):
                yield FieldError(f"[{index}].imei", _("is that of {name} too", name=other["name"]))
                break


def shared_imsis(modems: Sequence[ModemValues]) -> Iterable[FieldError]:
    """Find active modems with one SIM card."""
    owners: dict[str, str] = {}
    for index, modem in enumerate(modems):
        if modem["active"] and modem["imsi"]:
            if modem["imsi"] in owners:
                yield FieldError(f"[{index}].imsi", _("is that of {name} too", name=owners[modem["imsi"]]))
            owners.setdefault(modem["imsi"], modem["name"])
