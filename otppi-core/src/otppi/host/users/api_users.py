"""API users: who sends, by password or token, without a hash for whoever is known."""

import hashlib
import hmac
import os
import secrets
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from threading import Lock

from otppi.api.errors import AuthenticationFailed, Busy, Throttled
from otppi.api.ingress import Sender
from otppi.host.logins.login_log import LoginLog
from otppi.host.logins.login_throttle import LoginThrottle
from otppi.host.logins.password_checks import PasswordChecks
from otppi.host.runtime.events import EventBus
from otppi.host.settings.password_hash import is_password, nobodys_hash, octets
from otppi.host.users.settings import UserValues
from otppi.kit.net.ip_network import network_of
from otppi.text import _

LONGEST_NAME = 64
_WRONG_ONES = 1_000
_NEVER = b"\0" * 32


def new_token() -> tuple[str, str]:
    """Make a bearer token: the token itself, to be shown once, and the hash that is kept.

    It holds 256 random bits, so one SHA-256 of it is as safe to keep as any slower hash.
    """
    token = "otppi_" + secrets.token_urlsafe(32)
    return token, hash_token(token)


def hash_token(token: str) -> str:
    """Return the hash under which a token is kept."""
    return hashlib.sha256(octets(token)).hexdigest()


def _sender(name: str, user: UserValues) -> Sender:
    return Sender(name, user["manage_keys"], user["metrics_only"])


@dataclass(frozen=True, slots=True)
class _User:
    sender: Sender
    password_hash: str = field(repr=False)


class Accounts:
    """The API users as they are now. Any thread.

    A password that was right is remembered, as a keyed digest in RAM, as long as its user has the same one: it is
    answered at once, whatever else goes on. One that was wrong is remembered too, for whoever sent it, so that a
    program with an old password costs one hash, and counts as one guess. Any other waits for its hash
    (`PasswordChecks`), at the pace of `LoginThrottle`.
    """

    def __init__(
        self,
        users: Sequence[UserValues] = (),
        checks: PasswordChecks[Sender] | None = None,
        events: EventBus | None = None,
    ) -> None:
        self.log = LoginLog(events)
        self._checks = checks or PasswordChecks(LoginThrottle())
        self._key = os.urandom(32)
        self._nobodys_hash = nobodys_hash()
        self._lock = Lock()
        self._right: dict[str, tuple[str, bytes]] = {}
        self._wrong: OrderedDict[bytes, str] = OrderedDict()
        self.replace(users)

    def replace(self, users: Sequence[UserValues]) -> None:
        """Use these users (objects of section `api_users`) from now on; who has not changed stays known."""
        active = {user["username"]: user for user in users if user["active"] and not user["blocked"]}
        known = {name: _User(_sender(name, user), user["password_hash"]) for name, user in active.items()}
        tokens = {kept: known[name].sender for name, user in active.items() for kept in user["token_hashes"]}
        with self._lock:
            self._names = frozenset(user["username"] for user in users)
            self._users, self._tokens = known, tokens
            self._right = {name: kept for name, kept in self._right.items() if kept[0] == self._hash_of(name)}

    def close(self) -> None:
        """Check no more passwords."""
        self._checks.close()

    def recognise(self, username: str, password: str) -> Sender | None:
        """Return the sender if this is the password that was right, and is still the user's."""
        return self._remembered(username, self._digest(username, password))

    def recognise_token(self, token: str) -> Sender | None:
        """Return the sender of a token, if it is one's."""
        return self._tokens.get(hash_token(token))

    def authenticate(self, username: str, password: str, address: str) -> Sender | Future[Sender]:
        """Check a password; see `otppi.api.ingress.Gateway.authenticate`."""
        digest = self._digest(username, password)
        if sender := self._remembered(username, digest):
            return sender
        shown = username if username in self._names else None
        try:
            future = self._check(username, password, digest, network_of(address))
        except (AuthenticationFailed, Throttled, Busy) as error:
            self.log.failed(error, shown, address)
            raise
        self.log.watch(future, shown, address)
        return future

    def authenticate_token(self, token: str, address: str) -> Sender:
        """Check a bearer token; see `otppi.api.ingress.Gateway.authenticate_token`.

        It holds more random bits than anybody can guess, so nothing is throttled.
        """
        if sender := self.recognise_token(token):
            return sender
        self.log.token_failed(address)
        raise AuthenticationFailed(_("unknown token, or its user is not active"))

    def _check(self, username: str, password: str, digest: bytes, network: str) -> Future[Sender]:
        if len(username) > LONGEST_NAME:
            raise AuthenticationFailed(_("no user has so long a name"))
        own = hmac.digest(digest, network.encode(), "sha256")  # what others have tried tells nobody anything
        self._refuse_known(own, username)
        return self._checks.submit(own, username, network, partial(self._hash, username, password, digest, own))

    def _hash(self, username: str, password: str, digest: bytes, own: bytes) -> Sender:
        """Check a password by its hash; on the thread of the checks."""
        if sender := self._remembered(username, digest):  # somebody else asked for the same meanwhile
            return sender
        self._refuse_known(own, username)
        user = self._users.get(username)
        password_hash = self._hash_of(username)
        # An unknown user costs the same hash as a known one, so that the time does not tell which names exist.
        right = is_password(password_hash or self._nobodys_hash, password)
        if user is None or not password_hash or not right:
            with self._lock:
                self._wrong[own] = password_hash
                while len(self._wrong) > _WRONG_ONES:
                    self._wrong.popitem(last=False)
            raise AuthenticationFailed(_("wrong user or password, or the user is not active"))
        with self._lock:
            if self._hash_of(username) == password_hash:  # not changed while the hash was computed
                self._right[username] = (password_hash, digest)
        return user.sender

    def _remembered(self, username: str, digest: bytes) -> Sender | None:
        """Return the sender if this is the password that was right, and is still the user's."""
        user = self._users.get(username)
        password_hash, right = self._right.get(username, ("", _NEVER))
        same = hmac.compare_digest(right, digest)
        return user.sender if user is not None and same and user.password_hash == password_hash else None

    def _refuse_known(self, own: bytes, username: str) -> None:
        """Refuse what was wrong, as long as the user has the same password as then."""
        if self._wrong.get(own) == self._hash_of(username):
            raise AuthenticationFailed(_("wrong user or password, or the user is not active"))

    def _hash_of(self, username: str) -> str:
        user = self._users.get(username)
        return user.password_hash if user else ""

    def _digest(self, username: str, password: str) -> bytes:
        name = octets(username)
        # A keyed BLAKE2 (RFC 7693 2.9) takes a third of the time of an HMAC, for each request.
        return hashlib.blake2b(b"%d:%b%b" % (len(name), name, octets(password)), key=self._key, digest_size=32).digest()
