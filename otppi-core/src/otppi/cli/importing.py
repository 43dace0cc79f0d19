"""`otppi import`: the configuration of another program, read here, and looked at or taken over by the gateway."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from otppi.cli.arguments import Options, Parser
from otppi.cli.exits import Exit, Failure
from otppi.cli.generated import Own
from otppi.cli.language import _, spoken
from otppi.cli.output import cell, columns, complain, show
from otppi.cli.talk import ask
from otppi.text import Text

_PROGRAMS = ("original", "gammu", "smstools", "kannel")
_OUTCOMES = {
    "taken": _("taken over"),
    "same": _("is so already"),
    "ask": _("to be given anew"),
    "none": _("not taken"),
    "refused": _("cannot work"),
}


def _arguments(parser: Parser) -> None:
    parser.add_argument("path", metavar="PATH", type=Path, help=_("a folder, a .zip, .tar or .tar.gz, or one file"))
    parser.add_argument(
        "--from", dest="program", choices=_PROGRAMS, default="", help=_("whose configuration it is (found out)")
    )
    parser.add_argument("--dry-run", action="store_true", help=_("tell what would be taken, and change nothing"))


def take_over(options: Options) -> int:
    """Read the files, and look at them or take them over."""
    from otppi.host.importing.opened import NotOpened, read_path

    try:
        files = read_path(options.path)
    except NotOpened as error:
        raise Failure(Exit.USAGE, f"{options.path}: {error}") from error
    arguments: dict[str, Any] = {
        "files": files,
        "program": options.program,
        "leave_out": bool(options.leave_out),
    }
    if options.dry_run:
        told = ask(options.data, "import_look", **arguments)
        show(options, told, _lines(told, changed=False))
        complain(*(f"{one['field']}: {one['reason']}" for one in told["problems"]))
        return Exit.USAGE if told["problems"] else Exit.DONE
    told = ask(options.data, "import_take", creates=True, revision=options.revision, **arguments)
    show(options, told, _lines(told, changed=True))
    return Exit.DONE


def _lines(told: Mapping[str, Any], *, changed: bool) -> Iterator[str]:
    yield str(told["program"])
    for file in dict.fromkeys(row["file"] for row in told["rows"]):
        yield ""
        yield f"{file}:"
        rows = [_shown(row) for row in told["rows"] if row["file"] == file]
        yield from columns(rows, {"key": "KEY", "old": "OLD", "new": "NEW", "outcome": "OUTCOME", "reason": "NOTE"})
    yield ""
    counts = told["counts"]
    yield ", ".join(f"{spoken(words)}: {counts.get(key, 0)}" for key, words in _OUTCOMES.items())
    if not changed:
        yield _("Nothing was changed: this was a dry run.")
    elif told["changed"] or told["blocked"]:
        yield _("changed: {changed}", changed=", ".join([*told["changed"], *_blocked(told["blocked"])]))
    else:
        yield _("nothing changed")


def _blocked(count: int) -> list[str]:
    return [str(spoken(_("numbers blocked: {count}", count=count)))] if count else []


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    new = "" if not row["place"] else f"{row['place']} = {cell(row['new'])}"
    words: str | Text = _OUTCOMES.get(row["outcome"], row["outcome"])
    return {
        "key": row["key"],
        "old": row["old"],
        "new": new if row["outcome"] in ("taken", "same") else row["place"],
        "outcome": spoken(words),
        "reason": row["reason"],
    }


OWN = {"import": Own(take_over, arguments=_arguments, hidden=frozenset({"files", "program"}))}
