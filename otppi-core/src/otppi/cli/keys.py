"""`otppi keys`: the key that senders encrypt envelopes to."""

import json
from collections.abc import Iterator
from typing import Any

from otppi.cli.arguments import Options, Parser
from otppi.cli.exits import Exit, Failure
from otppi.cli.generated import Own
from otppi.cli.output import columns, moment, show
from otppi.cli.talk import ask
from otppi.text import _

_COLUMNS = {"kid": "THUMBPRINT", "state": "STATE", "made": "MADE", "until": "UNTIL"}


def _options(parser: Parser) -> None:
    parser.add_argument(
        "action",
        nargs="?",
        choices=("show", "rotate"),
        default="show",
        help=_("rotate makes a new key (default: show)"),
    )
    parser.add_argument("--pem", action="store_true", help=_("print the public key as PEM, as openssl takes it"))
    parser.add_argument(
        "--discard-damaged",
        action="store_true",
        help=_("with rotate: put a file of keys that cannot be read aside; all senders need the new key then"),
    )


def keys(options: Options) -> int:
    """Show or replace the key."""
    if options.action == "rotate":
        answer = ask(options.data, "keys_rotate", discard_damaged=options.discard_damaged)
    elif options.discard_damaged:
        raise Failure(Exit.USAGE, _("--discard-damaged: goes with rotate only"))
    else:
        answer = ask(options.data, "keys")
    if options.pem:
        pem = _pem(answer["keys"][0])
        show(options, {"kid": answer["keys"][0]["kid"], "pem": pem}, [pem.rstrip("\n")])
    else:
        show(options, answer, _lines(answer))
    return Exit.DONE


def _pem(key: dict[str, str]) -> str:
    from jwcrypto.jwk import JWK  # here, and not in the gateway, where it would stay in memory

    pem: bytes = JWK(**key).export_to_pem()
    return pem.decode("ascii")


def _lines(answer: dict[str, Any]) -> Iterator[str]:
    rows = [
        one | {"made": moment(one["made"]), "until": one["until"] and moment(one["until"])}
        for one in answer["thumbprints"]
    ]
    yield from columns(rows, _COLUMNS)
    yield ""
    yield json.dumps({"keys": answer["keys"]}, indent=2)


OWN = {
    "keys": Own(
        keys,
        arguments=_options,
        help=_(
            "Show the public key that senders encrypt envelopes to, as a JWK Set (RFC 7517), or "
            "replace it.\n\nA key that was replaced still opens envelopes for the days that "
            "encryption.keep_days says."
        ),
    )
}
