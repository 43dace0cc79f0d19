"""The operations on backups: made, looked at, restored, undone; and the restore that claims a new device."""

import base64
import binascii
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from otppi.api.errors import InvalidSettings, NotSupported
from otppi.api.operations import Offline, Operation, Role
from otppi.api.settings import Kind, Setting, text
from otppi.host.administrators.claim import ACCESS_POINT, Claim
from otppi.host.backup.backups import Backups
from otppi.host.gateway.restarting import Restarting
from otppi.host.runtime.registry import COMMAND_LINE, HostCall, NotRunning
from otppi.text import _
from otppi.wire.errors import FieldError

if TYPE_CHECKING:
    from otppi.host.backup.contents import Contents

_TRUSTED = frozenset({COMMAND_LINE.origin, ACCESS_POINT})
"""The origins of actors who claim without the code of the device, as with `administrator_claim`."""


def _text_problem(value: object) -> str | None:
    return None if isinstance(value, str) else _("must be text")


def _long_enough(value: object) -> str | None:
    from otppi.host.backup.container import passphrase_problem

    return passphrase_problem(value)


_CONTENT = Setting(
    key="content",
    title=_("Backup"),
    help=_("the file, in base64"),
    default=None,
    kind=Kind.ANY,
    required=True,
    secret=True,
    check=_text_problem,
)
_PASSPHRASE = text("passphrase", _("Backup passphrase"), _("what it was made with"), required=True, secret=True)
_NEW_PASSPHRASE = Setting(
    key="new_passphrase",
    title=_("Backup passphrase"),
    help=_("seals it, at least 12 characters; without it nobody can open the backup"),
    default=None,
    kind=Kind.ANY,
    required=True,
    secret=True,
    check=_long_enough,
)
_CHECK = text("check", _("Check"), _("what `restore_check` called the backup that it opened"), required=True)


def _state(call: HostCall) -> dict[str, Any]:
    """Tell when the last backup was made, and whether there is a restore to be undone."""
    backups = call.part(Backups)
    made, undo = backups.last_made, backups.undo_since
    return {"made": made and round(made), "undo": undo and round(undo)}


def _create(call: HostCall, new_passphrase: str) -> dict[str, Any]:
    backups = call.part(Backups)
    container, contents = backups.make(new_passphrase)
    return {
        "name": time.strftime("otppi-backup-%Y%m%d-%H%M.otppi", time.localtime(contents.made)),
        "made": round(contents.made),
        "size": len(container),
        "left_out": list(contents.left_out),
        "outside": backups.outside(),
        "content": base64.b64encode(container).decode("ascii"),
    }


def _show(call: HostCall, content: str, passphrase: str) -> dict[str, Any]:  # noqa: ARG001 - a handler's signature
    """Tell what is in a backup, without its secrets."""
    contents = _opened(content, passphrase)
    return {
        "made": round(contents.made),
        "version": contents.version,
        "device": contents.device,
        "settings": {name: len(table) for name, table in contents.settings.items()},
        "files": {name: len(raw) for name, raw in contents.files.items()},
        "left_out": list(contents.left_out),
        "unknown": list(contents.unknown),
    }


def _restore_check(call: HostCall, content: str, passphrase: str) -> dict[str, Any]:
    contents = _opened(content, passphrase)
    backups = call.part(Backups)
    return backups.compare(contents) | {"check": backups.hold(contents, by_claim=False)}


def _restore(call: HostCall, check: str) -> dict[str, Any]:
    backups = call.part(Backups)
    contents = backups.held(check, by_claim=False)
    return _ready(call, lambda: backups.restore(contents, call.progress))


def _undo(call: HostCall) -> dict[str, Any]:
    backups = call.part(Backups)
    return _ready(call, lambda: backups.undo(call.progress))


def _claim_check(call: HostCall, content: str, passphrase: str, code: str) -> dict[str, Any]:
    """Look at the code before the file: what a stranger sends costs nothing."""
    claim, backups = call.part(Claim), call.part(Backups)
    claim.check_open()
    if call.actor.origin not in _TRUSTED:
        claim.check_code(code, call.actor.address)
    contents = _opened(content, passphrase)
    return backups.compare(contents) | {"check": backups.hold(contents, by_claim=True)}


def _claim_restore(call: HostCall, check: str) -> dict[str, Any]:
    """Restore on a device that is not claimed. The lock of changes makes one of two at once the first."""
    call.part(Claim).check_open()
    backups = call.part(Backups)
    contents = backups.held(check, by_claim=True)
    return _ready(call, lambda: backups.restore(contents, call.progress, call.actor.address))


def _ready(call: HostCall, make: Callable[[], None]) -> dict[str, Any]:
    """Make a restore ready, let nothing be changed after it, and have the gateway begin anew where one runs."""
    make()
    call.last_change(_("a backup is being restored, and the gateway starts anew"))
    try:
        call.part(Restarting).ask()
    except (NotRunning, NotSupported):
        return {"restarting": False}
    return {"restarting": True}


def _opened(content: str, passphrase: str) -> "Contents":
    """Open a backup.

    Raises:
        InvalidSettings: It cannot be opened; `content` or `passphrase` is named.
    """
    from otppi.host.backup.container import unsealed
    from otppi.host.backup.contents import read

    try:
        container = base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidSettings([FieldError("content", _("is not base64"))]) from None
    return read(unsealed(container, passphrase))


OPERATIONS = (
    Operation(
        name="backup_state",
        title=_("State of the backups"),
        help=_("Tell when the last backup was made, and whether there is a restore that can be undone."),
        handler=_state,
        reads_only=True,
        command="backup state",
        default_command=True,
        offline=Offline.YES,
    ),
    Operation(
        name="backup_create",
        title=_("Make a backup"),
        help=_(
            "Put all that matters into one file that is sealed with a passphrase: settings with their secrets, "
            "administrators, users, blocking list, keys, certificates, audit trail, counters. It is opened again "
            "before it is given away. Without the passphrase nobody can open it, nor can we."
        ),
        handler=_create,
        parameters=(_NEW_PASSPHRASE,),
        waits=True,
        asks_again=True,
        command="backup create",
        examples=("otppi.backup", "- < passphrase.txt > otppi.backup"),
        offline=Offline.YES,
    ),
    Operation(
        name="backup_show",
        title=_("What is in a backup"),
        help=_("Open a backup, and tell what is in it, when and by which version it was made; no secrets."),
        handler=_show,
        parameters=(_CONTENT, _PASSPHRASE),
        reads_only=True,
        waits=True,
        command="backup show",
        positional=("content",),
        examples=("otppi.backup",),
        offline=Offline.ANYWHERE,
    ),
    Operation(
        name="restore_check",
        title=_("Try a restore"),
        help=_(
            "Open a backup, and tell what restoring it would change, section by section, and what of it is not known "
            "here. Nothing is changed; `check` is what `restore` is told, within a quarter of an hour."
        ),
        handler=_restore_check,
        parameters=(_CONTENT, _PASSPHRASE),
        reads_only=True,
        audit=True,
        waits=True,
        asks_again=True,
        offline=Offline.CREATES,
    ),
    Operation(
        name="restore",
        title=_("Restore a backup"),
        help=_(
            "Bring the state of a backup back, all of it or nothing. The gateway starts anew for that; messages that "
            "wait stay. The state before is kept, so that the restore can be undone once. All sessions end, and logins "
            "are those of the backup."
        ),
        handler=_restore,
        parameters=(_CHECK,),
        changes="restore",
        asks_again=True,
        command="restore",
        positional=("check",),
        examples=("otppi.backup --dry-run", "otppi.backup"),
        offline=Offline.CREATES,
    ),
    Operation(
        name="restore_undo",
        title=_("Undo the restore"),
        help=_("Bring back the state before the last restore; what was changed since is lost. It works once."),
        handler=_undo,
        changes="restore",
        asks_again=True,
        command="restore-undo",
        examples=("",),
        offline=Offline.YES,
    ),
    Operation(
        name="claim_restore_check",
        title=_("Try a restore on a new device"),
        help=_("As `restore_check`, on a device without an administrator; it needs what a claim of the device needs."),
        handler=_claim_check,
        parameters=(
            _CONTENT,
            _PASSPHRASE,
            text("code", _("Device code"), _("the code of the device, as on the brochure"), secret=True),
        ),
        role=Role.VIEWER,
        audit=True,
        reads_only=True,
        waits=True,
    ),
    Operation(
        name="claim_restore",
        title=_("Restore on a new device"),
        help=_(
            "As `restore`, on a device without an administrator: the accounts of the backup are those of the device "
            "then. It needs no code, since the check has asked for it."
        ),
        handler=_claim_restore,
        parameters=(_CHECK,),
        role=Role.VIEWER,
        changes="restore",
    ),
)
