"""The error tree: each class answers "may the message be sent again?"."""

from enum import StrEnum

from otppi.text import Text, _, words
from otppi.wire.errors import FieldError, WireError

_MINUTES_FROM = 5
"""Minutes from which a wait is told in minutes."""


class OtpPiError(Exception):
    """Base of every error that OTP-Pi raises on purpose."""


class InvalidSettings(OtpPiError):  # noqa: N818 - reads better at the raise: "raise InvalidSettings(problems)"
    """Settings that cannot be used; carries every problem at once."""

    def __init__(self, problems: list[FieldError]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class SendError(OtpPiError):
    """A message did not reach `sent`. `cause` is shown to the sender; it never holds any of the text."""

    def __init__(self, cause: str, *, code: str | None = None) -> None:
        super().__init__(cause)
        self.cause = cause
        self.code = code  # e.g. "+CMS ERROR: 38"


class NotSent(SendError):  # noqa: N818
    """It is certain that nothing went out: this egress, after `retry_after` seconds, or another one may try again."""

    def __init__(self, cause: str, *, code: str | None = None, retry_after: float = 0.0) -> None:
        super().__init__(cause, code=code)
        self.retry_after = retry_after


class Lost(NotSent):
    """The egress cannot be used until it has been opened anew, `retry_after` seconds from now. Nothing went out.

    Without `retry_after` the gateway chooses a pause that grows from one failure to the next.
    """


class Blocked(Lost):
    """As Lost, but a person has to do something first: a wrong password, a setting that cannot work.

    It is opened again after `retry_after`, or when its settings have changed, and not before: a server that is asked
    with a wrong password again and again locks the account.
    """


class Unfit(NotSent):
    """This egress is refused for reasons of its own: nothing went out, and another one should try.

    This one sends nothing for `retry_after` seconds.
    """


class Deferred(NotSent):
    """This receiver cannot have it now, others can have theirs: nothing went out; try again after `retry_after`.

    It counts as no attempt, and ends by expiry only. Messages to one receiver may come in another order then.
    """


class Trouble(StrEnum):
    """What is wrong with a modem that was lost: it decides what may recover it."""

    ABSENT = "absent"
    """Its port is not there, or is another program's: there is nothing to recover."""
    SILENT = "silent"
    """Its port is there, and it answers nothing that makes sense."""
    NO_NETWORK = "no network"
    """It answers, and is not registered with a network."""
    FAULTY = "faulty"
    """It answers, and refuses what it has to do."""


class ModemLost(Lost):
    """The modem cannot be used until it has been opened anew (unplugged, silent, not initialised). Nothing went out."""

    def __init__(self, cause: str, trouble: Trouble = Trouble.ABSENT) -> None:
        super().__init__(cause)
        self.trouble = trouble


class ModemBlocked(ModemLost, Blocked):
    """As ModemLost, but a person has to do something first: SIM PIN or PUK, no SIM, a setting that cannot work."""


class ModemUnfit(Unfit):
    """This modem's SIM or network refuses for reasons of its own: nothing went out, and another modem should try."""


class Rejected(SendError):  # noqa: N818
    """Refused for good: sending it again, by any egress, would be refused again."""


class Unconfirmed(SendError):  # noqa: N818
    """The network may or may not have it (no answer after Ctrl-Z): never sent again without being told to."""


class NotSupported(OtpPiError):  # noqa: N818
    """This modem, or this type of modem, has no such feature."""


class NotDone(OtpPiError):  # noqa: N818
    """The modem, the SIM or the network refused what a person asked for; the sentence says why."""


class AuthenticationFailed(OtpPiError):  # noqa: N818
    """Wrong user or password, or a user who is blocked."""


class NotPermitted(OtpPiError):  # noqa: N818
    """This user is known, and may not do that."""


class Throttled(OtpPiError):  # noqa: N818
    """Too many attempts. `retry_after` is in seconds."""

    def __init__(self, retry_after: float) -> None:
        minutes = retry_after / 60
        super().__init__(
            _("too many attempts, try again in {seconds:.0f} s", seconds=retry_after)
            if minutes < _MINUTES_FROM
            else _("too many attempts, try again in {minutes:.0f} min", minutes=minutes)
        )
        self.retry_after = retry_after


class Busy(OtpPiError):  # noqa: N818
    """Memory, threads or time are too short to do it now; nothing was done. `retry_after` is in seconds."""

    def __init__(self, cause: str, retry_after: float) -> None:
        super().__init__(cause)
        self.retry_after = retry_after


class Cancelled(OtpPiError):  # noqa: N818
    """A person has called off what goes on; what it did so far is undone, or was nothing."""


_SPEAKING = (OtpPiError, WireError, OSError, ImportError)
"""Errors whose sentences hold nothing of a message."""


def sentence(error: BaseException) -> str:
    """Tell an error in one line, without anything of a message's text, which an error from elsewhere might quote."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    if isinstance(error, _SPEAKING):
        said = words(error)
        return said if isinstance(said, Text) else "; ".join(said.splitlines()) or type(error).__name__
    return type(error).__name__
