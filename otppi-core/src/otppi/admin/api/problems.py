"""Why a request is not answered as it was meant: problem details (RFC 9457), one kind for each reason."""

import errno
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from otppi.admin.api.strict_json import NotJson
from otppi.api.errors import AuthenticationFailed, Busy, InvalidSettings, NotPermitted, OtpPiError, Throttled
from otppi.host.messages.refusal import NotAccepted
from otppi.host.runtime.registry import NotRunning
from otppi.host.runtime.supervisor import NoThread
from otppi.host.settings.revisions import ChangedMeanwhile
from otppi.text import Text, _, words
from otppi.wire.errors import FieldError

BASE: Final = "/admin/api/problems/"
"""Where each kind of problem is explained: its `type` is below this path."""
Headers = tuple[tuple[str, str], ...]

_UNKEPT: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO})
"""Why the card takes nothing."""


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """A kind of problem.

    Attributes:
        name: The last segment of its type.
        status: The HTTP status.
        title: The same for all of its kind.
        help: What to do about it.
    """

    name: str
    status: int
    title: Text
    help: Text

    @property
    def uri(self) -> str:
        """Return its type, a reference with the full path (RFC 9457 4)."""
        return f"{BASE}{self.name}"

    def describe(self) -> dict[str, Any]:
        """Return what is told of the kind where its type is looked up."""
        return {"type": self.uri, "title": self.title, "status": self.status, "help": self.help}


CHALLENGE: Final[Headers] = (("WWW-Authenticate", 'Cookie realm="OTP-Pi"'),)
"""RFC 9110 15.5.2 wants one; browsers ask nobody for a password by it."""

MALFORMED: Final = ProblemKind(
    "malformed", 400, _("The request cannot be read"), _("Send what the OpenAPI document describes.")
)
NOT_LOGGED_IN: Final = ProblemKind(
    "not-logged-in", 401, _("Nobody is logged in"), _("Log in, and send the cookie of the session along.")
)
WRONG_LOGIN: Final = ProblemKind(
    "wrong-login", 401, _("Wrong username, password or code"), _("Try it again, with a new code where one is wanted.")
)
CODE_WANTED: Final = ProblemKind(
    "code-wanted", 401, _("A code is wanted besides the password"), _("Send the authenticator's code as `code`.")
)
NOT_PERMITTED: Final = ProblemKind(
    "not-permitted", 403, _("Not permitted"), _("Ask an administrator for the role, or have them do it.")
)
WRONG_TOKEN: Final = ProblemKind(
    "wrong-token",
    403,
    _("The request does not belong to the session"),
    _("Send the session's token in the field X-CSRF-Token, from an address of this device."),
)
PASSWORD_WANTED: Final = ProblemKind(
    "password-wanted",
    403,
    _("Your password is wanted once more"),
    _("Log in again: this needs a password that was given within the last five minutes."),
)
NOT_FOUND: Final = ProblemKind(
    "not-found", 404, _("There is nothing here"), _("Look the path up in /admin/api/openapi.json.")
)
WRONG_METHOD: Final = ProblemKind(
    "wrong-method", 405, _("Another method is wanted"), _("Use one that the field Allow names.")
)
CHANGED_MEANWHILE: Final = ProblemKind(
    "changed-meanwhile",
    409,
    _("Somebody else was faster"),
    _("Read the settings again, and change them then: nothing was changed. `current` holds what they are now."),
)
NOT_DONE: Final = ProblemKind(
    "not-done", 409, _("It could not be done"), _("The detail says why: modem, SIM card or network refused it.")
)
TOO_LARGE: Final = ProblemKind("too-large", 413, _("The body is too large"), _("Send less at once."))
WRONG_MEDIA_TYPE: Final = ProblemKind(
    "wrong-media-type", 415, _("The body is not JSON"), _("Send it with Content-Type: application/json.")
)
WRONG_HOST: Final = ProblemKind(
    "wrong-host",
    421,
    _("This is not a name of the device"),
    _("Ask the device by its address, or have the name set (administration.host_names)."),
)
INVALID: Final = ProblemKind(
    "invalid", 422, _("Nothing was done: some of it is not valid"), _("Mend each of the fields that `errors` names.")
)
THROTTLED: Final = ProblemKind(
    "throttled", 429, _("Too many attempts"), _("Wait for as many seconds as the field Retry-After says.")
)
INTERNAL: Final = ProblemKind(
    "internal", 500, _("Something is broken here"), _("Look for the number in the log of the device.")
)
BUSY: Final = ProblemKind(
    "busy", 503, _("Too much at once"), _("Nothing was done. Try again after the seconds that Retry-After says.")
)
NOT_RUNNING: Final = ProblemKind(
    "not-running", 503, _("The gateway is not running"), _("Start it, or wait until it has started.")
)
NOT_KEPT: Final = ProblemKind(
    "not-kept", 507, _("It cannot be kept"), _("Nothing was changed. Look at the card: it is full, or takes nothing.")
)

KINDS: Final[Mapping[str, ProblemKind]] = {
    one.name: one
    for one in (
        MALFORMED, NOT_LOGGED_IN, WRONG_LOGIN, CODE_WANTED, NOT_PERMITTED, WRONG_TOKEN, PASSWORD_WANTED, NOT_FOUND,
        WRONG_METHOD, CHANGED_MEANWHILE, NOT_DONE, TOO_LARGE, WRONG_MEDIA_TYPE, WRONG_HOST, INVALID, THROTTLED,
        INTERNAL, BUSY, NOT_RUNNING, NOT_KEPT,
    )
}  # fmt: skip


class Problem(OtpPiError):  # noqa: N818 - the word of RFC 9457
    """A problem, as it is told.

    Args:
        kind: Of which kind.
        detail: What is wrong this time, in a sentence that may be translated; empty where the title says it all.
        errors: Which fields are wrong.
        headers: Header fields of the answer.
        more: Further members (RFC 9457 3.2).
    """

    def __init__(
        self, kind: ProblemKind, detail: str = "", errors: Iterable[FieldError] = (), headers: Headers = (), **more: Any
    ) -> None:
        super().__init__(detail or kind.title)
        self.kind = kind
        self.headers = headers
        self.detail = detail
        self.errors = tuple(errors)
        self.more = more

    def content(self) -> dict[str, Any]:
        """Return the members of the document, texts of which can be said in a language."""
        told: dict[str, Any] = {"type": self.kind.uri, "title": self.kind.title, "status": self.kind.status}
        if self.detail:
            told["detail"] = self.detail
        if self.errors:
            told["errors"] = [{"field": one.field, "reason": one.reason} for one in self.errors]
        return told | self.more


_LATER: Final[Headers] = (("Retry-After", "5"),)
"""Seconds after which a gateway that is starting, or short of threads, is asked again."""
_SIMPLE: Final[tuple[tuple[type[OtpPiError], ProblemKind, Headers], ...]] = (
    (NotPermitted, NOT_PERMITTED, ()),
    (AuthenticationFailed, NOT_PERMITTED, ()),  # 401 would say that the session has ended
    (NotRunning, NOT_RUNNING, _LATER),
    (NoThread, BUSY, _LATER),
    (OtpPiError, NOT_DONE, ()),
)
"""Errors whose words are all there is to say; the first class that fits."""


def problem_of(error: Exception) -> Problem | None:
    """Return the problem that an operation's error is told as; None for one that nobody expected."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, InvalidSettings):
        return Problem(INVALID, errors=error.problems)
    if isinstance(error, NotJson):
        return Problem(MALFORMED, errors=[FieldError("body", words(error))])
    if isinstance(error, ChangedMeanwhile):
        return Problem(CHANGED_MEANWHILE, words(error), revision=error.revision, sections=list(error.sections))
    if isinstance(error, Throttled):
        return Problem(THROTTLED, words(error), headers=_after(error.retry_after))
    if isinstance(error, Busy | NotAccepted) and error.retry_after is not None:
        return Problem(BUSY, words(error), headers=_after(error.retry_after))
    if isinstance(error, OSError) and error.errno in _UNKEPT:
        return Problem(NOT_KEPT, str(error.strerror))
    found = next(((kind, headers) for one, kind, headers in _SIMPLE if isinstance(error, one)), None)
    return None if found is None else Problem(found[0], words(error), headers=found[1])


def _after(seconds: float) -> Headers:
    return (("Retry-After", str(max(1, math.ceil(seconds)))),)


def internal(reference: str) -> Problem:
    """Return the problem of a fault of ours: a number, by which the log knows it, and nothing else."""
    return Problem(INTERNAL, reference=reference)
