"""What comes by the channel and is no command for us: our own echo, answers of gateways, other people's messages.

Messenger sends every message to every client, its sender too, whatever the channel. So answers come back to us and to
other gateways; whoever answers to one starts a storm.
"""

import hashlib
import os
import re
import threading
from collections import OrderedDict
from enum import StrEnum

from otppi.wire.envelope_fields import COMMAND_NAMES
from otppi.wire.errors import EnvelopeError
from otppi.wire.lenient_json import load

_REMEMBERED = 2_000
_COMPACT_JWE = re.compile(rb'\s*"?[\w-]+\.[\w-]*\.[\w-]+\.[\w-]+\.[\w-]+"?\s*')
"""A command that was encrypted (RFC 7516 7.1), also as clients write it that make JSON of whatever they send."""


class Kind(StrEnum):
    """What a message is."""

    COMMAND = "command"
    ECHO = "echoes"
    """What we published ourselves."""
    ANSWER = "answers"
    """The answer of a gateway, ours or another."""
    OTHER = "ignored"
    """Nothing that is meant for a gateway."""


class Published:
    """Digests of what was published lately. Any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._key = os.urandom(16)
        self._digests: OrderedDict[bytes, None] = OrderedDict()

    def add(self, payload: bytes) -> None:
        """Remember one; called before it is published."""
        digest = self._digest(payload)
        with self._lock:
            self._digests[digest] = None
            self._digests.move_to_end(digest)
            if len(self._digests) > _REMEMBERED:
                self._digests.popitem(last=False)

    def __contains__(self, payload: bytes) -> bool:
        digest = self._digest(payload)
        with self._lock:
            return digest in self._digests

    def _digest(self, payload: bytes) -> bytes:
        return hashlib.blake2b(payload, digest_size=16, key=self._key).digest()


def kind_of(message: bytes, published: Published) -> Kind:
    """Say what a message is. What names a command that is known, or wants an answer, is a command, right or wrong."""
    if message in published:
        return Kind.ECHO
    if _COMPACT_JWE.fullmatch(message):
        return Kind.COMMAND
    try:
        document = load(message)
    except EnvelopeError:
        return Kind.OTHER
    if not isinstance(document, dict):
        return Kind.OTHER
    if "response_code" in document:
        return Kind.ANSWER
    command = document.get("command")
    wanted = (isinstance(command, str) and command in COMMAND_NAMES) or "callback_topic" in document
    return Kind.COMMAND if wanted or "ciphertext" in document else Kind.OTHER  # RFC 7516 7.2
