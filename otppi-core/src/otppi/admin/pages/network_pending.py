"""Changes of the network that a person has looked at, and those that begin in a moment."""

import secrets
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from otppi.api.errors import InvalidSettings, OtpPiError, sentence
from otppi.api.operations import Actor
from otppi.api.settings import REDACTED
from otppi.host.runtime.registry import Registry
from otppi.kit.threads import prompt

_MOST: Final = 8
_SOON: Final = 1.5
"""Seconds until a change begins: the answer that tells how to confirm it is with the browser by then. (OpenWrt's LuCI
waits 4 s, with a bigger page.)"""
_QR_SCALE: Final = 5
_SPECIAL: Final = '\\;,:"'


@dataclass(slots=True)
class AskedFor:
    """A change that a person asks for.

    Attributes:
        section: The key of the section.
        values: What was typed.
        found: What the operation `network_check` says of it.
        by: Who asks.
        token: By which it is confirmed.
        begun: Whether it is on trial, or was.
        trouble: Why it could not be; empty where it could.
    """

    section: str
    values: Mapping[str, Any] = field(repr=False)
    found: Mapping[str, Any]
    by: str
    token: str = field(default_factory=lambda: secrets.token_urlsafe(18), repr=False)
    begun: bool = False
    trouble: str = ""


class PendingChanges:
    """What is asked for, in RAM only, as there are secrets in it: the newest ones, each until it begins.

    Args:
        registry: The operations.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._lock = threading.Lock()
        self._asked: OrderedDict[str, AskedFor] = OrderedDict()
        self._last: AskedFor | None = None

    @property
    def last(self) -> AskedFor | None:
        """The one that was to begin last."""
        return self._last

    def add(self, asked: AskedFor) -> str:
        """Keep a change until somebody wants it to begin, and return its token."""
        with self._lock:
            self._asked[asked.token] = asked
            while len(self._asked) > _MOST:
                self._asked.popitem(last=False)
        return asked.token

    def begin(self, token: str, by: str, actor: Actor) -> AskedFor | None:
        """Have a change begin in a moment; None where it is not known, or somebody else's.

        Args:
            token: Its token.
            by: Who wants it.
            actor: The same, as operations know them.
        """
        with self._lock:
            asked = self._asked.get(token)
            if asked is None or asked.by != by:
                return None
            del self._asked[token]
            self._last = asked
        timer = prompt(threading.Timer(_SOON, self._change, (asked, actor)))
        timer.name = "network change"
        timer.start()
        return asked

    def _change(self, asked: AskedFor, actor: Actor) -> None:
        arguments = {"section": asked.section, "values": dict(asked.values), "token": asked.token}
        try:
            self._registry.call("network_change", arguments, actor)
        except InvalidSettings as error:
            asked.trouble = "; ".join(f"{one.field}: {one.reason}" for one in error.problems)
        except (OtpPiError, OSError) as error:
            asked.trouble = sentence(error)
        else:
            asked.begun = True


def wifi_picture(typed: Mapping[str, Any], kept: Mapping[str, Any]) -> str:
    """Return the QR code of the new Wi-Fi, as SVG, for a phone to scan before it is there; empty where there is none.

    There is one where its passphrase was typed: that which is in use is told to nobody.
    """
    passphrase = typed.get("passphrase", "")
    ssid = typed.get("ssid", kept.get("ssid", ""))
    if not passphrase or passphrase == REDACTED or not ssid:
        return ""
    import segno  # half a megabyte, for a page that is seldom opened

    said = f"WIFI:T:WPA;S:{_escaped(ssid)};P:{_escaped(passphrase)};;"
    made = segno.make(said, error="l", boost_error=False, encoding="utf-8")
    return str(made.svg_inline(scale=_QR_SCALE, border=4, dark="#000", light="#fff"))


def _escaped(value: str) -> str:
    """Escape what has a meaning in the text of a Wi-Fi's QR code (ZXing's "Barcode Contents")."""
    return "".join(f"\\{one}" if one in _SPECIAL else one for one in value)
