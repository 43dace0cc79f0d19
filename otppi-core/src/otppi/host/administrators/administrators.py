"""Administrators: who logs in to the administration, by password and second factor."""

import hashlib
import logging
import os
import secrets
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Lock

from otppi.api.errors import AuthenticationFailed, Busy, Throttled
from otppi.api.operations import Actor, Role
from otppi.host.administrators.forgotten import is_confirmed
from otppi.host.administrators.second_factor import UsedCounters, counter_of, recovery_hash
from otppi.host.administrators.settings import AdministratorValues, may_log_in
from otppi.host.logins.login_log import LoginLog
from otppi.host.logins.login_throttle import PACES_OF_PERSONS, Failures, LoginThrottle
from otppi.host.logins.password_checks import PasswordChecks
from otppi.host.runtime.registry import Audited, log_audited
from otppi.host.settings.password_hash import is_password, nobodys_hash, octets
from otppi.kit.net.ip_network import network_of
from otppi.kit.token_bucket import TokenBucket
from otppi.text import _

logger = logging.getLogger(__name__)

ORIGIN = "administration"
"""By what an actor came in who logged in to the administration (`Actor.origin`)."""
LOGIN, LOGOUT = "login", "logout"
"""The name under which logins are audited: it is no operation, as who logs in is not known yet."""
LONGEST_NAME = 64
_PATIENCE = 5.0
"""Seconds that a person waits for an answer: a longer wait is told instead."""
_FREE, _PER_SECOND = 20, 1 / 60
"""Failed logins that are audited: the audit trail is bounded, and no flood of them may drive the rest out of it."""


@dataclass(frozen=True, slots=True)
class Administrator:
    """Who logged in, or may.

    Attributes:
        name: The user name.
        role: What he may do.
        language: "id", "en", or empty for that of the browser.
        phone, email: Where a forgotten password's code goes; empty where nowhere.
        second_factor: Whether a code is wanted besides the password.
        phone_confirmed: Whether the number has received a code: a forgotten password can be set by it.
        stamp: Another one as soon as password, role, second factor or the right to log in change: sessions end then.
    """

    name: str
    role: Role
    language: str
    phone: str = field(repr=False)
    email: str = field(repr=False)
    second_factor: bool
    stamp: str = field(repr=False)
    phone_confirmed: bool = False


@dataclass(frozen=True, slots=True)
class _Account:
    administrator: Administrator
    password_hash: str = field(repr=False)
    totp_secret: str = field(repr=False)
    recovery_hashes: frozenset[str] = field(repr=False)
    may_log_in: bool

    @property
    def weight(self) -> tuple[object, ...]:
        """What a session depends on."""
        return self.password_hash, self.totp_secret, self.administrator.role, self.may_log_in


class Administrators:
    """The administrators as they are now. Any thread.

    No password is remembered, right or wrong: a session stands for it. Each is hashed, one at a time, at the pace of a
    `LoginThrottle`; a wait of more than five seconds is told (`Throttled`). An unknown name costs the same.

    Args:
        administrators: Objects of the section `administrators`.
        folder: On the RAM disk: used codes are kept there.
        tell: Is told of logins, for the audit.
        turn: Is held while a hash is computed (`PasswordChecks`).
        clock: Counts seconds, monotonically.
        now: Gives the time in Unix seconds.
    """

    def __init__(
        self,
        administrators: Sequence[AdministratorValues],
        folder: Path,
        *,
        tell: Callable[[Audited], None] = log_audited,
        turn: AbstractContextManager[object] | None = None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.log = LoginLog(kind="administrator", counter="administrator_logins_failed_total")
        throttle = LoginThrottle(clock, PACES_OF_PERSONS)
        self._checks: PasswordChecks[Administrator] = PasswordChecks(throttle, patience=_PATIENCE, turn=turn)
        self._tell = tell
        self._audits = TokenBucket(_FREE, _PER_SECOND, clock)
        self._now = now
        self._key = os.urandom(32)
        self._nobodys_hash = nobodys_hash()
        self._lock = Lock()
        self._code_failures = Failures(PACES_OF_PERSONS.forget, clock)
        self._used = UsedCounters(folder / "second-factors")
        self._spend: Callable[[Actor, str], bool] = _nobody_spends
        self._accounts: dict[str, _Account] = {}
        self.replace(administrators)

    def spend_by(self, spend: Callable[[Actor, str], bool]) -> None:
        """Have used recovery codes taken out of the settings.

        Args:
            spend: Is given the administrator whose code it is, and the code; says whether it was there.
        """
        self._spend = spend

    def replace(self, administrators: Sequence[AdministratorValues]) -> None:
        """Use these from now on; who has not changed keeps the stamp."""
        accounts = {}
        for one in administrators:
            account, known = _account(one), self._accounts.get(one["username"])
            if known is not None and known.weight == account.weight:
                account = _account(one, known.administrator.stamp)
            accounts[one["username"]] = account
        self._accounts = accounts

    def close(self) -> None:
        """Check no more passwords."""
        self._checks.close()

    def find(self, username: str) -> Administrator | None:
        """Return the administrator of this name; None where there is none who may log in."""
        account = self._let_in(username)
        return account.administrator if account else None

    # -- passwords --------------------------------------------------------------------------------------------------

    def authenticate(self, username: str, password: str, address: str) -> Future[Administrator]:
        """Check a password; the second factor is another step (`Administrator.second_factor`, `check_code`).

        Raises, or sets in the future:
            AuthenticationFailed: It is wrong, or there is no such administrator, or one who may not log in.
            Throttled: It was not looked at: too many wrong ones came; it says when to try again.
            Busy: It was not looked at, for want of memory, threads or time.
        """
        shown = username if username in self._accounts else ""
        network = network_of(address)
        try:
            if len(username) > LONGEST_NAME:
                raise AuthenticationFailed(_("no user has so long a name"))  # noqa: TRY301 - told as all of them
            key = self._digest(username, password, network)
            future = self._checks.submit(key, username, network, partial(self._hash, username, password))
        except (AuthenticationFailed, Throttled, Busy) as error:
            self.log.failed(error, shown or None, address)
            raise
        self.log.watch(future, shown or None, address)
        future.add_done_callback(partial(self._ended, shown, address))
        return future

    def _hash(self, username: str, password: str) -> Administrator:
        """Check a password by its hash; on the thread of the checks."""
        account = self._let_in(username)
        # An unknown name costs the same hash as a known one, so that the time does not tell which names exist.
        right = is_password(account.password_hash if account else self._nobodys_hash, password)
        now = self._let_in(username)
        if not (right and account and now and now.password_hash == account.password_hash):
            raise AuthenticationFailed(_("wrong user or password, or the user is not active"))
        return now.administrator

    def _ended(self, name: str, address: str, future: Future[Administrator]) -> None:
        error = future.exception()
        if error is None:
            if not future.result().second_factor:
                self._audit(name, address, "done", "password")
        elif isinstance(error, AuthenticationFailed):
            self._audit(name, address, "refused", "password")

    # -- second factor ----------------------------------------------------------------------------------------------

    def check_code(
        self, username: str, code: str, address: str = "", spend: Callable[[Actor, str], bool] | None = None
    ) -> bool:
        """Check the code of the second step: of the authenticator app, or a recovery code. Either is taken once.

        Args:
            username: Whose it is.
            code: As it was typed.
            address: Where it came from.
            spend: Uses a recovery code up, where not as `spend_by` says: for who changes the settings already.

        Raises:
            Throttled: It was not looked at: too many wrong ones came for this administrator.
        """
        account = self._let_in(username)
        if account is None or not account.totp_secret:
            return False
        with self._lock:
            if wait := self._code_failures.wait(username, PACES_OF_PERSONS.pair):
                raise Throttled(wait)
            self._code_failures.add(username)  # before it is looked at: those that come at once are counted, too
            counter = counter_of(account.totp_secret, code, self._now())
            right = counter is not None and self._used.spend(account.totp_secret, counter)
        actor = Actor(username, ORIGIN, account.administrator.role, address)
        by = "code" if right else "recovery code"
        right = right or (recovery_hash(code) in account.recovery_hashes and (spend or self._spend)(actor, code))
        if right:
            with self._lock:
                self._code_failures.clear(username)
        else:
            logger.warning("login from %s as administrator %s failed: wrong code of the second step", address, username)
        self._audit(username, address, "done" if right else "refused", by if right else "code")
        return right

    def use_code(self, secret: str, code: str) -> bool:
        """Take a code of a secret that is not an administrator's yet; False where it is wrong."""
        with self._lock:
            counter = counter_of(secret, code, self._now())
            return counter is not None and self._used.spend(secret, counter)

    # -- helpers ----------------------------------------------------------------------------------------------------

    def _let_in(self, username: str) -> _Account | None:
        account = self._accounts.get(username)
        return account if account is not None and account.may_log_in else None

    def note(self, operation: str, name: str, address: str) -> None:
        """Tell the audit what an administrator did who is not logged in, or no longer."""
        known = self._accounts.get(name)
        actor = Actor(name, ORIGIN, known.administrator.role if known else Role.VIEWER, address)
        self._tell(Audited(time.time(), actor, operation, name, "done"))

    def _audit(self, name: str, address: str, outcome: str, detail: str) -> None:
        if outcome != "done" and not self._audits.allows():
            return
        known = self._accounts.get(name)
        actor = Actor(name, ORIGIN, known.administrator.role if known else Role.VIEWER, address)
        self._tell(Audited(time.time(), actor, LOGIN, "", outcome, detail, (detail,)))

    def _digest(self, *parts: str) -> bytes:
        told = b"".join(b"%d:%b" % (len(one), one) for one in map(octets, parts))
        return hashlib.blake2b(told, key=self._key, digest_size=32).digest()


def _account(one: AdministratorValues, stamp: str = "") -> _Account:
    administrator = Administrator(
        name=one["username"],
        role=Role(one["role"]),
        language=one["language"],
        phone=one["phone"],
        email=one["email"],
        second_factor=bool(one["totp_secret"]),
        stamp=stamp or secrets.token_hex(16),
        phone_confirmed=is_confirmed(one),
    )
    recovery = frozenset(one["recovery_hashes"])
    return _Account(administrator, one["password_hash"], one["totp_secret"], recovery, may_log_in(one))


def _nobody_spends(actor: Actor, code: str) -> bool:  # noqa: ARG001 - what takes its place has these
    """Stand where no operations are attached: a recovery code that would stay in the settings is not taken."""
    return False
