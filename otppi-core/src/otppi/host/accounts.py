"""API users: their passwords and tokens, checked without a hash per request, and how fast anybody may guess."""

import hashlib
import hmac
import os
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from otppi.api.errors import AuthenticationFailed, Throttled
from otppi.api.ingress import Sender

# OWASP's recommendation for argon2id: 19 MiB, two passes, one lane; a Raspberry Pi 3 needs about a quarter of a second.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_REMEMBERED = 1_000
_FREE_FAILURES = 5
_FREE_OF_ADDRESS = 10
_LONGEST_WAIT = 300.0
_LONGEST_OF_ADDRESS = 5.0
_WATCHED = 10_000


def hash_password(password: str) -> str:
    """Make the argon2id hash that is kept instead of a password."""
    return _HASHER.hash(_octets(password))


def is_password(password_hash: str, password: str) -> bool:
    """Check a password against its hash."""
    try:
        return _HASHER.verify(password_hash, _octets(password))
    except (VerificationError, InvalidHashError):
        return False


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")  # what came in as a password may be anything


def new_token() -> tuple[str, str]:
    """Make a bearer token: the token itself, to be shown once, and the hash that is kept.

    It holds 256 random bits, so one SHA-256 of it is as safe to keep as any slower hash.
    """
    token = "otppi_" + secrets.token_urlsafe(32)
    return token, hash_token(token)


def hash_token(token: str) -> str:
    """Give the hash under which a token is kept."""
    return hashlib.sha256(_octets(token)).hexdigest()


class Accounts:
    """The API users as they are now. Any thread.

    A password that was right once is remembered, as a keyed digest in RAM, so that the slow hash is computed only for
    new or wrong ones; one at a time, since each takes 19 MiB. Wrong ones are throttled for each pair of user and
    address: five are free, then each costs twice the wait of the one before. An address that tries many names is
    throttled as well, for a few seconds at a time: enough that its hashes keep nobody waiting, and not so much that it
    locks out who shares the address with it. `clock` counts seconds, monotonically.
    """

    def __init__(self, users: Sequence[Mapping[str, Any]] = (), *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._key = os.urandom(32)
        self._hashing = Lock()
        self._lock = Lock()
        self._throttle: OrderedDict[tuple[str | None, str], tuple[int, float]] = OrderedDict()
        self._nobody = hash_password(secrets.token_urlsafe(16))
        self.replace(users)

    def replace(self, users: Sequence[Mapping[str, Any]]) -> None:
        """Use these users (objects of section `api_users`) from now on."""
        active = [user for user in users if user["active"] and not user["blocked"]]
        with self._lock:
            self._hashes = {user["username"]: user["password_hash"] for user in active if user["password_hash"]}
            self._senders = {
                user["username"]: Sender(user["username"], user.get("manage_keys", False)) for user in active
            }
            self._tokens = {kept: self._senders[user["username"]] for user in active for kept in user["token_hashes"]}
            self._right: OrderedDict[bytes, Sender] = OrderedDict()

    def authenticate(self, username: str, password: str, address: str) -> Sender:
        """Check a password; see `otppi.api.ingress.Gateway.authenticate`."""
        digest = self._digest(username, password)
        if sender := self._right.get(digest):
            return sender
        keys = ((username, address), (None, address))
        self._check_throttle(*keys)  # whoever is to wait does not stand in the queue for a hash
        with self._hashing:
            if sender := self._right.get(digest):  # somebody else asked for the same meanwhile
                return sender
            self._check_throttle(*keys)
            hashes = self._hashes
            # An unknown user costs the same hash as a known one, so that the time does not tell which names exist.
            right = is_password(hashes.get(username, self._nobody), password) and username in hashes
            if not right:
                self._failed(*keys)
                raise AuthenticationFailed("wrong user or password, or the user is not active")
            return self._remember(digest, username, hashes[username], address)

    def authenticate_token(self, token: str, address: str) -> Sender:
        """Check a bearer token; see `otppi.api.ingress.Gateway.authenticate_token`."""
        if sender := self._tokens.get(hash_token(token)):
            return sender
        self._check_throttle(("", address))
        self._failed(("", address))
        raise AuthenticationFailed("unknown token, or its user is not active")

    def _digest(self, username: str, password: str) -> bytes:
        return hmac.digest(self._key, _octets(username) + b"\0" + _octets(password), "sha256")

    def _remember(self, digest: bytes, username: str, password_hash: str, address: str) -> Sender:
        with self._lock:
            sender = self._senders.get(username, Sender(username))
            self._throttle.pop((username, address), None)
            if self._hashes.get(username) == password_hash:  # not changed while the hash was computed
                self._right[digest] = sender
                while len(self._right) > _REMEMBERED:
                    self._right.popitem(last=False)
        return sender

    def _check_throttle(self, *keys: tuple[str | None, str]) -> None:
        with self._lock:
            watched = [(name, *self._throttle.get((name, address), (0, 0.0))) for name, address in keys]
        wait = max(last + _wait_after(failures, name) for name, failures, last in watched) - self._clock()
        if wait > 0:
            raise Throttled(wait)

    def _failed(self, *keys: tuple[str | None, str]) -> None:
        now = self._clock()
        with self._lock:
            for key in keys:
                failures, last = self._throttle.pop(key, (0, 0.0))
                if now - last > 2 * _LONGEST_WAIT:
                    failures = 0
                self._throttle[key] = (failures + 1, now)
            while len(self._throttle) > _WATCHED:
                self._throttle.popitem(last=False)


def _wait_after(failures: int, name: str | None) -> float:
    """Give the seconds for which nothing more is tried; no name stands for all those of one address."""
    free, longest = (_FREE_OF_ADDRESS, _LONGEST_OF_ADDRESS) if name is None else (_FREE_FAILURES, _LONGEST_WAIT)
    return float(min(2 ** min(failures - free, 30), longest)) if failures >= free else 0.0
