"""`/system/import`: the configuration of another program is uploaded, looked at, and taken over."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urlencode

import cherrypy

from otppi.admin.pages.answers import PageError, drawn, own_session, perform, see_other, text_of
from otppi.admin.pages.form_fields import trouble
from otppi.admin.pages.kept_files import KeptFiles
from otppi.admin.pages.paging import ListPart, place_of
from otppi.admin.parts import Parts
from otppi.admin.security.guard import action, form
from otppi.admin.uploads import uploaded
from otppi.api.errors import InvalidSettings, OtpPiError
from otppi.api.operations import Role
from otppi.text import _, words

_PATH: Final = "/system/import"
_PROGRAMS: Final = {
    "": _("is found out"),
    "original": "OTP-Pi (Java)",
    "gammu": "gammu-smsd",
    "smstools": "smstools3",
    "kannel": "Kannel",
}
_OUTCOMES: Final = {
    "refused": ("bad", _("cannot work")),
    "ask": ("warn", _("to be given anew")),
    "taken": ("good", _("taken over")),
    "none": ("off", _("not taken")),
    "same": ("off", _("is so already")),
}
"""How each outcome is drawn, and what it is called; in this order they are shown."""
_STILL_OPEN: Final = ("refused", "ask")
"""Outcomes that leave something to be done after the rest was taken over."""
_ROWS: Final = 150
"""Rows of one page."""

Told = Mapping[str, Any]
"""What the operations of an import tell."""


@dataclass(slots=True)
class _Uploaded:
    """What somebody has uploaded.

    Attributes:
        files: The texts of the files by their labels, with what is secret in them.
        program: Which one was chosen.
        done: What became of it, once it was taken over; the files are forgotten then.
    """

    files: Mapping[str, str] = field(repr=False)
    program: str
    done: Told | None = None


class ImportPages:
    """Nothing of an upload is on the card before it is taken over."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._uploads = KeptFiles[_Uploaded]()

    @form(Role.ADMINISTRATOR, fresh=True, uploads=True)
    def index(self, **fields: Any) -> bytes:
        """Ask for a file, or read the one that was sent; show what taking it over would do."""
        if cherrypy.request.method == "POST":
            return self._upload(fields)
        if key := text_of(fields, "look"):
            kept, first = self._found(key), place_of(text_of(fields, "first"))
            if kept.done is not None:
                return self._draw(kept.done, key, first, done=True)
            return self._look(kept, key, first, leave_out=bool(text_of(fields, "leave_out")))
        return self._ask()

    @action(Role.ADMINISTRATOR, fresh=True)
    def confirmed(self, **fields: Any) -> bytes:
        """Take over what was looked at."""
        key = text_of(fields, "look")
        kept = self._found(key)
        leave_out = bool(text_of(fields, "leave_out"))
        if kept.done is not None:  # the button was pressed twice
            return see_other(f"{_PATH}?look={quote(key)}")
        try:
            told = perform(self._parts, "import_take", files=kept.files, program=kept.program, leave_out=leave_out)
        except InvalidSettings:
            return self._look(kept, key, leave_out=leave_out, status=422)
        except (OtpPiError, OSError) as error:
            return self._look(kept, key, leave_out=leave_out, status=503, why=trouble(error))
        kept.files, kept.done = {}, told
        return see_other(f"{_PATH}?look={quote(key)}")

    # -- what was uploaded ------------------------------------------------------------------------------------------

    def _upload(self, fields: Mapping[str, Any]) -> bytes:
        from otppi.host.importing.opened import NotOpened, read_octets

        program = text_of(fields, "program")
        octets = uploaded(fields, "file")
        if octets is None:
            return self._ask({"file": _("choose a file first")}, program)
        try:
            files = read_octets("configuration", octets)
            perform(self._parts, "import_look", files=files, program=program)  # what cannot be read is told at once
        except NotOpened as error:
            return self._ask({"file": words(error)}, program)
        except InvalidSettings as error:
            return self._ask({"file": "; ".join(one.reason for one in error.problems)}, program)
        key = self._uploads.add(own_session(), _Uploaded(files, program))
        return see_other(f"{_PATH}?look={quote(key)}")

    def _found(self, key: str) -> _Uploaded:
        kept = self._uploads.find(own_session(), key)
        if kept is None:
            raise PageError(404, _("This upload is not kept any more"), _("Choose the file once more."))
        return kept

    # -- pages ------------------------------------------------------------------------------------------------------

    def _ask(self, problems: Mapping[str, str] | None = None, program: str = "") -> bytes:
        return drawn(
            self._parts,
            "import.html",
            422 if problems else 200,
            problems=problems or {},
            programs=_PROGRAMS,
            program=program,
        )

    def _look(
        self, kept: _Uploaded, key: str, first: int = 1, *, leave_out: bool, status: int = 200, why: str = ""
    ) -> bytes:
        told = perform(self._parts, "import_look", files=kept.files, program=kept.program, leave_out=leave_out)
        return self._draw(told, key, first, status, leave_out=leave_out, why=why)

    def _draw(
        self,
        told: Told,
        key: str,
        first: int,
        status: int = 200,
        *,
        done: bool = False,
        leave_out: bool = False,
        why: str = "",
    ) -> bytes:
        order = list(_OUTCOMES)
        listed = [row for row in told["rows"] if not done or row["outcome"] in _STILL_OPEN]
        names = {file: place for place, file in enumerate(dict.fromkeys(row["file"] for row in listed))}
        listed.sort(key=lambda row: (names[row["file"]], order.index(row["outcome"])))
        first = first if first <= len(listed) else 1
        shown = listed[first - 1 : first - 1 + _ROWS]
        files: dict[str, list[Told]] = {}
        for row in shown:
            files.setdefault(row["file"], []).append(row)

        def address(place: int) -> str:
            return f"{_PATH}?{urlencode({'look': key} | ({'leave_out': 1} if leave_out else {}) | {'first': place})}"

        return drawn(
            self._parts,
            "import_look.html",
            status,
            told=told,
            look=key,
            done=done,
            leave_out=leave_out,
            why=why,
            files=files,
            part=ListPart(first, len(shown), len(listed), _ROWS),
            address=address,
            outcomes=_OUTCOMES,
            value=_shown,
        )


def _shown(value: Any) -> str:
    """Write a value as the settings have it: yes and no, lists with commas."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)
