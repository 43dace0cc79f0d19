"""`otppi inbox`: how messages that came in are printed, and what the commands do beyond one operation."""

from typing import Any

from otppi.cli.arguments import Options, Parser
from otppi.cli.exits import Exit, Failure
from otppi.cli.generated import Own
from otppi.cli.language import _
from otppi.cli.output import cell, columns, complain, moment, one_line, show
from otppi.cli.sending import deliver, message_text, tell, text_from_stdin
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


def _listed(options: Options, messages: Any) -> int:
    show(options, messages, columns([_row(message) for message in messages], _COLUMNS))
    if not messages:
        complain(_("no message is unread") if options.unread else _("no message has come in"))
    return Exit.DONE


def _show(options: Options) -> int:
    """Show one message."""
    client = gateway(options.data)
    message = client.call("inbox_show", {"message_id": options.message_id})
    if options.keep_unread:
        client.call("inbox_mark", {"message_id": options.message_id, "read": False})
    head = _(
        "{origin} to {modem_id}, {sent}",
        origin=_origin(message),
        modem_id=cell(message["modem_id"]),
        sent=moment(message["sent"]),
    )
    show(options, message, [head, *(one_line(line) for line in message["text"].split("\n"))])
    return Exit.DONE


def _delete(options: Options) -> int:
    """Delete messages; exit code 1 where none was there."""
    if not options.message_ids and not options.read:
        raise Failure(Exit.USAGE, _("message: is missing (or --read, for all that were read)"))
    client, wanted = gateway(options.data), list(options.message_ids)
    if options.read:
        wanted += [message["message_id"] for message in client.call("inbox_list", {}) if message["read"]]
    answer = client.call("inbox_delete", {"message_ids": wanted})
    show(options, answer, [_("{deleted} deleted", deleted=answer["deleted"])])
    return Exit.DONE if answer["deleted"] or options.read else Exit.FAILED


def _reply(options: Options) -> int:
    """Answer a message."""
    client = gateway(options.data)
    text = message_text(options.message)
    answer = deliver(client, "inbox_reply", message_id=options.message_id, message=text, wait=options.wait)
    return tell(options, answer)


def _row(message: dict[str, Any]) -> dict[str, Any]:
    text = message["text"]
    state = "read" if message["read"] else "unread"
    state += _(", damaged") if message["damaged"] else ""
    return message | {
        "at": moment(message["sent"]),
        "from": _origin(message),
        "state": _("{state}, incomplete", state=state) if message["missing"] else state,
        "text": text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…",
    }


def _origin(message: dict[str, Any]) -> str:
    return cell(message["originator"]) if message["originator"] else "unknown"


def _keep_unread(parser: Parser) -> None:
    parser.add_argument("--keep-unread", action="store_true", help=_("leave it marked as not read"))


def _all_read(parser: Parser) -> None:
    parser.add_argument("--read", action="store_true", help=_("all that were read"))


OWN = {
    "inbox list": Own(show=_listed),
    "inbox show": Own(_show, arguments=_keep_unread),
    "inbox delete": Own(_delete, arguments=_all_read),
    "inbox reply": Own(_reply, arguments=text_from_stdin),
}
