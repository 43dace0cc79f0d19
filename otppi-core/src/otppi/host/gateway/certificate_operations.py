"""The operations on the device's certificate, by which pages and API are served: show it, bring one, one step back."""

import base64
import binascii
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from otppi.api.errors import InvalidSettings
from otppi.api.operations import Offline, Operation
from otppi.api.settings import Kind, Setting, text
from otppi.host.administrators.page import ADMINISTRATION
from otppi.host.gateway.interfaces import interfaces
from otppi.host.runtime.registry import HostCall
from otppi.host.settings.config import Config
from otppi.text import Text, _, words
from otppi.web.certificate_facts import CertificateFacts
from otppi.web.device_certificate import DeviceCertificate, NothingBefore, check
from otppi.wire.errors import FieldError

SOON: Final = 30
"""Days before its end from which on people are told."""
_DAY: Final = 86_400
_LONGEST: Final = 100_000
"""Characters of a certificate with its chain, or of a key."""
PROBLEMS: Final[Mapping[str, Text]] = MappingProxyType(
    {
        "unreadable": _("is no certificate in PEM, DER or PKCS#12"),
        "no-certificate": _("has no certificate in it"),
        "too-many": _("has more than {detail} certificates"),
        "no-key": _("is missing: the certificate is of no use without its key"),
        "unreadable-key": _("is no key in PEM or DER, or of a kind that is not known"),
        "key-does-not-fit": _("is not the key of this certificate: {detail}"),
        "not-in-chain": _("has a certificate that vouches for none of the others: {detail}"),
        "expired": _("has expired: {detail}"),
        "password-wanted": _("is needed: the key is protected"),
        "password-wrong": _("is wrong, or the file is damaged"),
    }
)
"""What `otppi.web.certificate_check` finds wrong."""


def _certificate(call: HostCall) -> dict[str, Any]:
    return _described(call)


def _take(call: HostCall, certificate: object, private_key: object, password: str) -> dict[str, Any]:
    """Check a certificate, and use it.

    Raises:
        InvalidSettings: What is wrong with it, by the argument.
    """
    given = {"certificate": certificate, "private_key": private_key or ""}
    octets = {name: _octets(name, value) for name, value in given.items()}
    found = check(octets["certificate"], octets["private_key"], password, time.time())
    if "problem" in found:
        reason = PROBLEMS[found["problem"]].filled(detail=found["detail"])
        raise InvalidSettings([FieldError(found["field"], reason)])
    call.part(DeviceCertificate).replace_by(found["pem"].encode())
    return _described(call)


def _make(call: HostCall) -> dict[str, Any]:
    call.part(DeviceCertificate).make_own()
    return _described(call)


def _back(call: HostCall) -> dict[str, Any]:
    """Use the one before.

    Raises:
        InvalidSettings: There is none.
    """
    try:
        call.part(DeviceCertificate).go_back()
    except NothingBefore as error:
        raise InvalidSettings([FieldError("certificate", words(error))]) from error
    return _described(call)


def _octets(name: str, value: object) -> bytes:
    """Return what an argument holds: PEM as it is, anything else in base64.

    Raises:
        InvalidSettings: It is neither.
    """
    if not isinstance(value, str):
        raise InvalidSettings([FieldError(name, _("must be {type}", type=_("text")))])
    if len(value) > _LONGEST:
        raise InvalidSettings([FieldError(name, _("is longer than {most:,} characters", most=_LONGEST))])
    if "-----BEGIN " in value:
        return value.encode("ascii", "replace")
    try:
        return base64.b64decode("".join(value.split()), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidSettings([FieldError(name, _("must be PEM, or the base64 of a file"))]) from None


def _described(call: HostCall) -> dict[str, Any]:
    """Return what is shown of the certificate that is in use: nothing of its key."""
    certificate = call.part(DeviceCertificate)
    certificate.prepare()
    facts, names = certificate.facts, _names_of_device(call.part(Config))
    told: dict[str, Any] = {
        "fingerprint": certificate.fingerprint,
        "pem": certificate.chain(),
        "can_go_back": certificate.can_go_back,
        "device_names": names,
        "warnings": [*certificate.warnings(), *(_warnings(facts, names) if facts else [])],
    }
    if facts is None:
        return told
    return told | {
        "subject": facts.subject,
        "issuer": facts.issuer,
        "begins": facts.begins,
        "ends": facts.ends,
        "days_left": days_left(facts),
        "names": list(facts.names),
        "own": facts.own,
    }


def days_left(facts: CertificateFacts) -> int:
    """Return the whole days until it ends; below zero where it has ended."""
    return int((facts.ends - time.time()) // _DAY)


def ends_soon(facts: CertificateFacts) -> Text | None:
    """Return what people should know of its end; None where that is far away."""
    left = days_left(facts)
    if left < 0:
        return _("the certificate has expired: browsers and applications refuse it")
    if left > SOON:
        return None
    return _("the certificate ends on {day}", day=_day(facts.ends))


def _warnings(facts: CertificateFacts, names: Sequence[str]) -> Iterator[Text]:
    if soon := ends_soon(facts):
        yield soon
    if facts.begins > time.time():
        yield _("it is not valid before {day} by this device's clock: is the clock right?", day=_day(facts.begins))
    if not any(_fits(own, name) for own in facts.names for name in names):
        yield _("it is for none of the names and addresses of this device: browsers warn of it")


def _day(at: int) -> str:
    return time.strftime("%Y-%m-%d", time.localtime(at))


def _fits(own: str, name: str) -> bool:
    """Return whether a name of a certificate is one of the device (RFC 6125 6.4.3: a star is one label)."""
    own, name = own.lower(), name.lower()
    return own == name or (own.startswith("*.") and own[1:] == f".{name.partition('.')[2]}")


def _names_of_device(config: Config) -> list[str]:
    host = socket.gethostname()
    addresses = [one.partition("/")[0] for link in interfaces() for one in link["addresses"]]
    names = [host, host if "." in host else f"{host}.local", *config.one(ADMINISTRATION)["host_names"], *addresses]
    return list(dict.fromkeys(names))


_CHANGES: Final = "certificate"

OPERATIONS = (
    Operation(
        name="certificate",
        title=_("Certificate"),
        help=_(
            "Show the certificate of the pages and of the API: its fingerprint, for which names it is, and until when."
        ),
        handler=_certificate,
        reads_only=True,
        command="certificate show",
        examples=("", "--json | jq -r .fingerprint"),
        offline=Offline.YES,
    ),
    Operation(
        name="certificate_take",
        title=_("Use a certificate of your own"),
        help=_(
            "Check a certificate and use it: that the key is its own, that the others in it vouch for it, that none "
            "has expired. Connections that are open stay, new ones get it at once. The one before is kept for one step "
            "back."
        ),
        handler=_take,
        parameters=(
            Setting(
                key="certificate",
                title=_("Certificate"),
                help=_("the certificate and those that vouch for it, in PEM; or the base64 of a PKCS#12 file"),
                default=None,
                kind=Kind.ANY,
                required=True,
                secret=True,  # the key may be in it
            ),
            Setting(
                key="private_key",
                title=_("Private key"),
                help=_("its key in PEM, where that is not in the same file"),
                default=None,
                kind=Kind.ANY,
                secret=True,
            ),
            text("password", _("Password"), _("that protects the key or the file, if any"), secret=True),
        ),
        changes=_CHANGES,
        asks_again=True,
        command="certificate take",
        examples=("fullchain.pem --key privkey.pem", "otppi.p12"),
        offline=Offline.YES,
    ),
    Operation(
        name="certificate_make",
        title=_("Make a new certificate"),
        help=_(
            "Have the device make a new certificate for itself, with a new key, for the names and addresses that it "
            "has now. Browsers warn of it once: compare the fingerprint."
        ),
        handler=_make,
        changes=_CHANGES,
        asks_again=True,
        command="certificate make",
        examples=("",),
        offline=Offline.YES,
    ),
    Operation(
        name="certificate_back",
        title=_("Back to the certificate before"),
        help=_("Use the certificate again that was in use before this one, and keep this one for the next step back."),
        handler=_back,
        changes=_CHANGES,
        asks_again=True,
        command="certificate back",
        examples=("",),
        offline=Offline.YES,
    ),
)
