"""What the kit reads of a modem's settings, and of which type, is what the sections declare."""

from typing import get_type_hints

from otppi.api.settings.typed import disagreements
from otppi.host.modems.settings import MODEMS
from otppi.kit.at.settings import AT_SETTINGS
from otppi.kit.at.values import AtModemValues


def test_the_types_of_the_values_are_those_of_the_settings() -> None:
    read = get_type_hints(AtModemValues)
    declared = {one.key: one for one in (*MODEMS.settings, *AT_SETTINGS)}
    assert not list(disagreements([declared[key] for key in read], read))
    assert {one.key for one in AT_SETTINGS} <= read.keys()
