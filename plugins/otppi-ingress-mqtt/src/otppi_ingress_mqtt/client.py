"""paho's client with what is different here: its socket, the moment of the acknowledgements, and bounded memory."""

from collections.abc import Callable
from secrets import randbelow

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.properties import Properties

from otppi.wire.envelope import BODY_LIMIT
from otppi_ingress_mqtt.stream import Stream

_LONGEST = 3 * BODY_LIMIT
"""Octets of a packet that are kept: more than any command has, also one that was encrypted."""


def new_properties(packet_type: int) -> Properties:
    """Make the properties of a packet, empty (MQTT 5, 2.2.2)."""
    return Properties(packet_type)  # type: ignore[no-untyped-call]


class MqttClient(Client):
    """A client whose messages are acknowledged by `ack` only, of QoS 2 too. One thread owns it.

    paho itself sends PUBREC as soon as a message of QoS 2 comes, and gives the message out at PUBREL. From PUBREC on
    the broker no longer has it (MQTT 5, 4.3.3), so a kill of the gateway would lose it. Here the message is given out
    when it comes, and `ack` sends PUBREC; until PUBREL the owner keeps the packet's identifier, so that it knows a
    message that comes again because PUBREC was lost. These are methods of paho that its documentation does not name;
    the tests with a real broker notice when they change.

    Args:
        client_id: Its name.
        protocol: MQTTv5 or MQTTv311.
        clean: Whether a session ends with its connection (3.1.1; with 5 the session's expiry says so).
        dial: Makes connections.
        released: Told the packet identifier of a message of QoS 2 when the broker has forgotten it.
    """

    def __init__(
        self,
        client_id: str,
        protocol: MQTTProtocolVersion,
        *,
        clean: bool,
        dial: Callable[[], Stream],
        released: Callable[[int], None],
    ) -> None:
        super().__init__(
            CallbackAPIVersion.VERSION2,
            client_id,
            clean_session=clean if protocol is not MQTTProtocolVersion.MQTTv5 else None,
            protocol=protocol,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        self._dial = dial
        self._released = released
        self.max_inflight_messages = 0  # what is on its way is counted by Outgoing, by what the broker says
        # With this set, what is to be sent waits for `loop_write`.
        self.on_socket_register_write = lambda *_: None
        # After a restart the broker may still know identifiers of the run before.
        self._last_mid = randbelow(65_535)

    def ack(self, mid: int, qos: int) -> MQTTErrorCode:
        """Tell the broker that a message has come to its end."""
        return super()._send_pubrec(mid) if qos == 2 else super().ack(mid, qos)

    def forget(self, mid: int) -> None:
        """Let go of a publication on its way, which paho would publish again on the next connection."""
        with self._out_message_mutex:
            self._out_messages.pop(mid, None)

    def _create_socket(self) -> Stream:
        return self._dial()

    def _packet_read(self) -> MQTTErrorCode:
        code = super()._packet_read()
        del self._in_packet["packet"][_LONGEST:]  # the rest of one that is too long is read and thrown away
        return code

    def _send_pubrec(self, mid: int) -> MQTTErrorCode:  # noqa: ARG002 - `ack` sends it
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def _handle_publish(self) -> MQTTErrorCode:
        code = super()._handle_publish()
        while self._in_messages:
            message: MQTTMessage = self._in_messages.popitem()[1]
            self._handle_on_message(message)
        return code

    def _handle_pubrel(self) -> MQTTErrorCode:
        mid = int.from_bytes(self._in_packet["packet"][:2], "big")
        code = super()._handle_pubrel()
        if code is not MQTTErrorCode.MQTT_ERR_SUCCESS:
            return code
        self._released(mid)
        return self._send_pubcomp(mid)
