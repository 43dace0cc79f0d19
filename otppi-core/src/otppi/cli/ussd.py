"""`otppi ussd` and `otppi balance`: USSD sessions by hand, and what is left on the SIM cards."""

import shlex
import sys
from collections.abc import Iterator
from typing import Any

from otppi.cli.arguments import Options, Parser
from otppi.cli.exits import Exit, Failure, of_response_code
from otppi.cli.generated import Own
from otppi.cli.language import spoken
from otppi.cli.output import cell, columns, complain, moment, one_line, show
from otppi.cli.talk import gateway
from otppi.text import _
from otppi.text.states import said

_COLUMNS = {
    "modem_id": "MODEM",
    "balance": "BALANCE",
    "low": "LOW",
    "read": "READ",
    "balance_problem": "PROBLEM",
}
_ON_ITS_WAY = ("queued", "sending")


def _ussd_options(parser: Parser) -> None:
    parser.add_argument(
        "--reply", metavar="SESSION", help=_("go on with this session instead of beginning one: CODE is the reply")
    )
    parser.add_argument("--cancel", action="store_true", help=_("end the session on the modem, whoever has it"))


def _balance_options(parser: Parser) -> None:
    parser.add_argument("--now", action="store_true", help=_("read it now, which takes some seconds for each"))


def ussd(options: Options) -> int:
    """Run a code."""
    client = gateway(options.data)
    if options.cancel:
        answer = client.call("ussd_cancel", {"modem": options.modem})
        was = _("is ended") if answer["changed"] else _("was not open")
        show(options, answer, [_("the USSD session on {modem} {was}", modem=options.modem, was=was)])
        return Exit.DONE
    if not options.code:
        raise Failure(Exit.USAGE, _("code: is missing"))
    answer = _begin(client, options)
    while True:
        answer = _wait(client, answer)
        code = of_response_code(answer["response_code"])
        if code is not Exit.DONE or options.json or not sys.stdin.isatty():
            break
        _print(answer)
        if not answer["reply_wanted"]:
            return Exit.DONE
        answer = _reply(client, answer)
        if answer is None:
            return Exit.DONE
    if code is Exit.DONE or options.json:
        show(options, answer, _lines(answer))
    if code is not Exit.DONE:
        cause = answer.get("cause") or spoken(_("no cause is known"))
        complain(f"{spoken(said(answer['state']))}: {cause} ({answer['response_code']})")
    return code


def _begin(client: Any, options: Options) -> Any:
    if options.reply:
        return client.call("ussd_reply", {"session": options.reply, "text": options.code})
    return client.call("ussd", {"modem": options.modem, "code": options.code})


def _wait(client: Any, answer: Any) -> Any:
    """Ask again until the network has answered, or the gateway has given up."""
    while answer["state"] in _ON_ITS_WAY and answer["response_code"] == "0000":
        answer = client.call("ussd_wait", {"session": answer["session"]})
    return answer


def _reply(client: Any, answer: Any) -> Any:
    """Ask the person for the reply; an empty one ends the session, and None is given."""
    try:
        text = input(spoken(_("reply (nothing ends the session): ")))
    except EOFError:
        text = ""
    if text:
        return client.call("ussd_reply", {"session": answer["session"], "text": text})
    client.call("ussd_cancel", {"modem": answer["modem_id"]})
    return None


def _print(answer: Any) -> None:
    for line in (answer["text"] or spoken(_("(the network says nothing)"))).split("\n"):
        print(one_line(line))


def _lines(answer: Any) -> Iterator[str]:
    yield from map(one_line, answer["text"].split("\n"))
    if answer["reply_wanted"]:
        yield _(
            "(a reply is wanted: otppi ussd {modem_id} REPLY --reply {session})",
            modem_id=shlex.quote(answer["modem_id"]),
            session=answer["session"],
        )


def balance(options: Options) -> int:
    """List the balances, or read them."""
    client = gateway(options.data)
    balances = client.call("balances", {"modem": options.modem or ""})
    failed = False
    if options.now:
        from otppi.api.errors import OtpPiError

        for place, one in enumerate(balances):
            try:
                balances[place] = client.call("balance_read", {"modem": one["modem_id"]})
            except OtpPiError as error:
                complain(f"{one['modem_id']}: {error}")
                failed = True
    show(options, balances, columns([_row(one) for one in balances], _COLUMNS))
    if not balances:
        complain(_("no modem has a balance_ussd (set it with: otppi settings set modems.NAME.balance_ussd '*123#')"))
    return Exit.FAILED if failed else Exit.DONE


def _row(one: dict[str, Any]) -> dict[str, Any]:
    amount = None if one["balance"] is None else f"{one['balance']:,.2f}"
    read = None if one["balance_read"] is None else moment(one["balance_read"])
    return one | {"balance": cell(amount), "low": one["balance_low"], "read": read}


OWN = {
    "ussd": Own(
        ussd,
        arguments=_ussd_options,
        hidden=frozenset({"wait"}),
        help=_(
            "Run a USSD code on a modem, and print what the network says.\n\nWhere the network wants a "
            "reply it is asked for on a terminal; else the answer names the session, which waits "
            "some time for a reply by --reply."
        ),
    ),
    "balance": Own(
        balance,
        arguments=_balance_options,
        help=_("List the balances of the SIM cards as they were read last, or read them now."),
    ),
}
