"""Home Assistant's MQTT discovery: a retained message for each modem, which says what is known of it, and where.

It is the discovery of whole devices (`PREFIX/device/ID/config`), which Home Assistant has since 2024.11. What is told
of a modem stands in the state of the gateway; nothing of a message is told, nor whose SIM card or modem it is.
"""

import hashlib
import json
import logging
import re
import time
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from otppi.kit.broker.own_name import recall, remember
from otppi_ingress_mqtt.outgoing import LOST, Outgoing
from otppi_ingress_mqtt.settings import KEY
from otppi_ingress_mqtt.text import _

logger = logging.getLogger(__name__)

MODEM_STATES = ("starting", "ready", "recovering", "absent", "blocked", "stopped")
"""All that a sensor of the class `enum` may have as its state."""
FIGURES = ("signal_dbm", "queued", "sent_today", "balance")
"""What the state of the gateway tells of a modem beside its state, where Home Assistant is told of it."""
_SENSORS: Mapping[str, Mapping[str, Any]] = {
    "state": {"name": "State", "device_class": "enum", "options": list(MODEM_STATES), "icon": "mdi:sim"},
    "signal_dbm": {
        "name": "Signal",
        "device_class": "signal_strength",
        "state_class": "measurement",
        "unit_of_measurement": "dBm",
        "entity_category": "diagnostic",
    },
    "queued": {"name": "Queue", "state_class": "measurement", "icon": "mdi:tray-full"},
    "sent_today": {"name": "Sent today", "state_class": "total_increasing", "icon": "mdi:message-arrow-right"},
    "balance": {"name": "Balance", "state_class": "measurement", "icon": "mdi:wallet"},
}
_NOT_IN_IDS = re.compile(r"[^a-zA-Z0-9_-]+")
_LONGEST_NAME = 32
_LOSSES = 3
"""Connections that were lost in a row while one of ours was on its way: that is no chance any more."""
_OURS = re.compile(r"[^+#\x00]+/device/otppi-[a-zA-Z0-9_-]+/config")
"""A topic that was kept; a damaged file must not have anything else taken back."""


def id_of(client_id: str, modem: str) -> str:
    """Return what names a modem for good: letters, digits, - and _, whatever its own name and the client id hold.

    The hash alone tells modems of all gateways apart; the rest is for who reads it.
    """
    key = f"{len(client_id)}:{client_id}{modem}".encode(errors="surrogatepass")
    digest = hashlib.blake2b(key, digest_size=6).hexdigest()
    return f"otppi-{digest}-{_NOT_IN_IDS.sub('_', modem)[:_LONGEST_NAME]}"


def device_of(modem: Mapping[str, Any], device_id: str, status_topic: str, version: str) -> bytes:
    """Write what Home Assistant is told of a modem; a figure that is not known of it yet is no sensor."""
    sensors = [key for key in _SENSORS if key != "balance" or modem.get("balance") is not None]
    config = {
        "device": {
            "identifiers": [device_id],
            "name": f"OTP-Pi {modem['modem_id']}",
            "manufacturer": "OTP-Pi",
            "model": "SMS modem",
            "sw_version": version,
        },
        "origin": {"name": "OTP-Pi", "sw_version": version},
        "availability_topic": status_topic,
        "availability_template": "{{ 'offline' if value_json.status == 'offline' else 'online' }}",
        "state_topic": status_topic,
        "components": {
            key: {
                "platform": "sensor",
                "unique_id": f"{device_id}-{key}",
                "value_template": _template(device_id, key),
                **_SENSORS[key],
            }
            for key in sensors
        },
    }
    return json.dumps(config, separators=(",", ":")).encode()


def _template(device_id: str, key: str) -> str:
    """Return the Jinja expression that finds a figure in the state of the gateway; `None` where it is not there."""
    return (
        f"{{{{ value_json.modems | default([]) | selectattr('id', 'eq', '{device_id}') "
        f"| map(attribute='{key}') | first | default(None) }}}}"
    )


class Discovery:
    """Publishes a configuration for each modem, and takes back those of modems that are gone. The connection's thread.

    Which ones there are with the broker is kept in a file: a modem may be removed, and the setting switched off, while
    the gateway does not run.

    Args:
        folder: The ingress' own.
        client_id: The gateway's name with the broker.
        status_topic: Where the state of the gateway is.
        prefix: What Home Assistant looks below; empty: everything is taken back.
        outgoing: Publishes.
        rest: Seconds until what the broker does not take is tried again.
    """

    def __init__(
        self, folder: Path, client_id: str, status_topic: str, prefix: str, outgoing: Outgoing, rest: float
    ) -> None:
        self._path = folder / "discovered"
        self._client_id = client_id
        self._status_topic = status_topic
        self._prefix = prefix
        self._outgoing = outgoing
        self._rest = rest
        self._kept = _recalled(self._path)
        self._told: dict[str, bytes] = {}
        self._waiting: dict[str, bytes] = {}
        self._under_way = 0
        self._proved = False
        """Whether the broker has taken one since the connection was made: before that there is one at a time."""
        self._losses = 0
        self._rests_until = 0.0
        self.refused = ""
        """Why the broker does not take it, to people; empty where it does."""

    @property
    def has_work(self) -> bool:
        """Whether there is anything to tell, or to take back."""
        return bool(self._prefix or self._kept)

    def figures(self, modem: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the state of the gateway is to tell of a modem beside its state; nothing where it is off."""
        if not self._prefix:
            return {}
        known = {key: modem.get(key) for key in FIGURES if key != "balance" or modem.get(key) is not None}
        return {"id": id_of(self._client_id, str(modem.get("modem_id"))), **known}

    def connected(self) -> None:
        """Publish it all anew: this may be another broker, or one that has forgotten."""
        self._told, self._waiting, self._under_way, self._proved = {}, {}, 0, False

    def look(self, health: Mapping[str, Any]) -> None:
        """See which modems there are, and what is to be published for that."""
        wanted = dict(self._wanted(health)) if self._prefix else {}
        self._keep(self._kept | wanted.keys())  # before the broker has it: a crash must not leave it there for good
        if time.monotonic() < self._rests_until:
            return
        gone = dict.fromkeys(self._kept - wanted.keys(), b"")
        for topic, payload in (gone | wanted).items():
            if self._told.get(topic) != payload:
                self._told[topic] = self._waiting[topic] = payload

    def pump(self) -> None:
        """Publish as much of it as the broker takes at once."""
        while self._waiting and self._outgoing.has_window and (self._proved or not self._under_way):
            topic, payload = next(iter(self._waiting.items()))
            del self._waiting[topic]
            self._under_way += 1
            self._outgoing.state(topic, payload, partial(self._published, topic, payload))

    def _wanted(self, health: Mapping[str, Any]) -> Iterable[tuple[str, bytes]]:
        for modem in health.get("modems", ()):
            device_id = id_of(self._client_id, str(modem["modem_id"]))
            config = device_of(modem, device_id, self._status_topic, str(health.get("version")))
            yield f"{self._prefix}/device/{device_id}/config", config

    def _published(self, topic: str, payload: bytes, problem: str) -> None:
        """Take note of what the broker says; Mosquitto 2.0.11 without a limit of its queues hangs up beside that."""
        self._under_way -= 1
        if problem == LOST:
            self._losses += 1
            if self._losses >= _LOSSES:
                self._refuse(_("it hangs up each time"))
        elif problem:
            self._refuse(problem)
        else:
            self._proved, self._losses, self.refused = True, 0, ""
            if not payload and self._told.get(topic) == b"":
                self._told.pop(topic)
                self._keep(self._kept - {topic})

    def _refuse(self, problem: str) -> None:
        """Try no more of it for a while: a broker that hangs up because of it would do so again and again."""
        if not self.refused:
            logger.warning(
                "%s: the broker does not take what Home Assistant is to discover (%s); it takes everything else",
                KEY,
                problem,
            )
        self._losses, self._rests_until = 0, time.monotonic() + self._rest
        self._told, self._waiting = {}, {}
        self.refused = _(
            "the broker does not take what Home Assistant is to discover ({problem}): let this user publish to "
            "{prefix}/device/+/config, or switch discovery off",
            problem=problem,
            prefix=self._prefix or "PREFIX",
        )

    def _keep(self, topics: Iterable[str]) -> None:
        topics = frozenset(topics)
        if topics != self._kept:
            self._kept = topics
            remember(self._path, json.dumps(sorted(topics)), "list of what Home Assistant was told")


def _recalled(path: Path) -> frozenset[str]:
    """Return the topics that were published to; none where the file is damaged."""
    try:
        kept = json.loads(recall(path) or "[]")
    except ValueError:
        return frozenset()
    topics = kept if isinstance(kept, list) else ()
    return frozenset(one for one in topics if isinstance(one, str) and _OURS.fullmatch(one))
