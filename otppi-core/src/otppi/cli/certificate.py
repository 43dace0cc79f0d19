"""`otppi certificate`: how the certificate is shown, and how one is read from files."""

import getpass
import sys
from collections.abc import Mapping
from typing import Any, Final

from otppi.cli.arguments import Options, Parser
from otppi.cli.exits import Exit
from otppi.cli.files import read_octets
from otppi.cli.generated import Own
from otppi.cli.language import _, spoken
from otppi.cli.output import cell, moment, show
from otppi.cli.talk import ask

_LARGEST: Final = 200_000
"""Octets of a certificate with its chain, or of a key: more than is ever taken, so that the gateway says so."""


def _take(options: Options) -> int:
    """Bring a certificate; the password is asked for where one is needed."""
    from otppi.web.device_certificate import as_argument

    given: dict[str, Any] = {"certificate": as_argument(read_octets(options.file, _LARGEST))}
    if options.key is not None:
        given["private_key"] = as_argument(read_octets(options.key, _LARGEST))
    from otppi.api.errors import InvalidSettings  # with much else, which a command that is asked for its help needs not

    try:
        answer = ask(options.data, "certificate_take", **given)
    except InvalidSettings as error:
        if [one.field for one in error.problems] != ["password"]:
            raise
        answer = ask(options.data, "certificate_take", **given, password=_password())
    return _shown(options, answer)


def _password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    title = spoken(_("Password of the key"))
    return getpass.getpass(f"{title}: ")


def _files(parser: Parser) -> None:
    parser.add_argument("file", metavar="FILE", help=_("certificate with those that vouch for it: PEM, PKCS#12"))
    parser.add_argument("--key", metavar="FILE", help=_("the key, where it is not in the same file"))


def _looked_at(options: Options, answer: Mapping[str, Any]) -> int:
    if options.pem:
        print(answer["pem"], end="")
        return Exit.DONE
    return _shown(options, answer)


def _pem(parser: Parser) -> None:
    parser.add_argument("--pem", action="store_true", help=_("print the certificate itself, for applications to trust"))


def _shown(options: Options, answer: Mapping[str, Any]) -> int:
    lines = [f"SHA-256: {answer['fingerprint']}"]
    if "subject" in answer:
        lines += [
            _("for: {names}", names=cell(answer["names"])),
            _("by: {issuer}", issuer=_("itself") if answer["own"] else cell(answer["issuer"])),
            _("until: {end}, {days} days left", end=moment(answer["ends"]), days=answer["days_left"]),
        ]
    lines += [_("warning: {warning}", warning=cell(one)) for one in answer["warnings"]]
    show(options, answer, lines)
    return Exit.DONE


OWN = {
    "certificate show": Own(show=_looked_at, arguments=_pem),
    "certificate take": Own(_take, arguments=_files, hidden=frozenset({"certificate", "private_key", "password"})),
    "certificate make": Own(show=_shown),
    "certificate back": Own(show=_shown),
}
