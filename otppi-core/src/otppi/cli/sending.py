"""`otppi send`: one SMS by hand."""

import sys
from typing import Any

from otppi.cli.arguments import Options, Parser
from otppi.cli.exits import Exit, Failure, of_response_code
from otppi.cli.generated import Own
from otppi.cli.language import _, spoken
from otppi.cli.output import complain, show
from otppi.cli.talk import gateway
from otppi.text.states import said


def send(options: Options) -> int:
    """Send the message."""
    client = gateway(options.data)
    text = message_text(options.message)
    given = {name: getattr(options, name) for name in ("receiver", "modem", "flash", "wait")}
    answer = deliver(client, **given, message=text)
    return tell(options, answer)


def deliver(client: Any, operation: str = "send", **arguments: Any) -> dict[str, Any]:
    """Ask the gateway to send, by this operation, and know what it means when its answer does not come."""
    from otppi.host.control.client import NoAnswer

    try:
        answer: dict[str, Any] = client.call(operation, arguments)
    except NoAnswer as error:
        raise Failure(Exit.UNCONFIRMED, _("{error}: the message may or may not have been sent", error=error)) from error
    return answer


def tell(options: Options, answer: dict[str, Any]) -> int:
    """Print what became of a message; return the exit code for it."""
    code = of_response_code(answer["response_code"])
    by = _(" by {modem_id}", modem_id=answer["modem_id"]) if answer.get("modem_id") else ""
    number = _(" (message {message_id})", message_id=answer["message_id"]) if answer.get("message_id") else ""
    if code is Exit.DONE or options.json:
        show(options, answer, [f"{_said(answer['state'])}{by}{number}"])
    if code is not Exit.DONE:
        cause = answer.get("cause") or _("no cause is known")
        complain(f"{_said(answer['state'])}{by}{number}: {cause} ({answer['response_code']})")
    return code


def _said(state: str) -> str:
    return str(spoken(said(state)))


def message_text(argument: str) -> str:
    """Take a text from the argument, or from stdin where that is `-`."""
    if argument == "-":
        if sys.stdin.isatty():
            complain(_("type the message, and end it with Ctrl-D on a line of its own"))
        argument = sys.stdin.read().removesuffix("\n").removesuffix("\r")
    # Bytes that are not UTF-8 come in as lone surrogates, which no SMS can carry.
    if any("\ud800" <= character <= "\udfff" for character in argument):
        raise Failure(Exit.USAGE, _("message: is not valid UTF-8"))
    return argument


def text_from_stdin(parser: Parser) -> None:
    """Have a text that is left out read from stdin."""
    parser.set_defaults(message="-")


OWN = {"send": Own(send, arguments=text_from_stdin)}
