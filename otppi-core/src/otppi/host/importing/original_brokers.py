"""The brokers of the original: `subscriber-*.json`, and `feeder-*.json` of its earlier versions.

Times are milliseconds there, but for `Refresh`, which is seconds. It does what it does only by its own code: MQTT and
STOMP are never encrypted, Redis neither, whatever `SSL` says, and MQTT always subscribes with QoS 0.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from otppi.host.importing.findings import Findings, as_number, as_seconds
from otppi.host.importing.json_files import json_object
from otppi.host.importing.original_tables import Row, take_rows
from otppi.text import _

Reader = Callable[[Findings, str, str], None]

_NO_PATH: Final = _("the original keeps it, and never uses it")
_BACK_OFF: Final = _("the pause grows by itself here, from one second to half a minute")
_PLAIN: Final = _(
    "the original never encrypts this connection, whatever this says: see that the port of the broker is that for TLS"
)
_FOR_EVER: Final = (0, "", "0")


def _server(ssl: str = "") -> tuple[Row, ...]:
    return (
        Row("Enable", "enable"),
        Row("SSL", "ssl", reason=ssl),
        Row("Address", "host"),
        Row("Port", "port", convert=as_number),
        Row("Password", "password"),
        Row("Timeout", "timeout", convert=as_seconds, nothing=_FOR_EVER),
        Row("Refresh", "refresh", convert=as_number),
    )


_USER: Final = Row("Username", "username")
_RECONNECT: Final = Row("ReconnectDelay", reason=_BACK_OFF)
_WS: Final = (
    *_server(),
    _USER,
    Row("Path", "path", convert=lambda path: f"/{path}" if str(path)[:1] != "/" else path),
    Row("Topic", "topic"),
    Row("ReconnectDelay", "reconnect_delay", convert=as_seconds, nothing=_FOR_EVER),
)
_AMQP: Final = (*_server(), _USER, Row("Topic", "queue"), Row("Path", reason=_NO_PATH), _RECONNECT)
_MQTT: Final = (
    *_server(_PLAIN),
    _USER,
    Row("ClientID", "client_id"),
    Row("Topic", "topic"),
    Row(
        "Qos",
        "qos",
        reason=_("the original always subscribes with QoS 0; with 1 or 2 nothing is lost while the device is away"),
        convert=as_number,
    ),
    _RECONNECT,
)


def _as_topic(value: Any) -> Any:
    return f"/topic/{value}" if isinstance(value, str) and not value.startswith("/") else value


_STOMP: Final = (
    *_server(_PLAIN),
    _USER,
    Row(
        "Topic",
        "destination",
        reason=_("a topic keeps nothing while the device is away; /queue/… does, if the senders send there, too"),
        convert=_as_topic,
    ),
    Row("Path", reason=_NO_PATH),
    Row("Database", reason=_NO_PATH),
    _RECONNECT,
)
_REDIS: Final = (
    *_server(_PLAIN),
    Row("Username", reason=_("the original gives it as the connection's name, not to log in")),
    Row("Topic", "key"),
    Row("Path", reason=_NO_PATH),
    _RECONNECT,
)


def _broker(section: str, rows: Sequence[Row], prefix: str) -> Reader:
    """Return the reader of one broker's file."""

    def reader(found: Findings, file: str, text: str) -> None:
        values = json_object(text)
        take_rows(found, file, values, rows, section, prefix=prefix)
        if section == "ingress-redis" and f"{prefix}Topic" in values:
            note = _("the original subscribes to a channel; a stream loses nothing, if the senders use one, too")
            found.propose(file, f"{prefix}Topic", values[f"{prefix}Topic"], (section, "", "kind"), "channel", note)

    return reader


def _amqp(prefix: str) -> Reader:
    """Return the reader of the file of RabbitMQ, whose version 1 is another protocol."""
    version_key = f"{prefix}Version"
    plain = _broker("ingress-rabbitmq", _AMQP, prefix)
    off = _broker("ingress-rabbitmq", [row for row in _AMQP if row.key != "Enable"], prefix)

    def reader(found: Findings, file: str, text: str) -> None:
        values: Mapping[str, Any] = json_object(text)
        if as_number(values.get(version_key)) != 1:
            plain(found, file, text)
            return
        off(found, file, text)
        reason = _(
            "AMQP 1.0 took from a topic; here AMQP 0-9-1 takes from a queue: have the senders publish to it, and then "
            "switch the ingress on"
        )
        found.leave(file, version_key, values[version_key], reason)
        if values.get(f"{prefix}Enable"):
            found.leave(file, f"{prefix}Enable", values[f"{prefix}Enable"], reason)

    return reader


BROKERS: Final[Mapping[str, Reader]] = {
    "subscriber-ws.json": _broker("ingress-wsmessagebroker", _WS, "subscriberWs"),
    "subscriber-amqp.json": _amqp("subscriberAmqp"),
    "subscriber-mqtt.json": _broker("ingress-mqtt", _MQTT, "subscriberMqtt"),
    "subscriber-redis.json": _broker("ingress-redis", _REDIS, "subscriberRedis"),
    "subscriber-stomp.json": _broker("ingress-stomp", _STOMP, "subscriberStomp"),
    "feeder-amqp.json": _amqp("feederAmqp"),
    "feeder-ws.json": _broker("ingress-wsmessagebroker", _WS, "feederWs"),
}
"""The readers of their files, by the names of these."""
