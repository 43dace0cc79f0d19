"""The configuration of the original OTP-Pi: JSON files whose names and keys are as its own code writes them.

It writes each file whole, with defaults where nobody set anything, so that nearly every key is there. What it keeps and
never reads is told as such. Facts: the classes `com.planetbiru.config` of its public repository.
"""

from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import Any, Final

from otppi.host.importing.findings import Findings, ImportOutcome, Names
from otppi.host.importing.json_files import NotReadable, json_object, json_objects, json_value
from otppi.host.importing.original_brokers import BROKERS
from otppi.host.importing.original_modems import read_modem
from otppi.host.importing.original_tables import (
    API,
    FEEDERS_OLD,
    GENERAL,
    NOT_READ_ANY_MORE,
    SMS_FILE,
    WHY_NOT,
    each_value,
    take_rows,
)
from otppi.text import _

_USERS: Final = "urses.json"
"""So the original's own code spells it, in two folders."""


def parts_of(label: str) -> tuple[str, str]:
    """Return the folder that a file is in, and its name, in small letters."""
    path = PurePosixPath(label.casefold())
    return path.parent.name, path.name


def is_original(label: str, text: str) -> bool:
    """Return whether a file is one of the original's."""
    folder, name = parts_of(label)
    if name == "config.ini":
        return "otppi." in text
    if name == _USERS:
        return True
    known = (folder, name) in _BY_FOLDER or name in _BY_NAME
    return known and text.lstrip("\ufeff \t\r\n")[:1] in ("{", "[")


def read_original(files: Mapping[str, str]) -> Findings:
    """Read its files, by their labels.

    Raises:
        TooMuch: They have more values than any that people have.
    """
    found = Findings()
    seen: dict[Callable[..., None], str] = {}
    for label, text in sorted(files.items(), key=lambda one: parts_of(one[0])[1].startswith("feeder")):
        reader = _reader_of(label)
        if reader is None or not is_original(label, text):
            continue
        same = _same_file(reader)
        if same in seen:
            reason = _("{other} says it, which is read instead", other=seen[same])
            found.leave(label, "", "", reason)
            continue
        try:
            reader(found, label, text)
        except NotReadable as error:
            found.leave(label, "", "", error.args[0], ImportOutcome.REFUSED)
        else:
            seen[same] = label
    return found


def _reader_of(label: str) -> Callable[[Findings, str, str], None] | None:
    folder, name = parts_of(label)
    return _BY_FOLDER.get((folder, name)) or _BY_NAME.get(name)


def _same_file(reader: Callable[..., None]) -> Callable[..., None]:
    """Return what stands for all files that say the same, such as those of an earlier version."""
    return _OLDER.get(reader, reader)


# -- one kind of file after the other -------------------------------------------------------------------------------


def _read_api(found: Findings, file: str, text: str) -> None:
    take_rows(found, file, json_object(text), API, "ingress-rest")


def _read_sms(found: Findings, file: str, text: str) -> None:
    take_rows(found, file, json_object(text), SMS_FILE, "sms")


def _read_general(found: Findings, file: str, text: str) -> None:
    values = json_object(text)
    take_rows(found, file, values, GENERAL, "clock")
    offset, drops = values.get("otpExpirationOffset"), values.get("dropExpireOTP")
    if "dropExpireOTP" in values:
        found.leave(file, "dropExpireOTP", drops, _("a message that is too late is never sent here"))
    if offset is None:
        return
    if drops is True and isinstance(offset, int) and offset > 0:
        found.propose(file, "otpExpirationOffset", offset, ("sms", "", "default_lifetime"), round(offset / 1000))
    else:
        reason = _(
            "it had no effect, or stood for a clock that was wrong; sms.default_lifetime says how long a message counts"
        )
        found.leave(file, "otpExpirationOffset", offset, reason)


def _read_devices(found: Findings, file: str, text: str) -> None:
    names = Names()
    for place, (key, modem) in enumerate(json_objects(text).items(), 1):
        name = names.name(str(modem.get("name") or ""), f"modem {place}")
        read_modem(found, file, modem if modem else {"id": key}, name)


def _read_api_users(found: Findings, file: str, text: str) -> None:
    for key, user in json_objects(text).items():
        username = str(user.get("username") or key)
        found.propose(file, f"{username} username", username, ("api_users", username, "username"))
        for there, here in (("phone", "phone"), ("email", "email"), ("active", "active"), ("blocked", "blocked")):
            if user.get(there, "") != "":
                found.propose(file, f"{username} {there}", user[there], ("api_users", username, here))
        if user.get("name", "") not in ("", username):
            found.leave(file, f"{username} name", user["name"], _("a user has one name here, the username"))
        reason = _(
            "the original keeps only a SHA-256 of it: give the user a password, or a token, on the page of API users "
            "(otppi user password); nobody can send as this user before that"
        )
        found.leave(file, f"{username} password", user.get("password") or "-", reason, ImportOutcome.ASK)


def _read_administrators(found: Findings, file: str, text: str) -> None:
    for key, user in json_objects(text).items():
        reason = _(
            "administrators are created anew, each with a password of their own (otppi admin add): "
            "the original keeps only a SHA-256 of it"
        )
        found.leave(file, str(user.get("username") or key), _contact(user), reason, ImportOutcome.ASK)


def _contact(user: Mapping[str, Any]) -> str:
    return ", ".join(str(user[key]) for key in ("name", "phone", "email") if user.get(key))


def _read_users(found: Findings, file: str, text: str) -> None:
    """Read what may be either kind of user, since its folder is not there to tell."""
    json_objects(text)
    reason = _(
        "the original has two files of this name: put it into a folder api (users of the API) or user (administrators)"
    )
    found.leave(file, "", "", reason, ImportOutcome.REFUSED)


def _read_blocking(found: Findings, file: str, text: str) -> None:
    free = 0
    for number, blocked in json_object(text).items():
        if blocked is True or blocked == "true":
            found.block(file, number)
        else:
            free += 1
    if free:
        reason = _("they were unblocked there: they stay as they are here")
        found.leave(file, _("numbers: {count}", count=free), "false", reason)


def _read_config_ini(found: Findings, file: str, text: str) -> None:
    """Read the port of the pages; all else is paths of the other program, and what its own code needs."""
    for line in text.splitlines():
        key, equals, value = (part.strip() for part in line.partition("="))
        if not equals or not key.startswith("otppi."):
            continue
        if key in ("otppi.server.port", "otppi.server.management.port"):
            found.propose(file, key, value, ("administration", "", "port"), int(value) if value.isdecimal() else value)


def _left_out(reason: str) -> Callable[[Findings, str, str], None]:
    """Return a reader of a file of which nothing is taken."""

    def reader(found: Findings, file: str, text: str) -> None:
        count = sum(one not in ("", 0, False, None, [], {}) for one in each_value(json_value(text)))
        if count:
            found.leave(file, _("values: {count}", count=count), "", reason)

    return reader


_BY_FOLDER: Final[dict[tuple[str, str], Callable[[Findings, str, str], None]]] = {
    ("api", "services.json"): _read_api,
    ("api", _USERS): _read_api_users,
    ("user", _USERS): _read_administrators,
    ("api", "blocking.json"): _read_blocking,
    ("gsm", "sms.json"): _read_sms,
    ("gsm", "devices.json"): _read_devices,
    ("sms", "otpbroker.json"): _left_out(NOT_READ_ANY_MORE),
}
_BY_NAME: Final[dict[str, Callable[[Findings, str, str], None]]] = {
    **{name: reader for (_folder, name), reader in _BY_FOLDER.items() if name != _USERS},
    _USERS: _read_users,
    "general-config.json": _read_general,
    "config.ini": _read_config_ini,
    **BROKERS,
    **{name: _left_out(reason) for name, reason in WHY_NOT.items()},
}
_OLDER: Final = {BROKERS[old]: BROKERS[new] for old, new in FEEDERS_OLD.items()}
"""Files that an earlier version wrote, and what stands for those that replaced them."""
