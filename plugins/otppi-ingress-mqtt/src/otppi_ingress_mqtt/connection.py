"""One connection to the broker: connected, subscribed, and its loop of reading and writing.

The thread that calls this drives paho's client itself (`loop_read`, `loop_write`, `loop_misc`). paho's own thread would
call back in the middle of everything, sleep through a stop, reconnect in its own way, and need a lock around each
acknowledgement; and its `loop()` cannot be woken by what other threads have to say.
"""

import select
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from paho.mqtt.client import ConnectFlags
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from otppi.kit.net.endpoint import Endpoint
from otppi.kit.net.failures import SILENT
from otppi.kit.net.link import LinkLost
from otppi.kit.net.wake import Wake
from otppi_ingress_mqtt import reasons
from otppi_ingress_mqtt.client import MqttClient, new_properties
from otppi_ingress_mqtt.stream import Stream
from otppi_ingress_mqtt.text import _

_AT_ONCE = 200
"""Packets that are read before anything else is looked at."""
_LOOK = 1.0
"""paho wants to look at the clock this often, for its pings; in seconds."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How a connection is made.

    Attributes:
        client_id: The name that the broker knows the session by.
        version_5: Whether MQTT 5 is spoken.
        keep_alive: Seconds of silence until a ping.
        session_expiry: How long the broker keeps the session, in seconds.
    """

    client_id: str
    version_5: bool
    keep_alive: int
    session_expiry: int


class PoisonedError(LinkLost):
    """The broker hung up because of what was published."""


class Connection:
    """A connection. One thread owns it; what goes wrong is raised as LinkLost.

    Args:
        client: paho's client, which outlives its connections as the session does.
        terms: How the connection is made.
        endpoint: The broker.
        wake: Ends the wait for something to happen.
        stopping: Whether to give up waiting for answers.
    """

    def __init__(
        self, client: MqttClient, terms: Terms, endpoint: Endpoint, wake: Wake, stopping: Callable[[], bool]
    ) -> None:
        self._client = client
        self._terms = terms
        self._endpoint = endpoint
        self._wake = wake
        self._stopping = stopping
        self._stream: Stream | None = None
        self._answered: tuple[ConnectFlags, ReasonCode, Properties | None] | None = None
        self._granted: list[ReasonCode] | None = None
        self._released = False
        self._silent = False
        self._farewell: tuple[ReasonCode, Properties | None] | None = None
        self.session_present = False
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_unsubscribe = self._on_unsubscribe
        client.on_disconnect = self._on_disconnect

    # -- beginning --------------------------------------------------------------------------------------------------

    def open(self, receive_maximum: int, began: Callable[[bool, Properties | None], None]) -> None:
        """Connect; `began` is told whether the broker has kept the session, and its properties, before any message."""
        terms = self._terms
        more: dict[str, Any] = {}
        if terms.version_5:
            properties = new_properties(PacketTypes.CONNECT)
            properties.SessionExpiryInterval = terms.session_expiry
            properties.ReceiveMaximum = receive_maximum
            more = {"clean_start": False, "properties": properties}
        self._began = began
        try:
            self._client.connect(self._endpoint.host, self._endpoint.port, terms.keep_alive, **more)
        except OSError as error:
            raise LinkLost(self._why(error)) from error
        self._stream = self._client.socket()  # type: ignore[assignment] # it is what MqttClient has made
        if not self._until(lambda: self._answered is not None, _("to CONNECT: maybe it does not speak MQTT")):
            raise LinkLost(_("the gateway is stopping"))
        assert self._answered is not None  # noqa: S101 - for the type checker
        _flags, reason, properties_ = self._answered
        if reason.is_failure:
            explain = reasons.explain_refusal(reason, properties_, terms.client_id)
            raise LinkLost(_("it refuses: {explain}", explain=explain))

    def subscribe(self, topic_filter: str, qos: int, *, instead_of: str | None) -> int | None:
        """Subscribe, after an end to another subscription where the session has one; return the QoS that is granted.

        None where the gateway is stopping meanwhile: what the session has brought already is still to be acknowledged.
        """
        if instead_of is not None:
            self._released = False
            self._client.unsubscribe(instead_of)
            if not self._until(lambda: self._released, _("to UNSUBSCRIBE")):
                return None
        self._granted = None
        if self._terms.version_5:  # commands that were retained are not wanted
            options = SubscribeOptions(qos, retainHandling=SubscribeOptions.RETAIN_DO_NOT_SEND)
            self._client.subscribe(topic_filter, options=options)
        else:
            self._client.subscribe(topic_filter, qos)
        if not self._until(lambda: self._granted is not None, _("to SUBSCRIBE")):
            return None
        assert self._granted is not None  # noqa: S101 - for the type checker
        for reason in self._granted:
            if reason.is_failure:
                raise LinkLost(
                    _(
                        "it refuses the topic {topic_filter}: {explain}",
                        topic_filter=topic_filter,
                        explain=reasons.explain(reason, None, ""),
                    )
                )
        return int(self._granted[0].value)

    def _until(self, done: Callable[[], bool], what: str) -> bool:
        """Wait for an answer of the broker; False where the gateway is stopping."""
        deadline = time.monotonic() + self._endpoint.timeout
        while not done():
            if self._stopping():
                return False
            left = deadline - time.monotonic()
            if left <= 0:
                raise LinkLost(_("{problem} ({what})", problem=self._endpoint.no_answer(), what=what))
            self.turn(left)
        return True

    # -- the loop ---------------------------------------------------------------------------------------------------

    def turn(self, seconds: float) -> None:
        """Write what is to be written, wait for something to happen, and read; at most so many seconds."""
        stream = self._stream
        if stream is None:
            raise LinkLost(_("it is closed"))
        self._write(stream)
        if self._readable(stream, min(seconds, _LOOK)):
            for _packet in range(_AT_ONCE):
                self._check(self._client.loop_read())
                if not stream.pending():
                    break
        if self._answered is not None:  # before that, who waits for the answer knows how long
            self._check(self._client.loop_misc())
        self._write(stream)

    def _readable(self, stream: Stream, seconds: float) -> bool:
        """Wait for the socket, or to be woken; whether there is something to read."""
        events = {stream.fileno(): select.POLLIN | (select.POLLOUT if stream.unsent else 0)}
        ready = self._wake.wait(0.0 if stream.pending() else seconds, events)
        return bool(stream.pending()) or bool(ready.get(stream.fileno(), 0) & ~select.POLLOUT)

    def _write(self, stream: Stream) -> None:
        if self._client.want_write():
            self._check(self._client.loop_write())
        try:
            stream.flush()
        except OSError as error:
            raise LinkLost(self._reason(self._why(error))) from error

    def _why(self, error: OSError) -> str:
        return self._endpoint.why(error) or _("the connection broke")

    def _check(self, code: MQTTErrorCode) -> None:
        if code is MQTTErrorCode.MQTT_ERR_SUCCESS and self._client.socket() is not None:
            return
        if self._farewell is not None and self._farewell[0].value in reasons.POISONOUS:
            raise PoisonedError(self._reason(""))
        raise LinkLost(self._reason(self._words(code)))

    def _reason(self, otherwise: str) -> str:
        if self._answered is not None and self._answered[1].is_failure:
            _flags, reason, properties = self._answered
            explain = reasons.explain_refusal(reason, properties, self._terms.client_id)
            return _("it refuses: {explain}", explain=explain)
        if self._silent:
            return _("{silent} (keep alive)", silent=SILENT)
        if self._farewell is not None:
            return _("it hung up: {explain}", explain=reasons.explain(*self._farewell, self._terms.client_id))
        return otherwise

    def _words(self, code: MQTTErrorCode) -> str:
        answered = self._answered is not None
        if code is MQTTErrorCode.MQTT_ERR_PROTOCOL:
            return _("it does not speak MQTT as it should") if answered else _("it does not speak this version of MQTT")
        if not answered:
            return _(
                "it closed the connection without an answer; maybe it speaks TLS at this port, or not "
                "this version of MQTT"
            )
        # Mosquitto 2.0 says no more when another client has taken the session over.
        return _(
            "the connection broke; if this goes on, another client has the same client id "
            "({client_id}): every gateway needs one of its own",
            client_id=self._terms.client_id,
        )

    # -- the end ----------------------------------------------------------------------------------------------------

    def finish(self, linger: float) -> None:
        """Say good-bye, so that the broker does not publish the last will, and let it read all that was written.

        Args:
            linger: Seconds that it has for that; one that is quick needs none of them.
        """
        stream = self._stream
        if stream is None or self._client.socket() is None:
            return
        self._write(stream)
        self._stream = None
        stream.lingers = linger  # paho closes it as soon as DISCONNECT is written
        self._client.disconnect()
        self._client.loop_write()

    def close(self) -> None:
        """Close it, if that has not been done."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()

    # -- paho's callbacks, on this thread ---------------------------------------------------------------------------

    def _on_connect(
        self, _client: Any, _data: Any, flags: ConnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        self._answered = (flags, reason, properties)
        if not reason.is_failure:
            self.session_present = flags.session_present
            self._began(flags.session_present, properties)

    def _on_subscribe(self, _client: Any, _data: Any, _mid: int, reason_codes: list[ReasonCode], _more: Any) -> None:
        self._granted = reason_codes

    def _on_unsubscribe(self, *_arguments: Any) -> None:
        self._released = True

    def _on_disconnect(
        self, _client: Any, _data: Any, flags: Any, reason: ReasonCode, properties: Properties | None
    ) -> None:
        if flags.is_disconnect_packet_from_server:
            self._farewell = (reason, properties)
        elif reason.value == reasons.KEEP_ALIVE:
            self._silent = True
