"""The settings of the administration's pages: where they are served, and under which names."""

import re
from typing import Final, TypedDict

from otppi.api.settings import Effect, Input, TypedSection, boolean, integer, text, text_list
from otppi.text import _

_LONGEST_INTERFACE: Final = 15
"""Octets (IFNAMSIZ less the end, linux/if.h)."""


class PageValues(TypedDict):
    """The values of `ADMINISTRATION`."""

    enable: bool
    port: int
    bind_address: str
    https_only: bool
    host_names: list[str]
    access_point: str


def _interface_problem(name: str) -> str | None:
    """Return what is wrong with the name of an interface (dev_valid_name of net/core/dev.c)."""
    if name == "lo":
        return _("must not be the loopback: any program of the device comes by it")
    if len(name.encode()) > _LONGEST_INTERFACE or name in (".", "..") or re.search(r"[\s/:]", name):
        return _("must be the name of a network interface, such as wlan0")
    return None


ADMINISTRATION = TypedSection(
    values=PageValues,
    key="administration",
    title=_("Administration"),
    help=_("The pages by which the device is set up and watched, in a browser."),
    reset_group="administrator",
    effect=Effect.MAY_CUT_OFF,
    asks_again=True,
    settings=(
        boolean("enable", _("Enable"), _("Serve the pages."), True),
        integer(
            "port",
            _("Port"),
            _("TCP port of HTTP and HTTPS alike; 0 takes any free one."),
            8888,
            minimum=0,
            input=Input.LISTEN_PORT,
            enabled_by="enable",
        ),
        text(
            "bind_address",
            _("Listen Address"),
            _("Address of this device to listen on; empty: all of them, IPv4 and IPv6."),
            input=Input.LISTEN_ADDRESS,
            closed="127.0.0.1",
            enabled_by="enable",
        ),
        boolean(
            "https_only",
            _("HTTPS Only"),
            _("Send browsers that come by HTTP to HTTPS, which warns of the device's own certificate once."),
            False,
            closed=True,
            enabled_by="enable",
            switched_on_encrypted=True,
        ),
        text_list(
            "host_names",
            _("Host Names"),
            _("Further names under which browsers may call the device, beside its addresses and its own name."),
            input=Input.HOST,
            advanced=True,
            enabled_by="enable",
        ),
        text(
            "access_point",
            _("Access Point Interface"),
            _(
                "Network interface of the device's own access point, such as `wlan0`: a browser that comes by it "
                "creates the first administrator without the device code, and is led to the pages until then, whatever "
                "name it calls. Empty: none does."
            ),
            check=_interface_problem,
            advanced=True,
            enabled_by="enable",
        ),
    ),
)
