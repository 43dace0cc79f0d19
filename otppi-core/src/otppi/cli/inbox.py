"""`otppi inbox`: the messages that came in to the modems."""

from typing import Any

from otppi.cli.arguments import Commands, Options
from otppi.cli.exits import Exit, Failure
from otppi.cli.output import cell, columns, complain, moment, one_line, show
from otppi.cli.sending import deliver, message_text, seconds, tell
from otppi.cli.talk import gateway

_COLUMNS = {
    "message_id": "MESSAGE",
    "at": "SENT",
    "modem_id": "MODEM",
    "from": "FROM",
    "state": "STATE",
    "text": "TEXT",
}
_LONGEST = 40
_EXAMPLE = "3f1c9a0b77d2e481"


def add(commands: Commands) -> None:
    """Add the commands."""
    group = commands.group("inbox", "Read, answer and delete the messages that came in to the modems.")
    listing = group.command(
        "list",
        "List the messages that came in, oldest first, with the beginning of each text.",
        inbox_list,
        ["otppi inbox list", "otppi inbox list --unread --json | jq -r .[].text"],
    )
    listing.add_argument("--unread", action="store_true", help="only those that nobody has read")
    showing = group.command(
        "show",
        "Show a message, and mark it as read.",
        inbox_show,
        [f"otppi inbox show {_EXAMPLE}", f"otppi inbox show {_EXAMPLE} --keep-unread"],
    )
    showing.add_argument("--keep-unread", action="store_true", help="leave it marked as not read")
    deleting = group.command(
        "delete", "Delete messages.", inbox_delete, [f"otppi inbox delete {_EXAMPLE}", "otppi inbox delete --read"]
    )
    deleting.add_argument("message_ids", metavar="MESSAGE", nargs="*", help="ids as inbox list prints them")
    deleting.add_argument("--read", action="store_true", help="all that were read")
    replying = group.command(
        "reply",
        "Answer a message by the modem that it came to, and say what became of the answer.",
        inbox_reply,
        [f"otppi inbox reply {_EXAMPLE} 'Thank you'"],
    )
    for parser in (showing, replying):
        parser.add_argument("message_id", metavar="MESSAGE", help="id as inbox list prints it")
    replying.add_argument(
        "text", metavar="TEXT", nargs="?", default="-", help="the text; - or nothing reads it from stdin"
    )
    replying.add_argument(
        "--wait", metavar="S", type=seconds, default=15.0, help="seconds to wait for its end, 0 to 120 (default: 15)"
    )


def inbox_list(options: Options) -> int:
    """List the messages."""
    messages = gateway(options.data).call("inbox_list", {"unread": options.unread})
    show(options, messages, columns([_row(message) for message in messages], _COLUMNS))
    if not messages:
        complain("no message is unread" if options.unread else "no message has come in")
    return Exit.DONE


def inbox_show(options: Options) -> int:
    """Show one message."""
    client = gateway(options.data)
    message = client.call("inbox_show", {"message_id": options.message_id})
    if options.keep_unread:
        client.call("inbox_mark", {"message_id": options.message_id, "read": False})
    head = f"{_origin(message)} to {cell(message['modem_id'])}, {moment(message['sent'])}"
    show(options, message, [head, *(one_line(line) for line in message["text"].split("\n"))])
    return Exit.DONE


def inbox_delete(options: Options) -> int:
    """Delete messages; exit code 1 where none was there."""
    if not options.message_ids and not options.read:
        raise Failure(Exit.USAGE, "message: is missing (or --read, for all that were read)")
    client, wanted = gateway(options.data), list(options.message_ids)
    if options.read:
        wanted += [message["message_id"] for message in client.call("inbox_list", {}) if message["read"]]
    answer = client.call("inbox_delete", {"message_ids": wanted})
    show(options, answer, [f"{answer['deleted']} deleted"])
    return Exit.DONE if answer["deleted"] or options.read else Exit.FAILED


def inbox_reply(options: Options) -> int:
    """Answer a message."""
    client = gateway(options.data)
    text = message_text(options.text)
    answer = deliver(client, "inbox_reply", message_id=options.message_id, message=text, wait=options.wait)
    return tell(options, answer)


def _row(message: dict[str, Any]) -> dict[str, Any]:
    text = message["text"]
    state = "read" if message["read"] else "unread"
    state += ", damaged" if message["damaged"] else ""
    return message | {
        "at": moment(message["sent"]),
        "from": _origin(message),
        "state": f"{state}, incomplete" if message["missing"] else state,
        "text": text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…",
    }


def _origin(message: dict[str, Any]) -> str:
    return cell(message["originator"]) if message["originator"] else "unknown"
