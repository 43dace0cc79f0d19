"""Whom and what a request is for: the forms of its target, and the host that it names (RFC 9112 3.2); no I/O."""

import ipaddress
import re
from urllib.parse import unquote_to_bytes

from otppi.web.request import Refused

_ABSOLUTE = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)([^#]*)")
_HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]+)(?:%[A-Za-z0-9._~%-]+)?\]|[A-Za-z0-9._~!$&'()*+,;=%-]+)(?::[0-9]{0,5})?")
_QUOTED_SLASH = re.compile(r"(%2[Ff])")


def to_origin_form(method: str, target: str, *, secure: bool) -> tuple[str, str]:
    """Return the target in origin-form (or `*`), and the host that an absolute-form named, which goes before Host.

    Clients that think that they speak to a proxy send the absolute-form, and every server has to take it (3.2.2).

    Raises:
        Refused: The target cannot be one of ours.
    """
    if method == "CONNECT":
        raise Refused(405, "head", "this is no proxy", (("Allow", ""),))
    host = ""
    if not target.startswith("/") and (absolute := _ABSOLUTE.fullmatch(target)) is not None:
        scheme, host, target = absolute.groups()
        if scheme.lower() not in ("http", "https"):
            raise Refused(400, "head", "the request target's scheme must be http or https")
        if scheme.lower() == "https" and not secure:  # RFC 9110 7.4
            raise Refused(421, "head", "the request target is https, and the request came in plain HTTP")
        check_host(host)
        if not target.startswith("/"):
            target = "*" if method == "OPTIONS" and not target else f"/{target}"
    asterisk = target == "*" and method == "OPTIONS"  # 3.2.4
    # What begins with two slashes names a host where a page uses it as a link.
    if "#" in target or not (asterisk or (target.startswith("/") and not target.startswith("//"))):
        raise Refused(400, "head", "the request target is not well-formed")
    return target, host


def decode_path(path: str) -> str:
    """Decode a path, but for `%2F`: a slash that separates nothing must not look like one that does."""
    if "%" not in path:
        return path
    parts = (one if _QUOTED_SLASH.fullmatch(one) else unquote_to_bytes(one) for one in _QUOTED_SLASH.split(path))
    return b"".join(one.encode("ascii") if isinstance(one, str) else one for one in parts).decode("utf-8", "replace")


def check_host(host: str) -> None:
    """Check the form of a host with or without a port: a name, an IPv4 address, or an IPv6 address in brackets.

    Which host it is does not matter here: the device is reached by any of its addresses and by names that only others
    know.

    Raises:
        Refused: It has none of these forms.
    """
    found = _HOST.fullmatch(host)
    try:
        if found is None:
            raise ValueError  # noqa: TRY301 - one refusal for both
        if found[1] is not None:
            ipaddress.IPv6Address(found[1])
    except ValueError as error:
        raise Refused(400, "Host", "is not a host, with or without a port (RFC 9112 3.2)") from error
