"""The operations on the blocking list: looked at, changed one by one, and taken or given as a whole."""

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from otppi.api.errors import InvalidSettings
from otppi.api.operations import Offline, Operation, Role
from otppi.api.settings import boolean, integer, text, text_list
from otppi.host.messages.blocklist import Blocklist, ListFull
from otppi.host.messages.settings import SMS
from otppi.host.numbering.numbers import Numbers, numbers_of
from otppi.host.numbering.receivers import part_sought, receiver_of
from otppi.host.runtime.registry import HostCall
from otppi.host.settings.config import Config
from otppi.text import _, words
from otppi.wire.errors import FieldError, WireError

if TYPE_CHECKING:
    from otppi.host.messages.blocklist_csv import NumberFile

_LIST: Final = "blocking list"
_RECEIVER: Final = text(
    "receiver", _("Number"), _("telephone number: 0812…, 62812… or +62812…"), required=True
)  # fmt: skip
_MOST_AT_ONCE: Final = 1000
_LINES: Final = text_list(
    "lines",
    _("Lines"),
    _("the lines of a file: a number in each, or CSV whose first line has the columns' titles"),
    required=True,
)
_REPLACE: Final = boolean(
    "replace", _("Replace the whole list"), _("have the list be these numbers alone: all others are unblocked"), False
)


# -- looked at ---------------------------------------------------------------------------------------------------------


def _blocked(call: HostCall) -> list[dict[str, Any]]:
    """List the blocked receivers, since when (Unix seconds), and who blocked each."""
    return _listed(call, list(call.part(Blocklist).entries()))


def _search(call: HostCall, search: str, first: int, limit: int) -> dict[str, Any]:
    """Return a part of the list, what was blocked last first, and how many there are."""
    numbers = list(call.part(Blocklist).entries())
    part = part_sought(search)
    found = [one for one in numbers if part in one] if part else numbers
    shown = found[::-1][first - 1 : first - 1 + limit]
    return {"total": len(numbers), "found": len(found), "numbers": _listed(call, shown)}


def _listed(call: HostCall, numbers: list[str]) -> list[dict[str, Any]]:
    entries = call.part(Blocklist).entries()
    known = ((number, entries.get(number)) for number in numbers)
    return [{"receiver": number, "since": entry.since, "by": entry.by} for number, entry in known if entry]


def _export(call: HostCall) -> str:
    """Return the list as CSV, which `block_import` reads again exactly."""
    from otppi.host.messages.blocklist_csv import written  # with what few ever need

    return "".join(written(call.part(Blocklist).entries()))


# -- changed -----------------------------------------------------------------------------------------------------------


def _block(call: HostCall, receiver: str) -> dict[str, Any]:
    number = _key(call, receiver)
    return {"receiver": number, "changed": call.part(Blocklist).block(number, str(call.actor))}


def _unblock(call: HostCall, receiver: str) -> dict[str, Any]:
    number = _key(call, receiver)
    return {"receiver": number, "changed": call.part(Blocklist).unblock(number)}


def _unblock_several(call: HostCall, receivers: list[str]) -> dict[str, Any]:
    """Unblock numbers, all or none.

    Raises:
        InvalidSettings: Some are none, or there are too many.
    """
    if len(receivers) > _MOST_AT_ONCE:
        problem = _("must be at most {most} numbers", most=_MOST_AT_ONCE)
        raise InvalidSettings([FieldError("receivers", problem)])
    numbers, problems = [], []
    known = _numbers(call)
    for index, receiver in enumerate(receivers):
        try:
            numbers.append(receiver_of(receiver, known).key)
        except WireError as error:
            problems.append(FieldError(f"receivers[{index}]", words(error)))
    if problems:
        raise InvalidSettings(problems)
    changed = sum(call.part(Blocklist).change(numbers, blocked=False))
    call.has_changed([f"{changed} removed"])
    return {"changed": changed}


def _numbers(call: HostCall) -> Numbers:
    return numbers_of(call.part(Config).one(SMS))


def _key(call: HostCall, receiver: str) -> str:
    try:
        return receiver_of(receiver, _numbers(call)).key
    except WireError as error:
        raise InvalidSettings([FieldError("receiver", words(error))]) from error


# -- taken as a whole --------------------------------------------------------------------------------------------------


def _try(call: HostCall, lines: list[str], replace: bool) -> dict[str, Any]:
    """Say what an import of these lines would do, and which of them cannot be taken."""
    found = _read(call, lines)
    told = {"repeated": found.repeated, "wrong": found.wrong_lines, "problems": [asdict(one) for one in found.wrong]}
    try:
        does = call.part(Blocklist).would_import(found.entries, alone=replace)
    except ListFull as error:
        raise InvalidSettings([FieldError("lines", words(error))]) from error
    return asdict(does) | told


def _import(call: HostCall, lines: list[str], replace: bool) -> dict[str, Any]:
    """Block the numbers of these lines, all or none.

    Raises:
        InvalidSettings: Some lines cannot be taken; those that are told have their reason.
        ListFull: There is no room for all of them.
    """
    found = _read(call, lines)
    if found.wrong:
        problems = [FieldError(f"lines[{one.line - 1}]", one.reason) for one in found.wrong]
        if more := found.wrong_lines - len(found.wrong):
            said = _.plural("{count} more line cannot be taken", "{count} more lines cannot be taken", count=more)
            problems.append(FieldError("lines", said))
        raise InvalidSettings(problems)
    done = call.part(Blocklist).import_entries(found.entries, alone=replace)
    call.has_changed([f"{done.added} added", f"{done.known} known", f"{done.removed} removed"])
    return asdict(done)


def _read(call: HostCall, lines: list[str]) -> "NumberFile":
    """Read the lines.

    Raises:
        InvalidSettings: There are too many, or no number is in them.
    """
    from otppi.host.messages.blocklist_csv import MOST_LINES, read  # with what few ever need
    from otppi.host.messages.blocklist_file import Entry

    if len(lines) > MOST_LINES:
        raise InvalidSettings([FieldError("lines", _("must be at most {most:,} lines", most=MOST_LINES))])
    numbers = _numbers(call)
    found = read(lines, lambda number: receiver_of(number, numbers).key, Entry(time.time(), str(call.actor)))
    if not found.entries and not found.wrong:
        raise InvalidSettings([FieldError("lines", _("there is no number in it"))])
    return found


OPERATIONS: Final = (
    Operation(
        name="blocked",
        title=_("Blocking list"),
        help=_("List the blocked numbers."),
        handler=_blocked,
        role=Role.OPERATOR,
        reads_only=True,
        command="block list",
        examples=("--json",),
        offline=Offline.YES,
    ),
    Operation(
        name="blocked_search",
        title=_("Search the blocking list"),
        help=_("List a part of the blocked numbers, what was blocked last first, and say how many there are."),
        handler=_search,
        parameters=(
            text("search", _("Search"), _("only numbers that have this in them, such as 0812")),
            integer("first", _("First"), _("which of them comes first, counted from 1"), 1, minimum=1),
            integer("limit", _("Limit"), _("so many numbers at most, 1 to 1000"), 50, minimum=1, maximum=_MOST_AT_ONCE),
        ),
        role=Role.OPERATOR,
        reads_only=True,
        offline=Offline.YES,
    ),
    Operation(
        name="block_add",
        title=_("Block a number"),
        help=_("Block a number."),
        handler=_block,
        parameters=(_RECEIVER,),
        role=Role.OPERATOR,
        changes=_LIST,
        command="block add",
        positional=("receiver",),
        examples=("081234567890",),
        offline=Offline.CREATES,
    ),
    Operation(
        name="block_remove",
        title=_("Unblock a number"),
        help=_("Unblock a number."),
        handler=_unblock,
        parameters=(_RECEIVER,),
        role=Role.OPERATOR,
        changes=_LIST,
        command="block remove",
        positional=("receiver",),
        examples=("081234567890",),
        offline=Offline.YES,
    ),
    Operation(
        name="block_remove_several",
        title=_("Unblock numbers"),
        help=_("Unblock several numbers, all or none. Those that are not blocked do no harm."),
        handler=_unblock_several,
        parameters=(text_list("receivers", _("Numbers"), _("telephone numbers, as block list prints them")),),
        role=Role.OPERATOR,
        changes=_LIST,
        command="block remove-several",
        positional=("receivers",),
        examples=("081234567890 081234567891",),
        offline=Offline.YES,
    ),
    Operation(
        name="block_try",
        title=_("Try an import of numbers"),
        help=_("Say what `block_import` would do with these lines, and which of them cannot be taken, and why."),
        handler=_try,
        parameters=(_LINES, _REPLACE),
        role=Role.OPERATOR,
        reads_only=True,
        offline=Offline.YES,
    ),
    Operation(
        name="block_import",
        title=_("Import numbers"),
        help=_(
            "Block the numbers of a file, all or none: one a line, or CSV. Since when and by whom, where the file has"
            " such columns, stays as it is there."
        ),
        handler=_import,
        parameters=(_LINES, _REPLACE),
        role=Role.OPERATOR,
        changes=_LIST,
        command="block import",
        examples=("numbers.csv --dry-run", "blocked.csv --replace"),
        offline=Offline.CREATES,
    ),
    Operation(
        name="block_export",
        title=_("Export the blocking list"),
        help=_("Print the blocking list as CSV: number, since when, by whom. An import reads it again exactly."),
        handler=_export,
        role=Role.OPERATOR,
        reads_only=True,
        command="block export",
        examples=("> blocked.csv",),
        offline=Offline.YES,
    ),
)
