"""Every section of the gateway and of its plugins keeps the contract of a section."""

from collections.abc import Callable, Iterator

import pytest

from otppi.api.settings import Section
from otppi.host.core import load_plugins
from otppi.host.modems.settings import MODEMS
from otppi.testing.section import SECTION_CHECKS, agrees_with_its_schema


def sections() -> Iterator[tuple[str, Section]]:
    plugins = load_plugins()
    for section in plugins.sections:
        yield section.key, section
    for key, modem_type in plugins.modem_types.items():
        yield f"modems of type {key}", MODEMS.extended(modem_type)


ALL = dict(sections())
COMMON = {setting.key for setting in ALL["modems"].settings}


def own(section: Section) -> Section:
    """Return the section of a modem type without the settings that all types have, which are tested once."""
    added = tuple(setting for setting in section.settings if setting.key not in COMMON)
    return Section(key="own", title=section.title, help=section.help, settings=added, reset_group=section.reset_group)


@pytest.mark.parametrize("check", SECTION_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", ALL)
def test_a_section_keeps_the_contract(name: str, check: Callable[[Section], None]) -> None:
    section = ALL[name]
    check(own(section) if check is agrees_with_its_schema and name.startswith("modems of") else section)


def test_every_reset_group_is_one_of_the_gateways_parts() -> None:
    known = {
        "administrator", "api", "api_user", "dhcp", "ethernet", "firewall", "internet", "mail", "modem", "otp", "sms",
        "wlan",
    }  # fmt: skip
    assert {one.reset_group for one in ALL.values()} - known == {
        one.reset_group for key, one in ALL.items() if key.startswith("ingress-") and one.reset_group != "api"
    }
