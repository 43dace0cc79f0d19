"""What needs a person: of each cause what it is, what to do, and where; what the driver says stands below."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import quote

from otppi.host.alarms.conditions import (
    CARD_ERRORS,
    CARD_WORN,
    LOGINS_FAILED,
    MEMORY_SHORT,
    STORAGE_FULL,
    TOO_HOT,
    USB_OVERLOAD,
)
from otppi.kit.net.failures import LOGIN_WANTED, WRONG_LOGIN
from otppi.kit.net.link import is_link
from otppi.text import Text, _


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that a person has to do something about.

    Attributes:
        subject: What it is about, such as a modem's name; empty of the device as a whole.
        cause, advice: What is so, and what to do.
        detail: What who found it says of it itself.
        link: The path of the page where that is done; empty where there is none.
        key: Of the cause in `CAUSES`; empty of one that is not there.
        setting: The address of the setting by which an administrator does it; empty where it is done otherwise.
    """

    subject: str
    cause: str
    advice: str = ""
    detail: str = ""
    link: str = ""
    key: str = ""
    setting: str = ""


CAUSES: Final[Mapping[str, tuple[Text, Text]]] = MappingProxyType(
    {
        "sim-pin": (_("The SIM asks for its PIN."), _("Enter it on the modem's page.")),
        "sim-pin-refused": (
            _("The SIM refused the PIN. Three wrong ones lock it."),
            _("Enter the right one on the modem's page."),
        ),
        "sim-puk": (
            _("The SIM is locked and needs the operator's PUK."),
            _("Ask the operator for it, and enter it on the modem's page."),
        ),
        "no-sim": (_("No SIM card."), _("Unplug the modem, insert the card, plug it in.")),
        "sim": (_("The SIM card cannot be used."), _("Put it in again, or another one.")),
        "no-network": (_("No network."), _("Check aerial and the card's validity, or move the modem.")),
        "absent": (_("The modem is not plugged in."), _("Plug it in. If it is, take it out and put it in again.")),
        "port-busy": (
            _("Another program uses the port."),
            _("End that program, or give the modem another port in its settings."),
        ),
        "sandbox": (
            _("The service may not use the port."),
            _("Restart the device, so that the driver is there before the gateway."),
        ),
        "port": (_("The port cannot be opened."), _("Choose another one in the modem's settings.")),
        "blocked": (_("The modem cannot be used."), _("See what it says on its page.")),
        "refused": (_("The operator refuses."), _("Often the balance is used up: read it.")),
        "balance": (_("The balance is low."), _("Top it up.")),
        "daily-quota": (_("Today's quota is used up; it goes on at 00:00."), _("If that is too little, raise it.")),
        "monthly-quota": (_("This month's quota is used up."), _("If that is too little, raise it.")),
        "login": (_("The server refuses username or password."), _("Correct them in its settings.")),
        "certificate": (_("The server's certificate is not known."), _("Set the CA, or check the clock.")),
        "unreachable": (_("The server cannot be reached."), _("Check its address, and the network.")),
        "ingress": (_("It does not work."), _("See its settings, and the log.")),
        "stopped": (_("It was stopped."), _("Start it.")),
        "clock": (_("The clock is not set, or may be wrong."), _("Use this phone's time or an NTP server.")),
        "power": (_("Undervoltage."), _("Use a 5 V 3 A supply.")),
        "backup": (_("No backup yet."), _("Download one, and keep it away from the device.")),
        "certificate-ends": (
            _("The certificate of the pages and of the API ends soon, or has ended."),
            _("Bring another one, or have the device make one."),
        ),
        "card": (_("The SD card cannot be written."), _("Make room on it, or use another one.")),
        "disk": (_("The storage is nearly full."), _("Remove what is not needed, or use a larger card.")),
        "card-errors": (
            _("The SD card has errors, or is worn out."),
            _("Download a backup today, and put in another card."),
        ),
        "heat": (_("The processor is too hot."), _("Give the device air, or a heat sink.")),
        "memory": (
            _("The memory is nearly used up."),
            _("Restart OTP-Pi. If it comes again, download the diagnostics."),
        ),
        "usb": (
            _("A USB port was cut off: too much current was drawn."),
            _("Plug the modems into a hub with a supply of its own."),
        ),
        "logins": (
            _("Somebody tries passwords."),
            _("See from where in the log. Change passwords that are short, and use two-step login."),
        ),
    }
)
"""What is said of each cause."""

OF_TEMPLATES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "the SIM asks for its PIN and none is set": "sim-pin",
        "the SIM asks for its PIN again: the one that is set was tried and is not tried again": "sim-pin-refused",
        "the SIM asks for its PIN and one try is left: that one is for a person": "sim-pin",
        "the SIM refused the PIN ({text})": "sim-pin-refused",
        "the SIM cannot be used: {cme_meaning}": "sim",
        "no network: {registration}": "no-network",
        "{path} is held by {named}": "port-busy",
        "{path} is held by another user's program, probably {named}": "port-busy",
        "{path} is used by another modem of this gateway": "port",
        "{path} may not be opened by this user (add it to the group dialout)": "port",
        "the sandbox of the service refuses {path}: its driver was not loaded when the service started, or is not"
        " allowed there (DeviceAllow)": "sandbox",
        "{path} cannot be opened: {reason}": "port",
        "no port is set": "port",
        "daily quota is used up": "daily-quota",
        "monthly quota is used up": "monthly-quota",
        "the server's certificate is not valid for {host}: {problem}": "certificate",
        WRONG_LOGIN.template: "login",
        LOGIN_WANTED.template: "login",
        "the clock of this device may be wrong: {reason}": "clock",
        "the certificate ends on {day}": "certificate-ends",
        "the certificate has expired: browsers and applications refuse it": "certificate-ends",
        "the report cannot be written: {failed}": "card",
        "{path} is full: settings, report, usage and in-flight notes cannot be kept": "card",
        "{path} is read-only: settings, report, usage and in-flight notes cannot be kept": "card",
        STORAGE_FULL.template: "disk",
        LOGINS_FAILED.template: "logins",
        TOO_HOT.template: "heat",
        MEMORY_SHORT.template: "memory",
        CARD_ERRORS.template: "card-errors",
        CARD_WORN.template: "card-errors",
        USB_OVERLOAD.template: "usb",
    }
)
"""The cause of what is told, by the template of the sentence."""

OF_PLUGINS: Final[Mapping[tuple[str, str], str]] = MappingProxyType(
    {
        ("otppi_modem_modemmanager", "there is no SIM card in the modem"): "no-sim",
        ("otppi_modem_modemmanager", "the SIM refused the PIN ({short})"): "sim-pin-refused",
    }
)
"""The same of what plugins of this repository tell, by their catalogue and the template."""

_LOCKS: Final[Mapping[str, str]] = {"the SIM asks for {status}": "status", "the SIM asks for {locks}": "locks"}
"""Templates that say which number the SIM card asks for, and the argument that it is."""
_REFUSALS: Final = frozenset({8, 10, 21, 29, 50, 69})
"""+CMS ERROR by which an operator says that this card may not send (3GPP TS 24.011 E-2, 23.040 9.2.3.22)."""
_CMS_ERROR: Final = re.compile(r"\+CMS ERROR: (\d+)")

TOLD_ELSEWHERE: Final = frozenset(
    {
        "modem {modem}: its balance is low ({amount:,.2f})",
        "{name}: no connection to {server}: {last_problem}",
        "{key} does not answer: {stalled}",
        "{key} is {state}: {last_error}",
        "{key} failed, and is {state}: {last_error}",
    }
)
"""Templates of warnings that are told with the modem or the source that they are about."""

_SETTINGS: Final[Mapping[str, str]] = {"daily-quota": "daily_quota", "monthly-quota": "monthly_quota"}
"""Causes that one setting of a modem does away with: that setting."""
_LINKS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "certificate-ends": "/system/certificate",
        "clock": "/clock",
        "card-errors": "/system/backup",
        "memory": "/system/status",
        "heat": "/system/status",
    }
)
"""Pages of what is the matter with the device as a whole."""
_WAITS: Final = frozenset({"starting", "recovering"})
_A_DAY: Final = 86_400.0
_NO_CARD: Final = "not inserted"
"""In what +CME ERROR: 10 means (3GPP TS 27.007 9.2.1), "SIM not inserted"."""


def needs(status: Mapping[str, Any], modems: Sequence[Mapping[str, Any]]) -> list[Need]:
    """Return what needs a person, by what the operations `status` and `modems` tell."""
    of_modems = [need for modem in modems for need in needs_of_modem(modem)]
    return [*of_modems, *_of_sources(status["ingresses"]), *_of_device(status)]


def backup_need(made: float | None, claimed: float | None, now: float) -> Iterator[Need]:
    """Return that there is no backup yet, where the device has been in use for a day.

    Args:
        made: When the last one was made, in Unix seconds.
        claimed: When the device was claimed.
        now: The time.
    """
    if made is None and claimed is not None and abs(now - claimed) > _A_DAY:
        yield Need("", *CAUSES["backup"], "", "/system/backup", "backup")


def cause_of(told: str) -> str:
    """Return the key of the cause that a sentence tells, or one that it quotes; empty of one that is not known."""
    if not isinstance(told, Text):
        return ""
    if lock := _LOCKS.get(told.template):
        return "sim-puk" if "PUK" in str(told.arguments[lock]) else "sim-pin"
    key = OF_TEMPLATES.get(told.template) or OF_PLUGINS.get((told.domain, told.template), "")
    if not key:
        quoted = (cause_of(one) for one in told.arguments.values() if isinstance(one, Text))
        return next(filter(None, quoted), "")
    return "no-sim" if key == "sim" and _NO_CARD in told else key


def refusal_said(cause: str) -> tuple[Text, Text] | None:
    """Return what is so and what to do where the operator has refused a message; None where that is not why."""
    number = _CMS_ERROR.search(cause)
    return CAUSES["refused"] if number and int(number[1]) in _REFUSALS else None


def needs_of_modem(modem: Mapping[str, Any]) -> Iterator[Need]:
    """Return what a modem needs of a person, by what the operation `modems` tells of it."""
    name, detail = modem["modem_id"], modem["detail"] or modem["unusable"]
    if modem["state"] == "stopped":
        yield _stopped(name, f"modem:{name}")
        return
    link = f"/modems/show?modem={quote(name)}"
    key = cause_of(detail)
    if modem["state"] in ("absent", "blocked"):
        key = key or str(modem["state"])
    elif modem["state"] in _WAITS and key != "no-network":
        key = ""  # it is being worked on
    if key:
        setting = f"/settings/modems/edit?_item={quote(name)}#f-{_SETTINGS[key]}" if key in _SETTINGS else ""
        yield Need(name, *_said(key, detail), detail, link, key, setting)
    if modem.get("balance_low"):
        yield Need(name, *_balance_said(modem), "", link, "balance")
    if modem["sim_problem"]:
        yield Need(name, modem["sim_problem"], "", "", link)


def _said(key: str, told: str) -> tuple[Text, Text]:
    """Return what is so, with the names of what is in the way where they are told, and what to do."""
    cause, advice = CAUSES[key]
    if key == "port-busy" and isinstance(told, Text):
        cause = _("Another program uses the port: {programs}.", programs=told.arguments["named"])
    return cause, advice


def _balance_said(modem: Mapping[str, Any]) -> tuple[Text, Text]:
    cause, advice = CAUSES["balance"]
    amount, limit = modem.get("balance"), modem.get("balance_limit")
    if amount is not None and limit:
        cause = _("Balance Rp {amount:,.0f}, below the limit of Rp {limit:,.0f}.", amount=amount, limit=limit)
    return cause, advice


def _stopped(title: str, service: str) -> Need:
    """Return that something was stopped: it is forgotten easily, and nothing else tells of it."""
    return Need(title, *CAUSES["stopped"], "", f"/services/start?service={quote(service)}", "stopped")


def _of_sources(ingresses: Sequence[Mapping[str, Any]]) -> Iterator[Need]:
    for one in ingresses:
        if one["state"] == "stopped":
            yield _stopped(one["title"], one["name"])
            continue
        trouble = one.get("stalled") or one["last_error"] or ""
        if is_link(one) and not one["connected"] and one["last_problem"]:
            yield Need(one["title"], *CAUSES[cause_of(one["last_problem"]) or "unreachable"], one["last_problem"])
        elif trouble and (one.get("stalled") or one["state"] != "running"):
            yield Need(one["title"], *CAUSES[cause_of(trouble) or "ingress"], trouble)


def _of_device(status: Mapping[str, Any]) -> Iterator[Need]:
    if status["power_supply"]:
        yield Need("", *CAUSES["power"], status["power_supply"])
    causes = [(told, cause_of(told)) for told in (*status["warnings"], *status["problems"])]
    full = any(key == "card" for _told, key in causes)
    for told, key in causes:
        if (isinstance(told, Text) and told.template in TOLD_ELSEWHERE) or (key == "disk" and full):
            continue
        if key:
            yield Need("", *CAUSES[key], told, _LINKS.get(key, ""), key)
        else:
            yield Need("", told)
