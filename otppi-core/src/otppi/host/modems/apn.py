"""The access points of mobile operators: a table, and which row is a SIM's."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from otppi.host.modems.values import InternetValues

AUTOMATIC = "automatic"


@dataclass(frozen=True, slots=True)
class ApnPreset:
    """What an operator wants to be dialled with; `networks` are the beginnings of its SIMs' IMSIs (ITU-T E.212)."""

    title: str
    apn: str
    networks: tuple[str, ...]
    username: str = ""
    password: str = field(default="", repr=False)
    dial_number: str = "*99#"


PRESETS: Mapping[str, ApnPreset] = {
    "telkomsel": ApnPreset("Telkomsel", "internet", ("51010",)),
    "xl": ApnPreset("XL", "internet", ("51011",)),
    "three": ApnPreset("Three", "3data", ("51089",), "3data", "3data"),
    "smartfren": ApnPreset("Smartfren", "smart", ("51009", "51028"), "smart", "smart", "#777"),
    "indosat-ooredoo": ApnPreset("Indosat Ooredoo", "indosatgprs", ("51001", "51021")),
    "axis": ApnPreset("Axis", "axis", ("51008",), "axis", "123456"),
}
"""Indonesia's operators, as they publish it; the passwords are no secrets."""


def preset_of(modem: InternetValues, imsi: str) -> ApnPreset | None:
    """Choose by the setting `apn_preset`, or where it is automatic and no APN is set by the SIM; None for none."""
    chosen = modem["apn_preset"]
    if chosen != AUTOMATIC:
        return PRESETS.get(chosen)
    if modem["apn"]:
        return None
    return next((one for one in PRESETS.values() if imsi.startswith(one.networks)), None)
