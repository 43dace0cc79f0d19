"""A forgotten password: a code by SMS, to a number that has been seen to be the administrator's, sets a new one."""

import hashlib
import logging
import secrets
import time
from collections.abc import Callable, Sequence
from functools import partial
from threading import Lock

from otppi.api.errors import InvalidSettings, OtpPiError, Throttled, sentence
from otppi.host.administrators.sent_codes import SentCodes
from otppi.host.administrators.settings import AdministratorValues, may_log_in
from otppi.host.logins.login_throttle import PACES_OF_PERSONS, Failures
from otppi.kit.net.ip_network import network_of
from otppi.kit.threads import CANNOT_START, PromptThread
from otppi.text import Text, _
from otppi.text.languages import translated
from otppi.wire.errors import FieldError

logger = logging.getLogger(__name__)

PASSWORD = "password"  # noqa: S105 - what a code is for
_INDONESIAN = "id"


def number_hash(number: str) -> str:
    """Return the hash by which a number is known to have received a code."""
    return hashlib.sha256(number.encode()).hexdigest()


def is_confirmed(one: AdministratorValues) -> bool:
    """Whether an administrator's present number has received a code."""
    return bool(one["phone"]) and one["phone_confirmed"] == number_hash(one["phone"])


def phone_purpose(one: AdministratorValues) -> str:
    """Return what a code is for that is sent to see a number: that number, and no other that is set meanwhile."""
    return f"phone {number_hash(one['phone'])}"


class ForgottenPasswords:
    """Has codes sent, and knows them again. Any thread.

    Whoever asks hears the same, as fast, whether there is such an administrator or not (ASVS 5.0 6.3.8): the message is
    handed over by a thread of its own. The second factor stays (6.4.3).

    Args:
        administrators: Gives the objects of the section `administrators`.
        send: Has a text sent to a number, by the administrator of a name; raises OtpPiError where it is not taken.
        can_send: Whether there is a modem that sends.
        clock: Counts seconds, monotonically.
    """

    def __init__(
        self,
        administrators: Callable[[], Sequence[AdministratorValues]],
        send: Callable[[str, str, str], object],
        can_send: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._administrators = administrators
        self._send = send
        self.can_send = can_send
        self._codes = SentCodes(clock)
        self._lock = Lock()
        self._asked = Failures(PACES_OF_PERSONS.forget, clock)

    def ask(self, username: str, address: str, language: str = "") -> str:
        """Have a code sent to an administrator who has forgotten the password, if there is one who can have it.

        Args:
            username: The name that was typed.
            address: From where.
            language: Of the page, where the administrator has chosen none.

        Returns:
            A ticket, which the browser keeps until the code comes.

        Raises:
            Throttled: This address asks too often.
        """
        network = network_of(address)
        with self._lock:
            if wait := self._asked.wait(network, PACES_OF_PERSONS.pair):
                raise Throttled(wait)
            self._asked.add(network)
        able = (one for one in self._administrators() if may_log_in(one) and is_confirmed(one))
        one = next((one for one in able if one["username"] == username), None)
        ticket, code = self._codes.make(PASSWORD, username) if one else (secrets.token_urlsafe(32), "")
        wording = _(
            "{code} is your code for a new password of OTP-Pi. It is valid for 10 minutes. If you did not ask for it, "
            "do nothing.",
            code=code,
        )
        deliver = partial(self._deliver, one["phone"], wording, one, language) if one and code else _nothing
        self._begin(deliver)
        return ticket

    def ask_for_own(self, one: AdministratorValues, language: str = "") -> str:
        """Have a code sent to who is logged in, to see whether the number is right; return the ticket.

        Raises:
            Throttled: As many as may be sent within an hour were.
            OtpPiError: It cannot be sent.
        """
        if wait := self._codes.wait(one["username"]):
            raise Throttled(wait)
        ticket, code = self._codes.make(phone_purpose(one), one["username"])
        wording = _("{code} is the code by which OTP-Pi sees that this number is yours.", code=code)
        self._send(one["phone"], _said(wording, one, language), one["username"])
        return ticket

    def tell_changed(self, one: AdministratorValues) -> None:
        """Tell who has a new password so by SMS, whoever has set it (ASVS 5.0 6.3.7); nothing waits for it.

        Args:
            one: The administrator, whose number has to be confirmed: else nobody is told.
        """
        if not is_confirmed(one) or not self.can_send():
            return
        when = time.strftime("%H:%M", time.localtime())
        wording = _(
            "The password of {username} on OTP-Pi was changed at {when}. Was it not you? See to it at once.",
            username=one["username"],
            when=when,
        )
        self._begin(partial(self._deliver, one["phone"], wording, one, ""))

    def whose(self, purpose: str, ticket: str, code: str) -> str:
        """Return whose code this is.

        Raises:
            InvalidSettings: It is wrong, or no longer valid.
        """
        if username := self._codes.whose(purpose, ticket, code):
            return username
        raise InvalidSettings([FieldError("code", _("is wrong, or no longer valid"))])

    def used(self, ticket: str) -> None:
        """Take a code no more."""
        self._codes.used(ticket)

    def _begin(self, deliver: Callable[[], None]) -> None:
        try:
            PromptThread(deliver, "code by SMS").start()
        except CANNOT_START:
            logger.error("an SMS is not sent: no thread can be started")  # noqa: TRY400 - the reason says it all

    def _deliver(self, number: str, wording: Text, one: AdministratorValues, language: str) -> None:
        try:
            self._send(number, _said(wording, one, language), one["username"])
        except OtpPiError as error:
            logger.error("an SMS to administrator %s is not sent: %s", one["username"], sentence(error))  # noqa: TRY400


def _said(wording: Text, one: AdministratorValues, language: str) -> str:
    """Say it in the administrator's language, else in that of the page, else in Indonesian."""
    return str(translated(wording, one["language"] or language or _INDONESIAN))


def _nothing() -> None:
    """Take a thread, as for one who is known."""
