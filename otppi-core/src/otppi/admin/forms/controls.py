"""How each kind of value is asked for, by what it means: the control, and the keyboard that a phone shows for it."""

from collections.abc import Iterable, Mapping
from typing import Final

from otppi.admin.forms.view import Control
from otppi.api.settings import Input, Kind, Section, Setting

_CONTROLS: Final[Mapping[Kind, Control]] = {
    Kind.TEXT: Control.LINE,
    Kind.INTEGER: Control.LINE,
    Kind.NUMBER: Control.LINE,
    Kind.BOOLEAN: Control.SWITCH,
    Kind.TEXT_LIST: Control.LINES,
    Kind.ROWS: Control.ROWS,
    Kind.ANY: Control.LINES,
}
_TYPES: Final[Mapping[Input, str]] = {
    # Not `url` or `email`: a browser rewrites what is typed there (spaces, international domains).
    Input.MSISDN: "tel",
    Input.PREFIX: "tel",
    Input.TIME: "time",
}
_KEYBOARDS: Final[Mapping[Input, str]] = {
    Input.HOST: "url",
    Input.URL: "url",
    Input.EMAIL: "email",
    Input.PIN: "numeric",
}
_NUMBERS: Final[Mapping[Kind, str]] = {Kind.INTEGER: "numeric", Kind.NUMBER: "decimal"}


def asked_for(section: Section) -> Iterable[Setting]:
    """Return the settings that a form asks for: hashes are made by programs, and secret rows cannot be shown."""
    hashes = {setting.hashed_in for setting in section.settings}
    return (
        setting
        for setting in section.settings
        if setting.key not in hashes
        and setting.input is not Input.HASH
        and not (setting.secret and setting.kind is Kind.ROWS)
    )


def control_of(setting: Setting, *, listed: bool = False) -> Control:
    """Return how a setting is asked for; `listed` where the page knows all values that it can have."""
    if (setting.choices or listed) and setting.kind is Kind.TEXT:
        return Control.CHOICE
    if setting.secret and setting.kind is Kind.BOOLEAN:
        return Control.CHOICE
    control = _CONTROLS[setting.kind]
    return Control.DOTS if setting.secret and control is Control.LINE else control


def type_of(setting: Setting) -> str:
    """Return the type of the HTML input."""
    if setting.secret:
        return "password"
    return _TYPES.get(setting.input, "text") if setting.input else "text"


def keyboard_of(setting: Setting) -> str:
    """Return the `inputmode` of a line, empty where the type says enough."""
    if setting.kind in _NUMBERS:
        # No phone has a minus on these keyboards, and such as iOS not even the other separator.
        return _NUMBERS[setting.kind] if setting.minimum is not None and setting.minimum >= 0 else ""
    return _KEYBOARDS.get(setting.input, "") if setting.input else ""


def autocomplete_of(setting: Setting) -> str:
    """Return what a browser may fill in: never the password of whoever is logged in, which it would put into a PIN."""
    return "new-password" if setting.secret else "off"
