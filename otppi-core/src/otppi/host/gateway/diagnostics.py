"""The diagnostics: all that helps who looks for a fault from afar, in one archive, and nothing that is a secret."""

import io
import json
import stat
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from otppi.api.operations import Operation
from otppi.host.gateway.disguise import Disguise
from otppi.host.gateway.gateway import HostGateway
from otppi.host.gateway.operations import Running
from otppi.host.log.operations import MOST
from otppi.host.runtime.registry import HostCall
from otppi.host.settings.config import Config
from otppi.text import _

_ASKED: Final[Mapping[str, tuple[str, Mapping[str, Any]]]] = {
    "settings.json": ("settings_export", {}),
    "status.json": ("status", {}),
    "modems.json": ("modems", {}),
    "services.json": ("services", {}),
    "plugins.json": ("plugins", {}),
    "server.json": ("server_status", {}),
}
"""Files that are what operations tell."""
_CHECKS_WITHIN: Final = 60
"""Seconds in which `otppi doctor` ends: it asks each port once, and waits five seconds for one that says nothing."""
_ABOUT: Final = """Diagnostics of OTP-Pi {version}, made {made}.

settings.json  what is set; secrets are stars
status.json    how the gateway, its ingresses and its services are
modems.json    the modems, with all that is known of each
services.json  what may be stopped and started
plugins.json   the plugins that are installed
server.json    the device
metrics.json   the counters
log.txt        the newest lines of the log
last-lines.txt those before the gateway crashed last, on a card image
checks.json    what `otppi doctor` finds
files.txt      the files of the data folder: mode, octets, time of the last change, name

There are no texts of messages here, no passwords, keys or codes. Telephone numbers, e-mail addresses and the numbers of
modems and SIM cards are hidden but for a few digits. Read it before you give it away all the same: it has names of
users, modems and servers.
"""
LAST_LINES: Final = Path("/var/lib/otppi-update/last-lines")
"""What the card image keeps of the log where the gateway ends as it should not (overlays/update)."""
_LONGEST_LINES: Final = 128 * 1024
_FIRST_YEAR: Final = 1980
"""Of what a zip file can have as a time (APPNOTE.TXT 4.4.6)."""


def _diagnostics(call: HostCall) -> dict[str, Any]:
    """Return the name of the archive, and its files by their names."""
    made = time.localtime()
    about = call.perform("server_status")["version"]
    disguise = Disguise.of(call.part(Config), call.perform("modems"))
    files = {"about.txt": _ABOUT.format(version=about, made=time.strftime("%Y-%m-%d %H:%M:%S %z", made))}
    for name, (operation, arguments) in _ASKED.items():
        files[name] = _as_json(disguise.of_value(call.perform(operation, **arguments)))
    files["metrics.json"] = _as_json(disguise.of_value(call.part(HostGateway).overview.counters()))
    files["log.txt"] = "".join(_log(call.perform("log", limit=MOST), disguise))
    if lines := _last_lines():
        files["last-lines.txt"] = disguise.of_text(lines)
    folder = call.part(Running).folder
    files["checks.json"] = disguise.of_text(_checks(folder))
    files["files.txt"] = disguise.of_text("".join(_files(folder)))
    return {"name": f"otppi-diagnostics-{time.strftime('%Y%m%d-%H%M%S', made)}", "files": files}


def packed(diagnostics: Mapping[str, Any]) -> bytes:
    """Return what the operation `diagnostics` gives as a zip file: made in RAM, nothing of it on the card."""
    import zipfile  # for something that is seldom done

    made, name = io.BytesIO(), diagnostics["name"]
    now = time.localtime()
    when = now[:6] if now.tm_year >= _FIRST_YEAR else (_FIRST_YEAR, 1, 1, 0, 0, 0)
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for file, text in diagnostics["files"].items():
            archive.writestr(zipfile.ZipInfo(f"{name}/{file}", when), text, zipfile.ZIP_DEFLATED)
    return made.getvalue()


def _as_json(value: object) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def _log(lines: list[Mapping[str, Any]], disguise: Disguise) -> Iterator[str]:
    for one in lines:
        at = time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(one["at"]))
        yield f"{at} {one['level'].upper():<8} {disguise.of_text(one['text'])}\n"


def _last_lines() -> str:
    """Return what the card image has kept of the log before the last crash; nothing where it has nothing."""
    try:
        with LAST_LINES.open("rb") as file:
            return file.read(_LONGEST_LINES).decode(errors="replace")
    except OSError:
        return ""


def _files(folder: Path) -> Iterator[str]:
    """Yield a line for each file of the data folder; nothing of what is in it."""
    for path in sorted(folder.rglob("*")):
        try:
            about = path.lstat()
        except OSError:  # it has just gone
            continue
        changed = time.strftime("%Y-%m-%d %H:%M", time.localtime(about.st_mtime))
        yield f"{stat.filemode(about.st_mode)} {about.st_size:>10} {changed} {path.relative_to(folder)}\n"


def _checks(folder: Path) -> str:
    """Return what `otppi doctor` finds, in a process of its own: it looks at the gateway from outside."""
    import subprocess  # for something that is seldom done

    command = [sys.executable, "-m", "otppi", "--data", str(folder), "doctor", "--json"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_CHECKS_WITHIN, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"the checks could not be made: {type(error).__name__}\n"
    return done.stdout or f"the checks could not be made: they ended with {done.returncode}\n"


OPERATIONS = (
    Operation(
        name="diagnostics",
        title=_("Diagnostics"),
        help=_(
            "Put together what helps who looks for a fault from afar: settings, status, modems, plugins, the device, "
            "the log, counters, the files' names and sizes, and what `otppi doctor` finds. Secrets, texts of messages "
            "and codes are not in it; telephone numbers, e-mail addresses and the numbers of modems and SIM cards are "
            "hidden but for a few digits."
        ),
        handler=_diagnostics,
        reads_only=True,
        audit=True,
        waits=True,
        command="diagnostics",
        examples=("otppi.zip",),
    ),
)
