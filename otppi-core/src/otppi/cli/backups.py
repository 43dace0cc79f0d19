"""`otppi backup` and `otppi restore`: a file that is sealed, and the way back from it."""

import base64
import getpass
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from otppi.cli.arguments import Options, Parser
from otppi.cli.exits import Exit, Failure
from otppi.cli.files import STDIO, new_file, read_octets
from otppi.cli.generated import Own
from otppi.cli.language import _
from otppi.cli.output import as_json, moment, show
from otppi.cli.talk import ask, by_itself, directly, running

_LARGEST = 4 * 1024 * 1024
Ask = Callable[..., Any]


def _to(parser: Parser) -> None:
    parser.add_argument("file", metavar="FILE", help=_("the file to be written; - writes it to stdout"))


def _from(parser: Parser) -> None:
    parser.add_argument("file", metavar="FILE", help=_("the backup"))


def _what(parser: Parser) -> None:
    _from(parser)
    parser.add_argument("--dry-run", action="store_true", help=_("only tell what would change"))


def create(options: Options) -> int:
    """Write a backup to a file, which must not be there yet."""
    with new_file(options.file) as file:  # before one is made: it would count as the last backup
        made = ask(options.data, "backup_create", new_passphrase=_passphrase(new=True))
        file.write(base64.b64decode(made.pop("content")))
    if options.file == STDIO:
        return Exit.DONE
    lines = [_("{name}: {size} octets", name=options.file, size=made["size"])]
    lines += [_("left out, as it is too large: {name}", name=one) for one in made["left_out"]]
    lines += [_("not in it, bring it yourself: {file}", file=one) for one in made["outside"]]
    show(options, made | {"file": options.file}, lines)
    return Exit.DONE


def show_backup(options: Options) -> int:
    """Tell what is in a backup."""
    content = _content(options.file)
    told = by_itself(options.data, "backup_show", content=content, passphrase=_passphrase())
    show(options, told, _about(told))
    return Exit.DONE


def restore(options: Options) -> int:
    """Restore a backup; tell what changes before."""
    arguments = {"content": _content(options.file), "passphrase": _passphrase()}
    with _reached(options.data, creates=True) as (perform, runs):
        told = perform("restore_check", **arguments)
        show(options, told, _changes(told))
        if options.dry_run:
            return Exit.DONE
        perform("restore", check=told["check"])
    return _ended(options, runs=runs)


def undo(options: Options) -> int:
    """Undo the last restore."""
    with _reached(options.data, creates=False) as (perform, runs):
        perform("restore_undo")
    return _ended(options, runs=runs)


def _ended(options: Options, *, runs: bool) -> int:
    """See to it that a restore is put in its place, and say so."""
    if runs:
        end = _("the gateway restarts with it; queued messages stay")
    else:
        with directly(options.data):  # whoever opens the folder next puts it in its place
            end = _("it is restored")
    if not options.json:
        print(end)
    return Exit.DONE


@contextmanager
def _reached(data: Path, *, creates: bool) -> Iterator[tuple[Ask, bool]]:
    """Give what asks for operations: the check and the restore are of one gateway, or of one opened data folder."""
    if client := running(data):
        yield lambda name, **arguments: client.call(name, arguments), True
        return
    from otppi.host.runtime.registry import COMMAND_LINE

    with directly(data, creates=creates) as operations:
        yield lambda name, **arguments: operations.call(name, arguments, COMMAND_LINE), False


def _content(name: str) -> str:
    """Read a file, and return it in base64."""
    if name == STDIO:
        raise Failure(Exit.USAGE, _("a backup cannot come from stdin: the passphrase does"))
    return base64.b64encode(read_octets(name, _LARGEST)).decode("ascii")


def _passphrase(*, new: bool = False) -> str:
    """Ask for the passphrase, twice where it seals something; or read a line from stdin."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    typed = getpass.getpass(_("Backup passphrase: "))
    if new and getpass.getpass(_("The same again: ")) != typed:
        raise Failure(Exit.USAGE, _("passphrase: the two are not the same"))
    return typed


def _about(told: Mapping[str, Any]) -> Iterator[str]:
    yield _made(told)
    for name, count in sorted(told["settings"].items()):
        yield f"{name:<28} {count}"
    for name, size in sorted(told["files"].items()):
        yield f"{name:<28} {size}"
    for one in told["left_out"]:
        yield _("left out, as it is too large: {name}", name=one)
    for one in told["unknown"]:
        yield _("not known here: {name}", name=one)


def _changes(told: Mapping[str, Any]) -> Iterator[str]:
    yield _made(told)
    if not told["sections"] and not told["files"]:
        yield _("nothing would change: all is as it was then")
    for one in told["sections"]:
        count = "" if one["before"] is None else f": {one['before']} -> {one['after']}"
        yield f"{one['section']}{count}"
        yield from (f"  {_change(change)}" for change in one["changes"])
        if one["more"]:
            yield f"  +{one['more']}"
        yield from (f"  {field}: {reason}" for field, reason in one["problems"])
    for one in told["files"]:
        count = _("changed") if one["before"] is None else f"{one['before']} -> {one['after']}"
        yield f"{one['title']}: {count}"
    yield from (*told["unknown"], *told["warnings"])


def _change(change: Mapping[str, Any]) -> str:
    """Say one change; of a secret only that it is another one."""
    name = ".".join(filter(None, (change["name"], change.get("field", ""))))
    if change["what"] != "changed":
        return f"{'+' if change['what'] == 'added' else '-'} {name}"
    if change.get("secret"):
        return f"{name}: {_('changed')}"
    return f"{name}: {as_json(change['old'])} -> {as_json(change['new'])}"


def _state(options: Options, state: Any) -> int:
    lines = [_("last backup: {when}", when=moment(state["made"])) if state["made"] else _("no backup was made yet")]
    if state["undo"]:
        lines.append(_("the restore of {when} can be undone", when=moment(state["undo"])))
    show(options, state, lines)
    return Exit.DONE


def _made(told: Mapping[str, Any]) -> str:
    when, version, device = moment(told["made"]), told["version"], told["device"]
    return _("made {when} by OTP-Pi {version} on {device}", when=when, version=version, device=device)


OWN = {
    "backup create": Own(create, arguments=_to, hidden=frozenset({"new_passphrase"})),
    "backup show": Own(show_backup, arguments=_from, hidden=frozenset({"content", "passphrase"})),
    "backup state": Own(show=_state),
    "restore": Own(restore, arguments=_what, hidden=frozenset({"check"})),
    "restore-undo": Own(undo),
}
