"""The ways that alarms go: SMS and e-mail through the gateway, as any message, and the webhook.

E-mail goes by a mail account where there is one; nothing here knows SMTP.
"""

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Protocol

from otppi.api.errors import InvalidSettings, sentence
from otppi.api.ingress import Origin, Sender, Ticket
from otppi.host.administrators.settings import ADMINISTRATORS, AdministratorValues
from otppi.host.alarms.book import AlarmNotice
from otppi.host.alarms.settings import ALARMS, recipients_of
from otppi.host.alarms.wording import (
    INDONESIAN,
    TEST,
    as_event,
    as_mail,
    as_sms,
    event_of_announcement,
    event_of_test,
    mail_of,
    sms_of,
)
from otppi.host.settings.config import Config
from otppi.host.webhook.webhook import ALARM, PostedEvent, PostState, Webhook
from otppi.text import Text, _, words

logger = logging.getLogger(__name__)

ORIGIN: Final = "alarms"
"""By what alarms come in, as report and monitor show them."""


class AlarmWay(StrEnum):
    """A way; its value is the key of its setting, too."""

    SMS = "sms"
    WEBHOOK = "webhook"
    EMAIL = "email"


@dataclass(frozen=True, slots=True)
class WayState:
    """What has become of what went one way: a word as states have it, and why it did not go as it should."""

    state: str
    cause: str = ""

    @property
    def is_final(self) -> bool:
        """Whether nothing more is to be waited for."""
        return self.state not in ("queued", "sending")

    @property
    def reached_nobody(self) -> bool:
        """Whether nobody was told for certain."""
        return self.state in ("failed", "expired", "blocked")


@dataclass(frozen=True, slots=True)
class HandedOver:
    """What was handed over to one way, for one recipient.

    Attributes:
        way: Which.
        recipient: Whose it is: a username, or the server of the webhook.
        ask: Returns what has become of it, after at most so many seconds.
    """

    way: AlarmWay
    recipient: str
    ask: Callable[[float], WayState] = field(repr=False)


class Sends(Protocol):
    """Sends a message of a person or of the gateway itself (`HostGateway.send_by_hand`)."""

    def __call__(
        self,
        receiver: str,
        text: str,
        modem: str | None,
        origin: Origin,
        *,
        subject: str = "",
        without: Collection[str] = (),
    ) -> Ticket:
        """Send it; raises InvalidSettings where the receiver or the text is not valid."""


class AlarmWays:
    """Hands notices over. Any thread.

    Args:
        config: Whose settings say where they go.
        send: Sends an SMS or an e-mail.
        webhook: Posts.
        device: What the device is called in a notice.
        when: Turns a time of a notice into Unix seconds.
    """

    def __init__(
        self, config: Config, send: Sends, webhook: Webhook, device: str, when: Callable[[float], float]
    ) -> None:
        self._config = config
        self._send = send
        self._webhook = webhook
        self._device = device
        self._when = when

    def chosen(self) -> list[AlarmWay]:
        """Return the ways that are switched on."""
        values = self._config.one(ALARMS)
        switched = {AlarmWay.SMS: values["sms"], AlarmWay.WEBHOOK: values["webhook"], AlarmWay.EMAIL: values["email"]}
        return [one for one, on in switched.items() if on]

    def recipients(self, way: AlarmWay) -> list[str]:
        """Return who is told by a way."""
        if way is AlarmWay.WEBHOOK:
            server = str(self._webhook.describe()["server"])
            return [server] if server else []
        return [one["username"] for one in self._administrators(way)]

    def _administrators(self, way: AlarmWay) -> list[AdministratorValues]:
        field_ = "phone" if way is AlarmWay.SMS else "email"
        named = self._config.one(ALARMS)["recipients"]
        return recipients_of(named, self._config.many(ADMINISTRATORS), field_)

    def hand_over(self, notice: AlarmNotice, *, without: Collection[str] = ()) -> list[HandedOver]:
        """Hand a notice over to all ways that are switched on.

        Args:
            notice: What is told.
            without: The modems that are not to send it, as they are what it is about.
        """

        def sms(language: str) -> tuple[str, str]:
            return "", as_sms(notice, self._device, language)

        def mail(language: str) -> tuple[str, str]:
            return as_mail(notice, self._device, language, self._when)

        event = as_event(notice, self._device, self._when)
        makes = {AlarmWay.SMS: sms, AlarmWay.EMAIL: mail}
        handed: list[HandedOver] = []
        for one in self.chosen():
            handed += [self._post(event)] if one is AlarmWay.WEBHOOK else self._to_all(one, makes[one], without)
        return handed

    def test(self, way: AlarmWay, *, without: Collection[str] = ()) -> list[HandedOver]:
        """Hand a test over to a way, be it switched on or not."""
        if way is AlarmWay.WEBHOOK:
            return [self._post(event_of_test(self._device))]
        return self._say(way, TEST, without)

    def announce(self, text: Text, *, without: Collection[str] = ()) -> list[HandedOver]:
        """Hand a sentence over to all ways that are switched on, for what is told once and is no condition."""
        handed: list[HandedOver] = []
        for one in self.chosen():
            if one is AlarmWay.WEBHOOK:
                handed.append(self._post(event_of_announcement(text, self._device)))
            else:
                handed += self._say(one, text, without)
        return handed

    def _say(self, way: AlarmWay, text: Text, without: Collection[str]) -> list[HandedOver]:
        def made(language: str) -> tuple[str, str]:
            if way is AlarmWay.SMS:
                return "", sms_of(text, self._device, language)
            return mail_of([text], self._device, language)

        return self._to_all(way, made, without)

    def _to_all(
        self, way: AlarmWay, make: Callable[[str], tuple[str, str]], without: Collection[str]
    ) -> list[HandedOver]:
        return [self._to(way, one, *make(one["language"] or INDONESIAN), without) for one in self._administrators(way)]

    def _to(
        self, way: AlarmWay, one: AdministratorValues, subject: str, text: str, without: Collection[str]
    ) -> HandedOver:
        receiver = one["phone"] if way is AlarmWay.SMS else one["email"]
        name = one["username"]
        try:
            ticket = self._send(receiver, text, None, Origin(ORIGIN, Sender(name)), subject=subject, without=without)
        except InvalidSettings as error:
            logger.error("an alarm to administrator %s is not sent: %s", name, sentence(error))  # noqa: TRY400 - it says all
            refused = WayState("failed", words(error))
            return HandedOver(way, name, lambda _wait: refused)
        return HandedOver(way, name, lambda wait: _state_of(ticket, wait))

    def _post(self, event: dict[str, Any]) -> HandedOver:
        server = str(self._webhook.describe()["server"])
        posted = self._webhook.post(ALARM, event)
        if posted is None:
            why: Text = _("the queue is full") if server else _("no URL is set")
            lost = WayState("failed", why)
            return HandedOver(AlarmWay.WEBHOOK, server, lambda _wait: lost)
        return HandedOver(AlarmWay.WEBHOOK, server, lambda wait: _state_of_post(self._webhook, posted, wait))


def _state_of(ticket: Ticket, wait: float) -> WayState:
    data = ticket.answer(wait).data
    assert isinstance(data, dict)  # noqa: S101 - of one message
    return WayState(str(data["state"]), data.get("cause") or "")


def _state_of_post(webhook: Webhook, posted: PostedEvent, wait: float) -> WayState:
    state = webhook.wait(posted, wait)
    if state is PostState.DELIVERED:
        return WayState("delivered")
    why = str(webhook.describe()["last_error"] or "")
    return WayState("queued" if state is PostState.WAITING else "failed", why)
