"""What a value means to a person, which a form asks for in its own way, and what can be checked for that alone."""

import ipaddress
import re
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Final
from urllib.parse import urlsplit

from otppi.text import _, words
from otppi.wire.errors import AddressError
from otppi.wire.mail_address import read_mail_address


class Input(Enum):
    """How a value is asked for. Where the meaning says what is valid, that is checked (an empty text always is).

    The values are what a person reads.
    """

    HOST = _("host name or IP address")
    IP_ADDRESS = _("IP address")
    PORT = _("TCP port of a server")
    LISTEN_PORT = _("TCP port that is listened on")
    LISTEN_ADDRESS = _("IP address of this device that is listened on")
    SERIAL_PORT = _("serial port")
    PATH = _("file")
    URL = _("URL")
    EMAIL = _("e-mail address")
    MSISDN = _("telephone number")
    PREFIX = _("first digits of numbers")
    DURATION = _("duration")
    TIME = _("time of day")
    TIME_SPAN = _("time span")
    PASSWORD = _("password")
    PIN = _("PIN")
    HASH = _("hash")  # made by programs: no form asks for it
    COMMAND = _("AT command")
    REGEX = _("regular expression")


PORT_RANGE: Final = (1, 65_535)
PORTS: Final = (Input.PORT, Input.LISTEN_PORT)
SECRET: Final = (Input.PASSWORD, Input.PIN, Input.HASH)

_TIME: Final = "([01][0-9]|2[0-3]):[0-5][0-9]"
_HOST_AND_PORT: Final = re.compile(r"[^:\[\]]+:[0-9]+|\[.*\]:[0-9]+")
_NOT_IN_HOST: Final = re.compile(r"[\s/@?#\\\x00-\x1f\x7f]")


def _host_problem(host: str) -> str | None:
    if "://" in host or _NOT_IN_HOST.search(host):
        return _("must be a host name or an IP address alone, such as broker.example.com")
    return _("must not hold the port, which has a setting of its own") if _HOST_AND_PORT.fullmatch(host) else None


def _address_problem(address: str) -> str | None:
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return _("must be an IPv4 or IPv6 address")
    return None


def _path_problem(path: str) -> str | None:
    return _("must be the path of a file") if path.endswith("/") or not path.isprintable() else None


def _url_problem(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        known = False
    if not known or not url.isascii() or not url.isprintable() or " " in url:
        return _("must be a URL such as https://example.com/hook")
    return _("must not hold a user name or password") if "@" in parts.netloc else None


def _email_problem(address: str) -> str | None:
    try:
        read_mail_address(address)
    except AddressError as error:
        return words(error)
    return None


def _regex_problem(pattern: str) -> str | None:
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        return _("is not a regular expression")
    return None


def _time_problem(time: str) -> str | None:
    return None if re.fullmatch(_TIME, time) else _("must be a time of day such as 22:00")


def _span_problem(span: str) -> str | None:
    return None if re.fullmatch(f"{_TIME}-{_TIME}", span) else _("must be a time span such as 22:00-06:00")


PROBLEMS: Final[Mapping[Input, Callable[[str], str | None]]] = {
    Input.HOST: _host_problem,
    Input.IP_ADDRESS: _address_problem,
    Input.LISTEN_ADDRESS: _address_problem,
    Input.PATH: _path_problem,
    Input.URL: _url_problem,
    Input.EMAIL: _email_problem,
    Input.REGEX: _regex_problem,
    Input.TIME: _time_problem,
    Input.TIME_SPAN: _span_problem,
}
FORMATS: Final[Mapping[Input, str]] = {Input.URL: "uri", Input.EMAIL: "email", Input.PASSWORD: "password"}
"""Formats of JSON Schema and OpenAPI."""
