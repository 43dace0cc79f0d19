"""The keys that senders encrypt envelopes to: made when first wanted, kept on the card, replaced, dropped in time.

All are EC keys on P-256, which every client can use (openssl, WebCrypto and PHP derive with them), which cost
microseconds to make, and whose private operation is cheap on a Raspberry Pi. A key's name (`kid`) is its thumbprint
(RFC 7638). The library for them is imported by the first envelope or the first new key only: it costs 10 MB.
"""

import base64
import hashlib
import json
import logging
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from threading import Lock
from typing import Any

from otppi.api.errors import OtpPiError
from otppi.kit.files import as_json, replace_whole, sync_folder
from otppi.text import _

logger = logging.getLogger(__name__)

_VERSION = 1
_DAY = 86_400.0
_MOST_KEPT = 8
"""Replaced keys that are kept at most: an envelope without `kid` is tried with each."""


class KeysDamaged(OtpPiError):  # noqa: N818
    """The file of the keys cannot be read: nothing is guessed, and nothing is overwritten."""


@dataclass(frozen=True, slots=True)
class EnvelopeKey:
    """One key pair.

    Attributes:
        kid: Its thumbprint.
        made: When it was made, in Unix seconds.
        retired: When another took its place, in Unix seconds; None of the current one.
        x, y, d: The public point and the private key, as a JWK writes them (RFC 7518 6.2).
    """

    kid: str
    made: float
    retired: float | None
    x: str
    y: str
    d: str = field(repr=False)

    def public(self) -> dict[str, str]:
        """Return the public key as a JWK (RFC 7517)."""
        return {"kty": "EC", "crv": "P-256", "x": self.x, "y": self.y, "use": "enc", "kid": self.kid}

    def until(self, keep_days: float) -> float:
        """Return when it is dropped, in Unix seconds; never while it is the current one."""
        return math.inf if self.retired is None else self.retired + keep_days * _DAY


class EnvelopeKeys:
    """The keys of one gateway. Any thread; who opens an envelope waits for no write unless a key is to be dropped.

    Args:
        path: The file, which is made with mode 0600 and always replaced as a whole.
        keep_days: Says for how many days a replaced key is kept.
        clock: Unix seconds.
    """

    def __init__(self, path: Path, keep_days: Callable[[], float], *, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._keep_days = keep_days
        self._clock = clock
        self._lock = Lock()
        self._keys: tuple[EnvelopeKey, ...] | None = None
        self._next_drop = math.inf
        self._damage = ""
        self._ready: dict[str, Any] = {}

    # -- opening envelopes ------------------------------------------------------------------------------------------

    def matching(self, kid: str | None) -> list[Any]:
        """Return the private key of this name, or all where it is None, the current one first, as objects of jwcrypto.

        Raises:
            KeysDamaged: They cannot be read.
        """
        return [self._prepared(key) for key in self._usable() if kid is None or key.kid == kid]

    def _usable(self) -> tuple[EnvelopeKey, ...]:
        keys = self._keys
        if keys is not None and self._clock() < self._next_drop:
            return keys
        with self._lock:
            return self._current_keys()

    def _prepared(self, key: EnvelopeKey) -> Any:
        """Make the library's object of a key, once: that takes longer than to open an envelope with it."""
        ready = self._ready.get(key.kid)
        if ready is None:
            from jwcrypto.jwk import JWK

            ready = JWK(kty="EC", crv="P-256", x=key.x, y=key.y, d=key.d)
            with self._lock:
                self._ready[key.kid] = ready
        return ready

    # -- showing and changing them ----------------------------------------------------------------------------------

    def jwk_set(self) -> dict[str, Any]:
        """Return the public key that senders are to use, as a JWK Set (RFC 7517 5); it is made where there is none.

        Replaced keys are not in it: nobody should begin to use them.

        Raises:
            KeysDamaged: The keys cannot be read.
            OSError: A new key cannot be written.
        """
        keys = self._usable()
        if not keys:
            with self._lock:
                keys = self._current_keys()  # somebody else may have been quicker
                if not keys:
                    keys = self._replaced(())
                    logger.info("a key for encrypted envelopes was made: %s", keys[0].kid)
        return {"keys": [keys[0].public()]}

    def thumbprints(self) -> list[dict[str, Any]]:
        """List the keys that there are: `kid`, `state`, and since and until when (Unix seconds) each is."""
        keep_days = self._keep_days()
        return [
            {
                "kid": key.kid,
                "state": "current" if key.retired is None else "kept",
                "made": round(key.made),
                "until": None if key.retired is None else round(key.until(keep_days)),
            }
            for key in self._usable()
        ]

    def rotate(self, by: str, *, discard_damaged: bool = False) -> str:
        """Make a new current key and return its name; the others are kept as long as the settings say.

        Args:
            by: Who wants it, for the log.
            discard_damaged: Whether a file that cannot be read is put aside, with the keys in it.

        Raises:
            KeysDamaged: The keys cannot be read.
            OSError: The new key cannot be written; nothing has changed.
        """
        with self._lock:
            try:
                old = self._current_keys()
            except KeysDamaged:
                if not discard_damaged:
                    raise
                old = ()
                self._put_aside()
            keys = self._replaced(old)
        logger.info("the key for encrypted envelopes was replaced by %s: the new one is %s", by, keys[0].kid)
        return keys[0].kid

    def remove(self, kid: str, by: str) -> None:
        """Drop a key that was replaced, before its time.

        Args:
            kid: Its name.
            by: Who wants it, for the log.

        Raises:
            LookupError: No key that was replaced has this name.
            KeysDamaged: The keys cannot be read.
            OSError: The file cannot be written; nothing has changed.
        """
        with self._lock:
            keys = self._current_keys()
            left = tuple(key for key in keys if key.kid != kid or key.retired is None)
            if len(left) == len(keys):
                raise LookupError(kid)
            self._write(left)
            self._replace(left)
        logger.info("the replaced key for encrypted envelopes %s was dropped by %s", kid, by)

    def drop_expired(self) -> None:
        """Drop what has been kept long enough by the settings of now; at the start too, where it also finds damage."""
        with self._lock:
            try:
                self._current_keys()
            except KeysDamaged:
                return  # it is logged, and in the warnings

    def warnings(self) -> list[str]:
        """Return what is wrong with the keys, for the gateway's health."""
        return [_("encrypted envelopes are refused: {damage}", damage=self._damage)] if self._damage else []

    # -- the file (all with the lock) -------------------------------------------------------------------------------

    def _current_keys(self) -> tuple[EnvelopeKey, ...]:
        """Return the keys that are good now, the current one first; the file forgets the others."""
        keys = self._read() if self._keys is None else self._keys
        good = self._good(keys)
        if good != keys:
            logger.info("%d replaced keys for encrypted envelopes were dropped", len(keys) - len(good))
            try:
                self._write(good)
            except OSError as error:  # the card is full or fails: they are dropped from memory all the same
                logger.error("%s still holds keys that were dropped: %s", self._path, error)  # noqa: TRY400
        self._replace(good)
        return good

    def _replaced(self, old: tuple[EnvelopeKey, ...]) -> tuple[EnvelopeKey, ...]:
        """Put a new key before the old ones, in the file first."""
        now = self._clock()
        retired = (replace(key, retired=now) if key.retired is None else key for key in old)
        keys = (_new_key(now), *self._good(retired)[:_MOST_KEPT])
        self._write(keys)
        self._replace(keys)
        return keys

    def _good(self, keys: Iterable[EnvelopeKey]) -> tuple[EnvelopeKey, ...]:
        now, keep_days = self._clock(), self._keep_days()
        return tuple(key for key in keys if now < key.until(keep_days))

    def _replace(self, keys: tuple[EnvelopeKey, ...]) -> None:
        keep_days = self._keep_days()
        self._next_drop = min((key.until(keep_days) for key in keys), default=math.inf)
        self._keys = keys
        self._damage = ""
        kept = {key.kid for key in keys}
        self._ready = {kid: ready for kid, ready in self._ready.items() if kid in kept}

    def _read(self) -> tuple[EnvelopeKey, ...]:
        try:
            return _keys_of(json.loads(self._path.read_bytes()))
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise self._damaged(_("it cannot be read ({reason})", reason=error.strerror)) from error
        except (
            ValueError,
            LookupError,
            TypeError,
            RecursionError,
        ) as error:  # they may quote it: our sentence does not
            raise self._damaged(_("it is damaged")) from error

    def _damaged(self, reason: str) -> KeysDamaged:
        """Forget what was read, so that a file that is put back is found; log it once."""
        damage = _("the keys in {path} cannot be used: {reason}", path=self._path.name, reason=reason)
        if damage != self._damage:
            logger.error("%s: encrypted envelopes are refused, others go on. Put the file back from a copy", damage)
        self._damage, self._keys, self._ready = damage, None, {}
        return KeysDamaged(
            _("{damage} (put it back from a copy, or: otppi keys rotate --discard-damaged)", damage=damage)
        )

    def _write(self, keys: Iterable[EnvelopeKey]) -> None:
        """Replace the file. No copy of the old one is kept: a key that is dropped should be gone."""
        entries = [asdict(key) for key in keys]
        replace_whole(self._path, as_json({"version": _VERSION, "keys": entries, "check": _check(entries)}))

    def _put_aside(self) -> None:
        """Give a damaged file another name: an expert may still find a key in it."""
        aside = self._path.with_suffix(f".damaged-{self._clock():.0f}")
        self._path.replace(aside)
        sync_folder(self._path.parent)
        logger.warning("the damaged %s is %s now", self._path.name, aside.name)


def _new_key(now: float) -> EnvelopeKey:
    from jwcrypto.jwk import JWK

    made = JWK.generate(kty="EC", crv="P-256")
    return EnvelopeKey(_thumbprint(made["x"], made["y"]), now, None, made["x"], made["y"], made["d"])


def _thumbprint(x: str, y: str) -> str:
    """Name a public key: the hash of its required members in the order of the alphabet (RFC 7638 3)."""
    members = json.dumps({"crv": "P-256", "kty": "EC", "x": x, "y": y}, separators=(",", ":"))
    return base64.urlsafe_b64encode(hashlib.sha256(members.encode()).digest()).decode().rstrip("=")


def _check(entries: object) -> str:
    """Sum the file's keys up, so that damage is found at the start, without the library."""
    return hashlib.sha256(json.dumps(entries, sort_keys=True).encode()).hexdigest()


def _keys_of(document: Any) -> tuple[EnvelopeKey, ...]:
    """Read the file's content.

    Raises:
        ValueError, LookupError, TypeError: It is not as we wrote it.
    """
    if document["version"] != _VERSION or document["check"] != _check(document["keys"]):
        raise ValueError("of another version, or damaged")
    return tuple(EnvelopeKey(**entry) for entry in document["keys"])
