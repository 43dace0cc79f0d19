"""The programs whose configuration is read, and which of them some files are of."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from otppi.api.errors import InvalidSettings
from otppi.host.importing.findings import Findings, TooMuch
from otppi.host.importing.gammu import is_gammu, read_gammu
from otppi.host.importing.kannel import is_kannel, read_kannel
from otppi.host.importing.original import is_original, read_original
from otppi.host.importing.smstools import is_smstools, read_smstools
from otppi.text import _
from otppi.wire.errors import FieldError


@dataclass(frozen=True, slots=True)
class OtherProgram:
    """One program.

    Attributes:
        key: What `--from` calls it.
        title: What people call it.
        is_its: Whether a file, by its label and its text, is one of its configuration.
        read: Reads its files.
    """

    key: str
    title: str
    is_its: Callable[[str, str], bool]
    read: Callable[[Mapping[str, str]], Findings]


_PROGRAMS: Final = (
    OtherProgram("original", "OTP-Pi (Java)", is_original, read_original),
    OtherProgram("gammu", "gammu-smsd", lambda _label, text: is_gammu(text), read_gammu),
    OtherProgram("smstools", "smstools3", lambda _label, text: is_smstools(text), read_smstools),
    OtherProgram("kannel", "Kannel", lambda _label, text: is_kannel(text), read_kannel),
)


_JSON: Final = re.compile(r"""\s*[\[{]\s*["{\]}]""")
"""How JSON of objects begins; sections of INI files begin with a bracket, too."""


def read_files(files: Mapping[str, str], key: str = "") -> tuple[OtherProgram, Findings]:
    """Read the configuration of a program.

    Args:
        files: Texts by their labels.
        key: Of the program; it is found out where it is empty.

    Raises:
        InvalidSettings: They are of no program that is known, or of several, or are far too large.
    """
    try:
        program = _program(files, key)
        return program, program.read(files)
    except TooMuch as error:
        raise InvalidSettings([FieldError("files", error.args[0])]) from error


def _program(files: Mapping[str, str], key: str) -> OtherProgram:
    wanted = [one for one in _PROGRAMS if key in ("", one.key)]
    named = [one for one in wanted if any(one.is_its(label, text) for label, text in files.items())]
    if len(named) == 1:
        return named[0]
    raise InvalidSettings([FieldError("files", _why_none(wanted, named, files))])


def _why_none(wanted: Sequence[OtherProgram], named: Sequence[OtherProgram], files: Mapping[str, str]) -> str:
    """Return why it is not known which program the files are of."""
    if named:
        names = ", ".join(one.key for one in named)
        return _("hold the configurations of several programs: choose one of {names}", names=names)
    if any(map(_JSON.match, files.values())):
        return _("are JSON without the names that the original gave them: put its folder into a .zip, names and all")
    return _("hold no configuration that is known: there are {names}", names=", ".join(one.key for one in wanted))
