"""Sending through ModemManager: makes an Sms object, has it sent, and deletes it."""

import logging
from collections.abc import Mapping
from typing import Any

import dbus

from otppi.api.egress import SendHooks
from otppi.api.errors import ModemBlocked, ModemLost, Trouble, Unconfirmed
from otppi.api.events import ModemEvents
from otppi.api.message import OutgoingMessage
from otppi.wire.validity import Validity
from otppi_modem_modemmanager.bus import BusError, BusTimeout, Pending
from otppi_modem_modemmanager.managed import ManagedModem, translated
from otppi_modem_modemmanager.names import FLASH_CLASS, MESSAGING, SMS, VALIDITY_RELATIVE
from otppi_modem_modemmanager.refusals import refusal, short
from otppi_modem_modemmanager.text import _

logger = logging.getLogger(__name__)

UNKNOWN_REFERENCE = -1
"""Stands for the TP-MR of a part that ModemManager does not tell: it tells the last one's only."""


class Outbox:
    """Sends on one modem, as long as it is open."""

    def __init__(self, modem: ManagedModem, settings: Mapping[str, Any], events: ModemEvents) -> None:
        self._modem = modem
        self._settings = settings
        self._events = events
        self._late: list[tuple[str, str, Pending]] = []

    def send(self, message: OutgoingMessage, parts: int, hooks: SendHooks) -> None:
        """Send a message of so many parts and wait for the network's answer; raises as `Modem.send` does."""
        try:
            creating = self._modem.start(MESSAGING, "Create", "a{sv}", self._properties(message))
            hooks.meanwhile()
            path = str(self._modem.bus.wait(creating)[0])
        except BusTimeout as error:
            raise ModemLost(_("ModemManager does not answer (Create)"), Trouble.SILENT) from error
        except BusError as error:
            raise self._failed(error, dispatched=False, parts=parts) from error
        hooks.before_dispatch()
        sending = self._modem.start(SMS, "Send", path=path)
        try:
            hooks.meanwhile()
            self._modem.bus.wait(sending, self._settings["result_timeout"])
        except BusTimeout as error:
            self._late.append((message.message_id, path, sending))
            raise Unconfirmed(_("the network did not answer in time")) from error
        except BusError as error:
            self.delete(path)
            raise self._failed(error, dispatched=True, parts=parts) from error
        except ModemLost as error:
            raise Unconfirmed(
                _("the modem was lost before the network answered: {cause}", cause=error.cause)
            ) from error
        message.progress.references.extend([*[UNKNOWN_REFERENCE] * (parts - 1), self._reference(path)])

    def _properties(self, message: OutgoingMessage) -> dict[str, Any]:
        minutes = Validity.from_seconds(int(message.validity)).seconds // 60
        properties: dict[str, Any] = {
            "number": message.number,
            "text": message.text,
            "validity": dbus.Struct(
                (dbus.UInt32(VALIDITY_RELATIVE), dbus.UInt32(minutes, variant_level=1)), signature="uv"
            ),
            "delivery-report-request": message.report,
        }
        if message.flash:
            properties["class"] = FLASH_CLASS
        if smsc := self._settings["sms_center"]:
            properties["smsc"] = f"+{smsc.lstrip('+')}"
        return properties

    def _reference(self, path: str) -> int:
        """Read TP-MR of a message that was sent, and delete it. It was sent, whatever happens here."""
        try:
            properties = self._modem.properties_of(path, SMS)
            self.delete(path)
        except (BusError, ModemLost):
            return UNKNOWN_REFERENCE
        return int(properties.get("MessageReference", UNKNOWN_REFERENCE)) & 0xFF

    def _failed(self, error: BusError, *, dispatched: bool, parts: int) -> Exception:
        """Return the error to raise: a modem that is gone may have sent it before; one of another user has not."""
        other = translated(error)
        if other is error:
            return refusal(error, dispatched=dispatched, parts=parts, maker=self._modem.maker)
        return Unconfirmed(str(other)) if dispatched and not isinstance(other, ModemBlocked) else other

    @property
    def due(self) -> bool:
        """Whether there is something for `work`."""
        return any(pending.done for _path, _time, pending in self._late)

    def work(self) -> None:
        """Look at one answer that came too late for its message."""
        for late in self._late:
            message_id, path, pending = late
            if pending.done:
                self._late.remove(late)
                self._came_late(message_id, path, pending)
                return

    def _came_late(self, message_id: str, path: str, pending: Pending) -> None:
        try:
            pending.result()
        except BusError as error:
            logger.info("message %s was refused after it had become unconfirmed (%s)", message_id, short(error))
            self.delete(path)
        else:
            self._events.accepted_late(message_id, self._reference(path))

    def delete(self, path: str) -> None:
        """Delete an Sms object, whose text must not stay; nobody waits for it."""
        self._modem.start(MESSAGING, "Delete", "o", path).then = _deleted


def _deleted(pending: Pending) -> None:
    try:
        pending.result()
    except BusError as error:
        logger.warning("a message stays in ModemManager until the modem is opened again: %s", short(error))
    except ModemLost:
        logger.debug("ModemManager ended before it deleted a message, which is gone with it")
