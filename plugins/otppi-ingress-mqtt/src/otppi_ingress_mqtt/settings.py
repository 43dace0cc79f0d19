"""The settings of the MQTT ingress."""

from collections.abc import Iterable, Mapping
from typing import Any

from otppi.api.settings import Effect, FieldError, Section, boolean, integer, text
from otppi.kit.broker.settings import BROKER_GROUPS, COMMANDS, FURTHER, SERVER, broker_problems, broker_settings
from otppi_ingress_mqtt.text import _
from otppi_ingress_mqtt.topics import catches, filter_problem, group_problem, name_problem, subscription

KEY = "ingress-mqtt"
VERSION_5, VERSION_3 = "5", "3.1.1"
_NEVER = 4_294_967_295
"""A session that does not expire (MQTT 5, 3.1.2.11.2)."""


def _name_or_nothing(topic: str) -> str | None:
    return name_problem(topic) if topic else None


_TOPIC = text(
    "topic",
    _("Topic"),
    _(
        "Topic that commands are taken from; may hold wildcards, + and #, or be a shared subscription, "
        "$share/GROUP/TOPIC."
    ),
    "sms",
    check=filter_problem,
)
_CLIENT_ID = text(
    "client_id",
    _("Client ID"),
    _(
        "The broker knows the session of this gateway by it, so each needs one of its own; empty: one that is made up "
        "once and kept."
    ),
    group=SERVER,
    pattern=r"[\x20-\x7e]{1,256}",
    pattern_says=_("at most 256 letters, digits and signs of ASCII"),
)
_OWN = (
    integer(
        "qos",
        _("QoS"),
        _(
            "Quality of service of commands and answers. 0: what is on its way when something fails is lost; 1 and 2: "
            "the broker keeps a command until it has come to its end."
        ),
        1,
        minimum=0,
        maximum=2,
        group=COMMANDS,
    ),
    text("protocol", _("Protocol"), _("Version of MQTT."), VERSION_5, choices=(VERSION_5, VERSION_3), group=FURTHER),
    integer(
        "keep_alive",
        _("Keep alive"),
        _("The broker is asked for a sign of life after so long a silence; it is given up after as long again."),
        30,
        minimum=5,
        maximum=3600,
        unit=_("s"),
        group=FURTHER,
    ),
    integer(
        "session_expiry",
        _("Session expiry"),
        _(
            "The broker keeps commands for this gateway for so long while it is away; {never} for ever; 0: not at all. "
            "With 3.1.1 the broker decides how long, and only 0 makes a difference.",
            never=str(_NEVER),
        ),
        86_400,
        minimum=0,
        maximum=_NEVER,
        unit=_("s"),
        group=FURTHER,
    ),
    text(
        "shared_group",
        _("Shared group"),
        _(
            "Gateways with the same group share the commands of the topic: each goes to one of them. Empty: every "
            "subscriber gets all."
        ),
        check=group_problem,
        group=COMMANDS,
    ),
    integer(
        "receive_maximum",
        _("Receive maximum"),
        _(
            "The broker hands over so many commands that have not come to their end, no more (MQTT 5); 0: what the "
            "modems can send within the next seconds."
        ),
        0,
        minimum=0,
        maximum=65_535,
        group=FURTHER,
    ),
    text(
        "status_topic",
        _("Status topic"),
        _(
            "Where the state of this gateway is published as a retained message, which the broker replaces when the "
            "gateway dies; empty for nowhere."
        ),
        check=_name_or_nothing,
        group=COMMANDS,
    ),
    boolean(
        "discovery",
        _("Home Assistant discovery"),
        _(
            "Home Assistant finds the modems by itself: their state, signal, queue, how many messages each has sent "
            "today, and its balance where that is read. It needs a status topic, and a user who may publish to "
            "PREFIX/device/+/config. When this is switched off they are taken back."
        ),
        False,
        group=FURTHER,
    ),
    text(
        "discovery_prefix",
        _("Discovery prefix"),
        _("The prefix of topics that Home Assistant looks below, as it is set there."),
        "homeassistant",
        check=name_problem,
        enabled_by="discovery",
        group=FURTHER,
    ),
)

_shared = broker_settings(_("Mosquitto or another MQTT broker"), port=1883, source=_TOPIC)
_after_port = next(index for index, setting in enumerate(_shared, 1) if setting.key == "port")


def _caught_problems(values: Mapping[str, Any]) -> Iterable[FieldError]:
    """Find topics that are published to and cannot be, or whose messages would come back as commands."""
    for key in ("status_topic", "inbox_topic") if values["enable"] else ():
        topic = values[key]
        problem = _name_or_nothing(topic)
        if problem is None and topic and catches(subscription(values), topic):
            problem = _("must not be one that commands are taken from")
        if problem is not None:
            yield FieldError(key, problem)


def _discovery_problems(values: Mapping[str, Any]) -> Iterable[FieldError]:
    """Find what keeps Home Assistant from learning how a modem is, or brings what it is told back as a command."""
    if not (values["enable"] and values["discovery"]):
        return
    if not values["status_topic"]:
        yield FieldError("status_topic", _("is required for Home Assistant discovery: the modems' states are there"))
    if catches(subscription(values), f"{values['discovery_prefix']}/device/otppi/config"):
        yield FieldError("discovery_prefix", _("must not be one that commands are taken from"))


SECTION = Section(
    key=KEY,
    title=_("MQTT"),
    help=_("Takes commands from Mosquitto, or any other broker of MQTT 5 or 3.1.1."),
    settings=(*_shared[:_after_port], _CLIENT_ID, *_shared[_after_port:], *_OWN),
    reset_group="subscriber_mqtt",
    groups=BROKER_GROUPS,
    effect=Effect.RECONNECTS,
    checks=(broker_problems, _caught_problems, _discovery_problems),
)


def enabled(values: Mapping[str, Any]) -> bool:
    """Whether it should run."""
    return bool(values["enable"])
