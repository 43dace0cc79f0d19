"""What is said of the objects of a list: of each a line or two, and what goes with one that is removed."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from otppi.admin.forms import asked_for, spoken
from otppi.api.settings import Section, Setting
from otppi.text import Text, _

EMPTY: Final[Mapping[str, str]] = {
    "modems": _("No modem yet. Plug one in: it appears here within seconds."),
    "api_users": _("No API user yet. Without one no application can send."),
}
"""What stands where a list is empty."""
ADDED_AT: Final[Mapping[str, str]] = {"api_users": "/users/add"}
"""Pages on which an object is added that gets more than settings, such as a token."""
TEMPLATES: Final[Mapping[str, str]] = {"api_users": "api_users.html"}
"""Of lists with buttons of their own."""
PARTS: Final[Mapping[str, tuple[str, Collection[str]]]] = {
    "prices": (
        "/routing",
        ("recipient_prefixes", "default_modem", "price", "prices", "promotions", "quiet_hours", "quiet_for"),
    )
}
"""Parts of a modem's settings that have pages of their own: those pages, and which settings they are."""
BESIDE: Final[Mapping[str, tuple[str, Text]]] = {
    "sms": ("/routing", _("Routing and prices")),
    "clock": ("/clock", _("Clock")),
    "encryption": ("/keys", _("Encryption keys")),
    "ingress-rest": ("/settings/api_users", _("API users")),
}
"""The page that belongs to a section beside its form."""
LIST_PAGES: Final[Mapping[str, str]] = {"modems": "/modems"}
"""Of lists that have a page besides that of their settings: that page, which one comes back to."""
_MOST: Final = 6
"""Facts that are told of one object of a list."""
_NOT_SAID: Final = frozenset({"active", "blocked"})
"""What a list says by a state."""

Facts = list[tuple[str, str]]


def about(section: Section, item: Mapping[str, Any]) -> Facts:
    """Return what is set of an object and is no default; of secrets only that they are."""
    return [fact for key, fact in _facts(section, item) if key not in _NOT_SAID][:_MOST]


def depends_on(section: Section, item: Mapping[str, Any]) -> Facts:
    """Return all that goes with an object where it is removed."""
    return [fact for _key, fact in _facts(section, item)]


def depends_on_modem(modems: Sequence[Mapping[str, Any]], name: str) -> list[Text]:
    """Return what is no more where a modem is removed, by what the operation `modem_overview` tells of all."""
    modem = next((one for one in modems if one["modem_id"] == name), None)
    if modem is None:
        return []
    others = [one for one in modems if one is not modem and one["active"] and one["sends_sms"]]
    told: list[Text] = []
    if modem["queued"]:
        told.append(
            _("Messages wait for it: {count}. They go by another modem, or fail and say why.", count=modem["queued"])
        )
    if modem["recipient_prefixes"] and others:
        prefixes = ", ".join(modem["recipient_prefixes"])
        told.append(_("Receivers whose number begins with {prefixes} go by another modem.", prefixes=prefixes))
    if modem["default_modem"]:
        told.append(_("It is the default modem: receivers that no prefix names have none without it."))
    if modem["internet_access"]:
        told.append(_("It connects to the internet: that ends."))
    if modem["active"] and not others:
        told.append(_("No other modem is active: nothing is sent any more."))
    return told


def _facts(section: Section, item: Mapping[str, Any]) -> list[tuple[str, tuple[str, str]]]:
    return [
        (setting.key, (setting.title, _said(section, setting, item[setting.key])))
        for setting in asked_for(section)
        if setting.key in item
        and setting.key != section.identity
        and not setting.advanced
        and item[setting.key] != setting.default
    ]


def _said(section: Section, setting: Setting, value: Any) -> str:
    kind = (section.types or {}).get(value) if setting.key == section.typed_by else None
    return spoken(setting, value) if kind is None else kind.title
