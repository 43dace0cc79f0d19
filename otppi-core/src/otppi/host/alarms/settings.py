"""The settings of alarms: where they go, what is watched, and how often somebody is told."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypedDict, cast

from otppi.api.operations import Role
from otppi.api.settings import Document, FieldError, Group, TypedSection, boolean, grouped, integer, text_list
from otppi.api.settings.setting import Setting
from otppi.host.administrators.settings import AdministratorValues, may_log_in
from otppi.text import Text, _

MOST_AN_HOUR: Final = 60
MOST_A_DAY: Final = 500
"""Notices that may be told at most, whatever is set: the moments of those are kept."""


class AlarmsValues(TypedDict):
    """The values of `ALARMS`."""

    sms: bool
    webhook: bool
    email: bool
    recipients: list[str]
    tell_ends: bool
    light: bool
    buzzer: bool
    balance: bool
    modem: bool
    modem_minutes: int
    ingress: bool
    ingress_minutes: int
    quota: bool
    disk: bool
    disk_percent: int
    voltage: bool
    heat: bool
    heat_celsius: int
    memory: bool
    card: bool
    usb: bool
    clock: bool
    logins: bool
    logins_an_hour: int
    update: bool
    most_an_hour: int
    most_a_day: int
    balance_repeat: int
    modem_repeat: int
    ingress_repeat: int
    quota_repeat: int
    disk_repeat: int
    voltage_repeat: int
    heat_repeat: int
    memory_repeat: int
    card_repeat: int
    usb_repeat: int
    clock_repeat: int
    logins_repeat: int
    update_repeat: int


def recipients_of(
    named: Sequence[str], administrators: Iterable[AdministratorValues], field: str
) -> list[AdministratorValues]:
    """Return the administrators whom alarms go to.

    Args:
        named: Setting `recipients`; where it is empty, all of the role administrator are meant.
        administrators: All that there are.
        field: What they have to have: `phone` or `email`.
    """
    meant = (one for one in administrators if may_log_in(one) and cast("Mapping[str, Any]", one)[field])
    return [one for one in meant if (one["username"] in named if named else one["role"] == Role.ADMINISTRATOR)]


def _goes_nowhere(document: Document) -> Iterable[FieldError]:
    """Refuse a way by which nobody would be told anything."""
    alarms = document.object("alarms")
    administrators = cast("Sequence[AdministratorValues]", document.objects("administrators"))
    named = alarms["recipients"]
    if alarms["sms"] and not recipients_of(named, administrators, "phone"):
        reason = _("goes to nobody: none of the recipients may log in and has a phone number")
        yield FieldError("alarms.sms", reason)
    if alarms["email"] and not recipients_of(named, administrators, "email"):
        reason = _("goes to nobody: none of the recipients may log in and has an e-mail address")
        yield FieldError("alarms.email", reason)
    elif alarms["email"] and not any(one["active"] for one in document.objects("mail_accounts")):
        yield FieldError("alarms.email", _("needs a mail account that is active"))
    if alarms["webhook"] and not document.object("webhook")["url"]:
        yield FieldError("alarms.webhook", _("needs a URL in the settings of the webhook"))


def _watched(key: str, title: Text, about: Text) -> Setting:
    return boolean(key, title, about, True)


def _repeat(key: str, title: Text) -> Setting:
    about = _("How long after it was told it is told again, while it lasts; 0: never.")
    return integer(f"{key}_repeat", title, about, 24, minimum=0, maximum=24 * 365, unit=_("h"))


_BALANCE = _("Low balance")
_MODEM = _("Modem that does not send")
_INGRESS = _("Broker or API that does not work")
_QUOTA = _("Quota used up")
_DISK = _("Storage full")
_VOLTAGE = _("Undervoltage")
_HEAT = _("Heat")
_MEMORY = _("Memory used up")
_CARD = _("Errors of the card")
_USB = _("USB port cut off")
_CLOCK = _("Clock not set")
_LOGINS = _("Many failed logins")
_UPDATE = _("Update that failed")

ALARMS = TypedSection(
    values=AlarmsValues,
    key="alarms",
    title=_("Alarms"),
    help=_("Tells administrators what needs a person: by SMS, e-mail or webhook, each thing once and not too often."),
    reset_group="administrator",
    groups=(
        Group("ways", _("Where alarms go")),
        Group(
            "signal",
            _("Light and buzzer"),
            _("Of a device that has them at its pins: docs/hardware.md says how they are wired."),
        ),
        Group("watched", _("What is watched")),
        Group("device", _("What is watched of the device")),
        Group("limits", _("At most so many"), _("One notice tells of all that is new. What is too much is counted.")),
        Group("repeats", _("Told again"), advanced=True),
    ),
    check_document=(_goes_nowhere,),
    settings=(
        *grouped(
            "ways",
            boolean("sms", _("By SMS"), _("Send them to the phone numbers of the recipients; each SMS costs."), False),
            boolean("webhook", _("By webhook"), _("Post them to the URL of the webhook, as event `alarm`."), False),
            boolean("email", _("By e-mail"), _("Send them to the e-mail addresses of the recipients."), False),
            text_list(
                "recipients",
                _("Recipients"),
                _("Usernames of the administrators who get them; none: all of the role administrator."),
                pattern=r"[^:\s\x00-\x1f]{1,64}",
                pattern_says=_("at most 64 characters without spaces and colons"),
            ),
            boolean("tell_ends", _("When it is well again"), _("Tell, too, when what was told is well again."), True),
        ),
        *grouped(
            "signal",
            boolean("light", _("Light"), _("Let it blink while any alarm is raised."), True),
            boolean(
                "buzzer",
                _("Buzzer"),
                _("Let it beep once a minute while an alarm is raised that is a problem, until somebody silences it."),
                True,
            ),
        ),
        *grouped(
            "watched",
            _watched("balance", _BALANCE, _("A SIM card's balance is below the limit that its modem has set.")),
            _watched("modem", _MODEM, _("A modem is lost, has no network, or needs a person.")),
            integer(
                "modem_minutes",
                _("Modem: after"),
                _("For how long it has to be so."),
                10,
                minimum=1,
                maximum=24 * 60,
                unit=_("min"),
                enabled_by="modem",
            ),
            _watched("ingress", _INGRESS, _("A broker refuses, or cannot be reached; an API does not run.")),
            integer(
                "ingress_minutes",
                _("Broker or API: after"),
                _("For how long it has to be so."),
                5,
                minimum=1,
                maximum=24 * 60,
                unit=_("min"),
                enabled_by="ingress",
            ),
            _watched("quota", _QUOTA, _("A modem has used up its quota of the day or the month.")),
            _watched("logins", _LOGINS, _("Somebody tries passwords, of the API or of the pages.")),
            integer(
                "logins_an_hour",
                _("Failed logins: from"),
                _("So many within an hour."),
                50,
                minimum=5,
                maximum=100_000,
                unit=_("logins"),
                enabled_by="logins",
            ),
            _watched("update", _UPDATE, _("A new version of OTP-Pi was tried, and did not work.")),
        ),
        *grouped(
            "device",
            _watched("disk", _DISK, _("The storage of the device is nearly full, or cannot be written.")),
            integer(
                "disk_percent",
                _("Storage: from"),
                _("So much of it is used."),
                90,
                minimum=50,
                maximum=99,
                unit=_("%"),
                enabled_by="disk",
            ),
            _watched("voltage", _VOLTAGE, _("The device gets too little voltage, as a Raspberry Pi tells.")),
            _watched("heat", _HEAT, _("The processor gets too hot; a Raspberry Pi slows down at 80 °C.")),
            integer(
                "heat_celsius",
                _("Heat: from"),
                _("So hot the processor is."),
                80,
                minimum=50,
                maximum=110,
                unit=_("°C"),
                enabled_by="heat",
            ),
            _watched("memory", _MEMORY, _("Less than 5 % of the memory is left for five minutes.")),
            _watched("card", _CARD, _("A file system has noted errors, or the card tells that it is worn out.")),
            _watched("usb", _USB, _("A USB port was cut off as too much current was drawn, such as by a modem.")),
            _watched("clock", _CLOCK, _("Nobody has told the device the time a quarter of an hour after its start.")),
        ),
        *grouped(
            "limits",
            integer(
                "most_an_hour",
                _("Within an hour"),
                _("Notices that are told within an hour."),
                6,
                minimum=1,
                maximum=MOST_AN_HOUR,
                unit=_("notices"),
            ),
            integer(
                "most_a_day",
                _("Within a day"),
                _("Notices that are told within 24 hours."),
                20,
                minimum=1,
                maximum=MOST_A_DAY,
                unit=_("notices"),
            ),
        ),
        *grouped(
            "repeats",
            _repeat("balance", _BALANCE),
            _repeat("modem", _MODEM),
            _repeat("ingress", _INGRESS),
            _repeat("quota", _QUOTA),
            _repeat("disk", _DISK),
            _repeat("voltage", _VOLTAGE),
            _repeat("heat", _HEAT),
            _repeat("memory", _MEMORY),
            _repeat("card", _CARD),
            _repeat("usb", _USB),
            _repeat("clock", _CLOCK),
            _repeat("logins", _LOGINS),
            _repeat("update", _UPDATE),
        ),
    ),
)
