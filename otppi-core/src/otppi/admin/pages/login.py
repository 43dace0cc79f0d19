"""Logging in: the password, then the second step where there is one."""

import threading
import time
from concurrent.futures import TimeoutError as Late
from dataclasses import dataclass
from typing import Any

import cherrypy

from otppi.admin.pages.answers import drawn, local, see_other, set_cookie, text_of, visit
from otppi.admin.pages.clock_offer import offered
from otppi.admin.pages.old_forms import send_again, unpacked
from otppi.admin.pages.who_claimed import NOT_YOU, who_claimed
from otppi.admin.parts import Parts
from otppi.admin.security import cookies
from otppi.admin.security.guard import public
from otppi.api.errors import AuthenticationFailed, Busy, Throttled
from otppi.host.administrators.administrators import Administrator
from otppi.host.administrators.claim import ClaimState
from otppi.host.clock.device_clock import DeviceClock
from otppi.host.messages.dispatch import Dispatch
from otppi.text import Text, _

_PATIENCE = 20.0
"""Seconds that a password may wait for its hash."""
_SECOND_STEP = 300.0
"""Seconds in which the code may follow the password."""
_TRIES = 5
_MOST_PENDING = 200


@dataclass(slots=True)
class _Pending:
    administrator: Administrator
    browser: str
    until: float
    tries: int = 0


class LoginPages:
    """`/login` and `/login/code`."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._lock = threading.Lock()
        self._pending: dict[str, _Pending] = {}

    @public("GET", "HEAD", "POST")
    def index(self, **fields: Any) -> bytes:
        """Ask for name and password, and take them."""
        if self._parts.claim.state is ClaimState.OPEN:
            return see_other("/claim")
        goes_to = local(text_of(fields, "next"))
        if visit().session is not None:
            return see_other(goes_to)
        if cherrypy.request.method != "POST":
            return self._ask(goes_to)
        name, password = text_of(fields, "username").strip(), text_of(fields, "password")
        found = checked(self._parts, name, password)
        if not isinstance(found, Administrator):
            return self._ask(goes_to, name, *found)
        if not found.second_factor:
            return self._enter(found, goes_to)
        self._await_code(found)
        return self._ask_code(goes_to)

    @public("POST")
    def code(self, **fields: Any) -> bytes:
        """Take the code of the second step."""
        goes_to = local(text_of(fields, "next"))
        with self._lock:
            pending = self._pending.get(visit().browser)
            if pending is not None:
                pending.tries += 1
            if pending is None or pending.until < time.monotonic() or pending.tries > _TRIES:
                self._pending.pop(visit().browser, None)
                pending = None
        if pending is None:
            return self._ask(goes_to, "", 401, _("That took too long, or too many codes were wrong. Begin once more."))
        administrator = self._parts.administrators.find(pending.administrator.name)
        if administrator is None or administrator.stamp != pending.administrator.stamp:
            return self._ask(goes_to, "", 401, WRONG)
        if problem := problem_of_code(self._parts, administrator.name, text_of(fields, "code").strip()):
            return self._ask_code(goes_to, 401, problem)
        with self._lock:
            self._pending.pop(visit().browser, None)
        return self._enter(self._parts.administrators.find(administrator.name) or administrator, goes_to)

    # -- steps ------------------------------------------------------------------------------------------------------

    def _ask(self, goes_to: str, name: str = "", status: int = 200, problem: Text | str = "") -> bytes:
        return ask_to_log_in(self._parts, goes_to, _kept(), name, status, problem)

    def _ask_code(self, goes_to: str, status: int = 200, problem: Text | str = "") -> bytes:
        clock = clock_problem(self._parts)
        shown = {"goes_to": goes_to, "kept": _kept(), "problem": problem, "clock": clock}
        return drawn(self._parts, "second_step.html", status, **shown, offered=offered(self._parts))

    def _await_code(self, administrator: Administrator) -> None:
        now = time.monotonic()
        with self._lock:
            self._pending = {key: one for key, one in self._pending.items() if one.until > now}
            while len(self._pending) >= _MOST_PENDING:
                self._pending.pop(next(iter(self._pending)))
            self._pending[visit().browser] = _Pending(administrator, visit().browser, now + _SECOND_STEP)

    def _enter(self, administrator: Administrator, goes_to: str) -> bytes:
        enter(self._parts, administrator)
        old = unpacked(_kept())
        return see_other(goes_to) if old is None else send_again(self._parts, old)


def ask_to_log_in(
    parts: Parts,
    goes_to: str,
    kept: str,
    name: str = "",
    status: int = 200,
    problem: Text | str = "",
    *,
    ended: bool = False,
) -> bytes:
    """Draw the login.

    Args:
        parts: What pages work on.
        goes_to: The page that follows.
        kept: What was typed into a form that was too old (`packed`); empty where there is none.
        name: Who has tried.
        status: The HTTP status.
        problem: Why that failed.
        ended: Whether somebody was logged in who is no more.
    """
    changed = status == 200 and "changed" in cherrypy.request.params
    shown = {"goes_to": goes_to, "kept": kept, "username": name, "problem": problem, "changed": changed, "ended": ended}
    claimed = who_claimed(parts)
    return drawn(parts, "login.html", status, **shown, claimed=claimed, not_you=NOT_YOU, offered=offered(parts))


def _kept() -> str:
    return text_of(cherrypy.request.params, "kept")


def checked(parts: Parts, name: str, password: str) -> Administrator | tuple[int, Text]:
    """Check a password; where it is not right, or cannot be checked, return the status and what to say."""
    try:
        with parts.waiting():
            return parts.administrators.authenticate(name, password, visit().address).result(_PATIENCE)
    except AuthenticationFailed:
        return 401, WRONG
    except Throttled as error:
        return 429, later(error)
    except (Busy, Late):
        return 503, _("Too many people log in at the moment. Try again in a few seconds.")


def problem_of_code(parts: Parts, name: str, code: str) -> Text | str:
    """Check a code of the second step; return why it is not taken."""
    try:
        right = parts.administrators.check_code(name, code, visit().address)
    except Throttled as error:
        return later(error)
    return "" if right else _("This code is wrong, or was used before. The app shows a new one within 30 seconds.")


def clock_problem(parts: Parts) -> Text | str:
    """Say that codes may be refused, where something is known against the device's clock (ASVS 5.0, 6.5.8)."""
    suspect = parts.registry.part(Dispatch).clock.warnings() or parts.registry.part(DeviceClock).is_doubtful
    return _("The device's clock is not set; codes may be refused.") if suspect else ""


def later(error: Throttled) -> Text:
    """Say for how long nothing is looked at."""
    seconds = max(1, round(error.retry_after))
    cherrypy.response.headers["Retry-After"] = str(seconds)
    return _.plural(
        "Too many attempts. Try again in {count} second.",
        "Too many attempts. Try again in {count} seconds.",
        count=seconds,
    )


def enter(parts: Parts, administrator: Administrator) -> None:
    """Begin a session of whoever has just shown who it is; one that this person is in already gets a new token.

    ASVS 5.0, 7.2.4: whoever has learned the old token has nothing of it from then on.
    """
    now, token = visit(), None
    if now.session is not None and now.session.name == administrator.name:
        token = parts.sessions.renew(now.session, administrator.stamp)
    elif now.session is not None:
        parts.sessions.end(now.session)
    if token is None:
        token = parts.sessions.create(
            administrator.name,
            administrator.stamp,
            secure=now.secure,
            address=now.address,
            browser=cherrypy.request.headers.get("User-Agent", ""),
        )
    now.session = parts.sessions.find(token, secure=now.secure)
    now.browser, now.token = token, parts.tokens.of(token)
    now.role = administrator.role
    set_cookie(cookies.SESSION, token)
    set_cookie(cookies.BROWSER, "")


WRONG = _("Wrong username or password.")
