"""Serial ports as people write them, and as they are kept: paths."""

import re

from otppi.text import _

_AROUND = " \t\r\n'\"`"
_OF_WINDOWS = re.compile(r"(\\\\\.\\)?COM[0-9]+:?", re.IGNORECASE)
_FOLDER = re.compile(r"(/dev(/serial(/by-(id|path))?)?)?/*")
_DEVICE = re.compile(r"(tty|serial|cdc-wdm|rfcomm)[A-Za-z0-9]+|serial/by-(id|path)/\S+")


def tidy_port(port: str) -> str:
    """Take what was copied with it off a port's name, and add the folder where it is left out.

    Example:
        >>> tidy_port(" '/dev/ttyUSB0' "), tidy_port("ttyUSB0"), tidy_port("dev/ttyUSB0")
        ('/dev/ttyUSB0', '/dev/ttyUSB0', '/dev/ttyUSB0')
    """
    bare = port.strip(_AROUND)
    if bare.startswith("dev/"):
        return f"/{bare}"
    return f"/dev/{bare}" if _DEVICE.fullmatch(bare) else bare


def port_problem(port: str) -> str | None:
    """Return what is wrong with the name of a port, or None."""
    if _OF_WINDOWS.fullmatch(port):
        return _(
            "{port} is a name of Windows; here a port is like /dev/ttyUSB0 (otppi modem probe lists them)", port=port
        )
    if port and _FOLDER.fullmatch(port):
        return _("{port} is a folder; a port is like /dev/ttyUSB0 (otppi modem probe lists them)", port=port)
    if port and not port.startswith("/"):
        return _("is no path; a port is like /dev/ttyUSB0 (otppi modem probe lists them)")
    return None
