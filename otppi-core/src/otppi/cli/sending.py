"""`otppi send`: one SMS by hand."""

import sys
from typing import Any

from otppi.cli.arguments import Commands, Options
from otppi.cli.exits import Exit, Failure, of_response_code
from otppi.cli.output import complain, show
from otppi.cli.talk import gateway


def add(commands: Commands) -> None:
    """Add the command."""
    parser = commands.command(
        "send",
        "Send an SMS through the running gateway, and say what became of it.\n\n"
        "Other users of this computer can see the arguments of a command: a secret text had better come from stdin.",
        send,
        [
            "otppi send 081234567890 'Your table is ready'",
            "otppi send --modem m0 4444 'REG'",
            'printf %s "$CODE" | otppi send +6281234567890 - --modem m0 --wait 30',
        ],
    )
    parser.add_argument(
        "receiver",
        metavar="RECEIVER",
        help="telephone number: 0812…, 62812… or +62812…, or a service number of the operator: 4444, '*888#'",
    )
    parser.add_argument(
        "message", metavar="MESSAGE", nargs="?", default="-", help="the text; - or nothing reads it from stdin"
    )
    parser.add_argument("--modem", metavar="NAME", help="the modem that is to send it (default: as the routes say)")
    parser.add_argument(
        "--wait", metavar="S", type=seconds, default=15.0, help="seconds to wait for its end, 0 to 120 (default: 15)"
    )


def seconds(text: str) -> float:
    """Read the argument of `--wait`."""
    value = float(text)
    if not 0 <= value <= 120:
        raise ValueError
    return value


def send(options: Options) -> int:
    """Send the message."""
    client = gateway(options.data)
    answer = deliver(
        client, receiver=options.receiver, message=message_text(options.message), modem=options.modem, wait=options.wait
    )
    return tell(options, answer)


def deliver(client: Any, operation: str = "send", **arguments: Any) -> dict[str, Any]:
    """Ask the gateway to send, by this operation, and know what it means when its answer does not come."""
    from otppi.host.control.client import NoAnswer

    try:
        answer: dict[str, Any] = client.call(operation, arguments)
    except NoAnswer as error:
        raise Failure(Exit.UNCONFIRMED, f"{error}: the message may or may not have been sent") from error
    return answer


def tell(options: Options, answer: dict[str, Any]) -> int:
    """Print what became of a message; give the exit code for it."""
    code = of_response_code(answer["response_code"])
    by = f" by {answer['modem_id']}" if answer.get("modem_id") else ""
    number = f" (message {answer['message_id']})" if answer.get("message_id") else ""
    if code is Exit.DONE or options.json:
        show(options, answer, [f"{answer['state']}{by}{number}"])
    if code is not Exit.DONE:
        complain(
            f"{answer['state']}{by}{number}: {answer.get('cause', 'no cause is known')} ({answer['response_code']})"
        )
    return code


def message_text(argument: str) -> str:
    """Take a text from the argument, or from stdin where that is `-`."""
    if argument == "-":
        if sys.stdin.isatty():
            complain("type the message, and end it with Ctrl-D on a line of its own")
        argument = sys.stdin.read().removesuffix("\n").removesuffix("\r")
    # Bytes that are not UTF-8 come in as lone surrogates, which no SMS can carry.
    if any("\ud800" <= character <= "\udfff" for character in argument):
        raise Failure(Exit.USAGE, "message: is not valid UTF-8")
    return argument
