"""`otppi keys`: the key that senders encrypt envelopes to."""

import argparse
import json
from collections.abc import Iterator
from typing import Any

from otppi.cli.arguments import Options, Parser
from otppi.cli.exits import Exit
from otppi.cli.generated import Own
from otppi.cli.output import columns, moment, show
from otppi.text import _

_COLUMNS = {"kid": "THUMBPRINT", "state": "STATE", "made": "MADE", "until": "UNTIL"}


def _options(parser: Parser) -> None:
    parser.add_argument(
        "--pem",
        action="store_true",
        default=argparse.SUPPRESS,  # as it may stand before the command, too: `otppi keys --pem rotate`
        help=_("print the public key as PEM, as openssl takes it"),
    )


def _shown(options: Options, answer: dict[str, Any]) -> int:
    if getattr(options, "pem", False):
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


_OWN = Own(show=_shown, arguments=_options)
OWN = {"keys show": _OWN, "keys rotate": _OWN}
