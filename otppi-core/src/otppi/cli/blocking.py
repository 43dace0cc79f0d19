"""`otppi block`: what the commands of the blocking list print, and how files of numbers are taken and given."""

from pathlib import Path
from typing import Any

from otppi.cli.arguments import Options, Parser
from otppi.cli.exits import Exit
from otppi.cli.files import read_octets
from otppi.cli.generated import Own
from otppi.cli.language import _
from otppi.cli.output import columns, complain, moment, show
from otppi.cli.talk import ask

_LARGEST = 8 * 1024 * 1024
"""Octets of a file of numbers."""


def _added(options: Options, answer: Any) -> int:
    was = _("is blocked now") if answer["changed"] else _("was blocked already")
    show(options, answer, [f"{answer['receiver']} {was}"])
    return Exit.DONE


def _removed(options: Options, answer: Any) -> int:
    was = _("is not blocked any more") if answer["changed"] else _("was not blocked")
    show(options, answer, [f"{answer['receiver']} {was}"])
    return Exit.DONE


def _removed_several(options: Options, answer: Any) -> int:
    show(options, answer, [_("{changed} are not blocked any more", changed=answer["changed"])])
    return Exit.DONE


def _listed(options: Options, blocked: Any) -> int:
    rows = [one | {"since": moment(one["since"])} for one in blocked]
    show(options, blocked, columns(rows, {"receiver": "NUMBER", "since": "SINCE", "by": "BY"}))
    if not blocked and not options.json:
        complain(_("no number is blocked"))
    return Exit.DONE


def _exported(options: Options, text: Any) -> int:
    show(options, text, text.removesuffix("\r\n").split("\r\n"))
    return Exit.DONE


# -- files -------------------------------------------------------------------------------------------------------------


def _file(parser: Parser) -> None:
    parser.add_argument("file", metavar="FILE", type=Path, help=_("the numbers; - reads them from stdin"))
    parser.add_argument(
        "--dry-run", action="store_true", help=_("only say what would be done, and which lines cannot be taken")
    )


def _import(options: Options) -> int:
    """Try an import, and do it where nothing is wrong; exit code 2, and nothing done, where a line cannot be taken."""
    from otppi.host.messages.blocklist_csv import lines_of

    asked: dict[str, Any] = {"lines": lines_of(read_octets(options.file, _LARGEST)), "replace": bool(options.replace)}
    tried = ask(options.data, "block_try", creates=not options.dry_run, **asked)
    if tried["wrong"]:
        if options.json:
            show(options, tried, ())
        complain(*_wrong(tried))
        return Exit.USAGE
    done = tried if options.dry_run else ask(options.data, "block_import", creates=True, **asked)
    show(options, done, [_would(done) if options.dry_run else _did(done)])
    return Exit.DONE


def _wrong(tried: Any) -> list[str]:
    told = [_("line {line}: {reason}", line=one["line"], reason=one["reason"]) for one in tried["problems"]]
    more = tried["wrong"] - len(told)
    said = _.plural("{count} more line cannot be taken", "{count} more lines cannot be taken", count=more)
    return [*told, *([said] if more else []), _("nothing was done")]


def _did(done: Any) -> str:
    return _(
        "{added} are blocked now, {known} were already, {removed} are not any more",
        added=done["added"],
        known=done["known"],
        removed=done["removed"],
    )


def _would(done: Any) -> str:
    return _(
        "{added} would be blocked, {known} are already, {removed} would not be any more",
        added=done["added"],
        known=done["known"],
        removed=done["removed"],
    )


OWN = {
    "block add": Own(show=_added),
    "block list": Own(show=_listed),
    "block remove": Own(show=_removed),
    "block remove-several": Own(show=_removed_several),
    "block export": Own(show=_exported),
    "block import": Own(_import, arguments=_file, hidden=frozenset({"lines"})),
}
