"""Reads envelopes as they come in: plain ones, and those that were encrypted to the gateway's key as a JWE (RFC 7516).

What is accepted is listed (RFC 8725 3.1): three algorithms of one family, four of authenticated encryption. There is no
`none`, `dir`, RSA1_5 or PBES2, no compression, no extension, and nothing is fetched from where a header points. Sizes
and headers are checked here before the library gets it; every flaw is one sentence about the body.
"""

import base64
import json
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from otppi.host.encryption.keys import EnvelopeKeys, KeysDamaged
from otppi.host.encryption.settings import EVERYWHERE, EncryptionValues
from otppi.text import _
from otppi.wire.envelope import BODY_LIMIT, Command, Envelope, parse
from otppi.wire.errors import EnvelopeError, FieldError
from otppi.wire.lenient_json import load

logger = logging.getLogger(__name__)

ALGORITHMS = ("ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A256KW")
"""Values of `alg`: key agreement on P-256 (RFC 7518 4.6)."""
ENCRYPTIONS: Mapping[str, tuple[int, int]] = {
    "A128GCM": (12, 16),
    "A256GCM": (12, 16),
    "A128CBC-HS256": (16, 16),
    "A256CBC-HS512": (16, 32),
}
"""Values of `enc`, and the octets of their initialization vector and tag (RFC 7518 5.2, 5.3)."""

_BOM = b"\xef\xbb\xbf"
_MARK = b'"ciphertext"'
_HEADER_LIMIT = 8 * 1024
"""Most characters of the protected header; the same again for each recipient is what others may have together."""
_KEY_LIMIT = 128
"""Most characters of an encrypted key; the longest, of A256CBC-HS512, has 96."""
_RECIPIENTS_LIMIT = 64
_BASE64URL = re.compile(r"[A-Za-z0-9_-]*")
_FIVE_PARTS = re.compile(rb"[A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]*){4}")
_COORDINATE = re.compile(r"[A-Za-z0-9_-]{43}")
_ECHO = {"encrypted": True}
"""What `echo` sends back of an encrypted envelope: its answer is not encrypted."""


class _Flaw(Exception):  # noqa: N818 - it is the sender's error, not ours
    """What is wrong with a JWE: a sentence that goes on from "body:", and quotes nothing."""


@dataclass(frozen=True, slots=True)
class _Recipient:
    header: Mapping[str, Any]
    encrypted_key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Sealed:
    """A JWE's parts, still in base64url."""

    protected: str
    iv: str
    ciphertext: str
    tag: str
    recipients: Sequence[_Recipient]
    unprotected: Mapping[str, Any] = field(default_factory=dict)
    aad: str | None = None


class EnvelopeReader:
    """Reads what comes in by every ingress. Any thread.

    Args:
        keys: The keys that envelopes may be encrypted to.
        settings: Gives the section `encryption` as it is now.
    """

    def __init__(self, keys: EnvelopeKeys, settings: Callable[[], EncryptionValues]) -> None:
        self.keys = keys
        self._settings = settings

    def read(self, body: bytes, ingress: str) -> Envelope:
        """Read a command; see `otppi.api.ingress.Gateway.read`."""
        # All that a plain envelope costs more is to look for a word that it does not have.
        if body[:1] == b"{" and _MARK not in body:
            return self._plain(body, ingress)
        try:
            sealed = _find(body.rstrip(b"\0"))  # see otppi.wire.lenient_json
            if sealed is None:
                return self._plain(body, ingress)
            text = self._open(sealed)
        except _Flaw as flaw:
            raise EnvelopeError([FieldError("body", str(flaw))]) from None
        envelope = parse(text)
        return replace(envelope, sealed=True, data=_ECHO if envelope.command is Command.ECHO else envelope.data)

    def _plain(self, body: bytes, ingress: str) -> Envelope:
        envelope = parse(body)
        required_on = self._settings()["required_on"]
        if ingress in required_on or EVERYWHERE in required_on:
            raise EnvelopeError(
                [
                    FieldError(
                        "body",
                        _(
                            "must be encrypted (JWE) on {ingress}; the key: GET /api/keys, or otppi keys",
                            ingress=ingress,
                        ),
                    )
                ],
                command=envelope.name,
                callback_topic=envelope.callback_topic,
                callback_delay=envelope.callback_delay,
            )
        return envelope

    def _open(self, sealed: _Sealed) -> bytes:
        recipient, header = _ours(sealed, self._known)
        kid = header.get("kid")
        _check_parts(sealed, recipient, header)
        keys = self._matching(kid)
        if not keys:
            raise _Flaw(_NO_KEY if kid is None else _UNKNOWN_KEY)
        for key in keys:
            if (text := _decrypted(sealed, recipient, header, key)) is not None:
                return text
        raise _Flaw(_CANNOT)

    def _known(self, kid: str) -> bool:
        return bool(self._matching(kid))

    def _matching(self, kid: str | None) -> list[Any]:
        try:
            return self.keys.matching(kid)
        except KeysDamaged:
            raise _Flaw(_("cannot be decrypted now: this gateway cannot read its keys (its log says why)")) from None


_UNKNOWN_KEY = _(
    "is encrypted to a key (kid) that this gateway does not have, or no longer has: get it "
    "with GET /api/keys, or otppi keys"
)
_CANNOT = _("cannot be decrypted with this gateway's key: it is encrypted to another key, made wrongly, or was changed")
_NO_KEY = _("is encrypted, and this gateway has no key yet: get one with GET /api/keys, or otppi keys")


# -- finding a JWE ----------------------------------------------------------------------------------------------------


def _find(body: bytes) -> _Sealed | None:
    """Find the JWE that a body is, in either serialisation; None where it is something else.

    The compact one may stand in quotes, as clients write it that make JSON of whatever they post.
    """
    if len(body) > BODY_LIMIT:
        return None  # as long as that nothing is read
    text = body.removeprefix(_BOM).strip()
    if text.startswith(b"{"):
        return _of_json(body) if _MARK in body else None
    if len(text) > 1 and text[:1] == text[-1:] == b'"':
        text = text[1:-1]
    # A header is a JSON object, so that its base64url mostly begins with ey; JSON that is no object has no five parts.
    if text.startswith(b"ey") or _FIVE_PARTS.fullmatch(text):
        return _of_compact(text.decode("latin-1"))
    return None


def _of_compact(text: str) -> _Sealed:
    """Take the compact serialisation apart (RFC 7516 7.1)."""
    parts = text.split(".", 5)
    if len(parts) == 3:
        raise _Flaw(_("looks like a JWS, which is signed and not encrypted: a JWE in compact form has five parts"))
    if len(parts) != 5:
        raise _Flaw(_("is not a JWE in compact form, which has five parts with dots between them"))
    protected, encrypted_key, iv, ciphertext, tag = parts
    return _Sealed(protected, iv, ciphertext, tag, [_Recipient({}, encrypted_key)])


def _of_json(body: bytes) -> _Sealed | None:
    """Take the general or the flattened JSON serialisation apart (RFC 7516 7.2); None for any other JSON.

    Raises:
        EnvelopeError: It is no JSON, as of a plain envelope.
    """
    document = load(body)
    if not isinstance(document, dict) or "ciphertext" not in document or "command" in document:
        return None
    if "recipients" not in document:
        recipients = [_recipient(document)]
    elif "header" in document or "encrypted_key" in document:
        raise _Flaw(_("must not have recipients beside header or encrypted_key (RFC 7516 7.2.2)"))
    else:
        entries = document["recipients"]
        if not isinstance(entries, list) or not 0 < len(entries) <= _RECIPIENTS_LIMIT:
            raise _Flaw(_("must have a list of 1 to {recipients_limit} recipients", recipients_limit=_RECIPIENTS_LIMIT))
        recipients = [_recipient(entry) for entry in entries]
    aad = _string(document, "aad") if "aad" in document else None
    protected, iv, ciphertext, tag = (_string(document, name) for name in ("protected", "iv", "ciphertext", "tag"))
    if len(body) - len(ciphertext) - len(aad or "") > _HEADER_LIMIT * (1 + len(recipients)):
        raise _Flaw(_TOO_LONG)
    return _Sealed(protected, iv, ciphertext, tag, recipients, _object(document, "unprotected"), aad)


def _recipient(entry: object) -> _Recipient:
    if not isinstance(entry, dict):
        raise _Flaw(_("must have objects as recipients"))
    encrypted_key = _string(entry, "encrypted_key") if "encrypted_key" in entry else ""
    return _Recipient(_object(entry, "header"), encrypted_key)


def _string(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str):
        raise _Flaw(_("must have {name} as text, in a JWE", name=name))
    return value


def _object(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = document.get(name, {})
    if not isinstance(value, dict):
        raise _Flaw(_("must have {name} as an object, in a JWE", name=name))
    return value


# -- its headers ------------------------------------------------------------------------------------------------------

_TOO_LONG = _("has a header of more than {header_limit:,} characters", header_limit=_HEADER_LIMIT)


def _ours(sealed: _Sealed, known: Callable[[str], bool]) -> tuple[_Recipient, Mapping[str, Any]]:
    """Choose the recipient that is this gateway, and return its whole header.

    Of several, each has to name its key: to try them all would let a sender ask for any amount of work.
    """
    protected = _protected(sealed.protected)
    wholes = [(one, _joined(protected, sealed.unprotected, one.header)) for one in sealed.recipients]
    for _one, header in wholes:
        if not isinstance(header.get("kid", ""), str):
            raise _Flaw(_("has a kid that is not text"))
        if len(wholes) > 1 and "kid" not in header:
            raise _Flaw(_("must name the key (kid) in the header of each of its recipients"))
    chosen = wholes if len(wholes) == 1 else [whole for whole in wholes if known(whole[1]["kid"])]
    if not chosen:
        raise _Flaw(_UNKNOWN_KEY)
    recipient, header = chosen[0]
    _check(header, protected)
    return recipient, header


def _protected(encoded: str) -> dict[str, Any]:
    if len(encoded) > _HEADER_LIMIT:
        raise _Flaw(_TOO_LONG)
    try:
        header = json.loads(_octets(encoded, "protected header"), object_pairs_hook=_once, parse_constant=_never)
    except (ValueError, RecursionError):
        raise _Flaw(_("has a protected header that is not JSON")) from None
    if not isinstance(header, dict):
        raise _Flaw(_("has a protected header that is not an object"))
    return header


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse names that are there twice (RFC 7516 4)."""
    if len(members := dict(pairs)) != len(pairs):
        raise ValueError("twice")
    return members


def _never(_constant: str) -> None:
    raise ValueError("not JSON")


def _joined(*headers: Mapping[str, Any]) -> dict[str, Any]:
    """Join the three headers, which must have no name in common (RFC 7516 7.2.1)."""
    whole: dict[str, Any] = {}
    for header in headers:
        if not whole.keys().isdisjoint(header):
            raise _Flaw(_("has the same parameter in two of its headers"))
        whole |= header
    return whole


def _check(header: Mapping[str, Any], protected: Mapping[str, Any]) -> None:
    """Check the parameters of a header."""
    if "zip" in header:
        raise _Flaw(_("must not be compressed (zip)"))
    if "crit" in header:
        raise _Flaw(_("asks for an extension (crit), and none is supported"))
    if header.get("alg") not in ALGORITHMS:
        raise _Flaw(_("must have one of these as alg: {algorithms}", algorithms=", ".join(ALGORITHMS)))
    if protected.get("enc") not in tuple(ENCRYPTIONS):  # a dictionary would want to hash it
        raise _Flaw(
            _(
                "must have one of these as enc, in the protected header: {encryptions}",
                encryptions=", ".join(ENCRYPTIONS),
            )
        )
    if not all(isinstance(header.get(name, ""), str) for name in ("apu", "apv")):
        raise _Flaw(_("has an apu or apv that is not text"))
    epk = header.get("epk")
    if not isinstance(epk, dict):
        raise _Flaw(_("must have an ephemeral public key (epk)"))
    if (epk.get("kty"), epk.get("crv")) != ("EC", "P-256"):
        raise _Flaw(_("must have an ephemeral public key (epk) on the curve P-256"))
    if not all(isinstance(epk.get(name), str) and _COORDINATE.fullmatch(epk[name]) for name in ("x", "y")):
        raise _Flaw(_("must have x and y of the ephemeral public key (epk) as 32 octets in base64url"))
    if "d" in epk:
        raise _Flaw(_("gives its ephemeral private key away (d in epk)"))


# -- its content ------------------------------------------------------------------------------------------------------


def _check_parts(sealed: _Sealed, recipient: _Recipient, header: Mapping[str, Any]) -> None:
    """Check what goes with the header: that its parts are base64url, and as long as its algorithms have them."""
    if len(recipient.encrypted_key) > _KEY_LIMIT:
        raise _Flaw(_("has an encrypted key that is too long"))
    if (header["alg"] == "ECDH-ES") != (not recipient.encrypted_key):
        raise _Flaw(_("must have an encrypted key with any alg but ECDH-ES, and none with that"))
    for name in ("apu", "apv"):
        _octets(header.get(name, ""), name)
    _octets(recipient.encrypted_key, _("encrypted key"))
    iv, tag = _octets(sealed.iv, "iv"), _octets(sealed.tag, "tag")
    if (len(iv), len(tag)) != ENCRYPTIONS[header["enc"]]:
        raise _Flaw(_("has an iv or a tag whose length is not that of its enc"))
    _octets(sealed.aad or "", "aad")
    _octets(sealed.ciphertext, "ciphertext")
    if "generate" in header["epk"]:  # the library would make a key of any kind and size, which takes minutes
        raise _Flaw(_CANNOT)


@cache
def _blank() -> Any:
    """Make the library's object of no JWE, to be copied: making one takes as long as opening an envelope with it."""
    from jwcrypto.jwe import JWE  # where an envelope is encrypted only: it costs memory

    return JWE()


def _decrypted(sealed: _Sealed, recipient: _Recipient, header: Mapping[str, Any], key: Any) -> bytes | None:
    """Return the text, or None where this key does not open it: why is nobody's business but the developer's."""
    whole: dict[str, Any] = {
        "protected": sealed.protected,
        "iv": sealed.iv,
        "ciphertext": sealed.ciphertext,
        "tag": sealed.tag,
    }
    more = {"unprotected": sealed.unprotected, "header": recipient.header, "encrypted_key": recipient.encrypted_key}
    whole |= {name: value for name, value in more.items() if value} | (
        {} if sealed.aad is None else {"aad": sealed.aad}
    )
    try:
        token = copy(_blank())
        token.allowed_algs = [header["alg"], header["enc"]]
        token.deserialize(json.dumps(whole))
        token.decrypt(key, max_plaintext=BODY_LIMIT)
        text: bytes = token.payload
    except Exception as error:  # noqa: BLE001 - of three libraries, on hostile octets: none may end the reader
        logger.debug("an encrypted envelope cannot be opened: %s", type(error).__name__)
        return None
    return text


def _octets(encoded: str, name: str) -> bytes:
    """Decode base64url as it must be: no padding, no other letters (RFC 7515 2)."""
    if not _BASE64URL.fullmatch(encoded) or len(encoded) % 4 == 1:
        raise _Flaw(_("has {name} that is not base64url (with - and _, and without =)", name=name))
    return base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
