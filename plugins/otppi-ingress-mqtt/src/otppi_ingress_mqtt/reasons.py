"""What a broker's reason codes mean for the person who has set the gateway up (MQTT 5, 2.4)."""

from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from otppi.api.text import joined, labelled
from otppi.kit.net.failures import WRONG_LOGIN
from otppi_ingress_mqtt.text import _

NOT_AUTHORISED = 0x87
KEEP_ALIVE = 0x8D
SESSION_TAKEN_OVER = 0x8E
PACKET_ID_IN_USE = 0x91
NO_SUBSCRIBERS = 0x10
POISONOUS = frozenset({0x81, 0x82, 0x90, 0x94, 0x95, 0x99, 0x9A, 0x9B})
"""The broker hung up because of what was published: publishing it again would make it hang up again."""

_HINTS = {
    0x84: _("it does not speak this version of MQTT; see the setting protocol"),
    0x85: _("it does not accept the setting client_id"),
    0x86: WRONG_LOGIN,
    0x87: _("this user may not do that"),
    0x8A: _("this client is banned"),
    0x8B: _("it is shutting down"),
    0x8D: _("it heard nothing from here for too long"),
    0x8F: _("it does not accept the topic that is subscribed to"),
    0x93: _("it says that more was sent than it takes at once"),
    0x95: _("a packet was larger than it takes"),
    0x9A: _("it keeps no retained messages; leave the setting status_topic empty"),
    0x9B: _("it does not support this QoS; see the setting qos"),
    0x9C: _("another server is to be used"),
    0x9D: _("it has moved to another server"),
    0x9E: _("it knows no shared subscriptions; see the setting shared_group"),
    0xA2: _("it allows no wildcards; see the setting topic"),
}


def explain_refusal(reason: ReasonCode, properties: Properties | None, client_id: str) -> str:
    """Write the reason code of a connection that the broker refuses as a sentence.

    "Not authorized" is there what most brokers say of a wrong password, Mosquitto too.
    """
    words = explain(reason, properties, client_id)
    return joined("; ", (WRONG_LOGIN, words)) if reason.value == NOT_AUTHORISED else words


def explain(reason: ReasonCode, properties: Properties | None, client_id: str) -> str:
    """Write a reason code as a sentence."""
    if reason.value == SESSION_TAKEN_OVER:
        return _(
            "another client has connected with the client id {client_id}: every gateway needs one of "
            "its own, else they throw each other out",
            client_id=client_id,
        )
    said = f"{reason} (0x{reason.value:02X})"
    hint = _HINTS.get(reason.value)
    words = labelled(hint, said) if hint else said
    for name in ("ReasonString", "ServerReference"):
        more = getattr(properties, name, None)
        if more:
            words = joined("; ", (words, repr(str(more)[:200])))
    return words
