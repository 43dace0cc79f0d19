"""Whom a request is for: its target's form, and the host that it names (RFC 9112 3.2); no I/O."""

import ipaddress
import re

from otppi_ingress_rest.replies import Refused, malformed

_ABSOLUTE = re.compile(rb"([!-~]+) ([A-Za-z][A-Za-z0-9+.-]*)://([^/?# \r\n]*)([^# \r\n]*) (HTTP/[^\r\n]*)\r?\n")
_HOST = re.compile(rb"(?:\[([0-9A-Fa-f:.]+)(?:%[A-Za-z0-9._~%-]+)?\]|[A-Za-z0-9._~!$&'()*+,;=%-]+)(?::[0-9]{0,5})?")


def to_origin_form(head: bytes, *, secure: bool) -> tuple[bytes, bytes]:
    """Give a head with its target in origin-form, and the host that an absolute-form named, which goes before Host.

    Clients that think that they speak to a proxy send the absolute-form, and every server has to take it (3.2.2).

    Raises:
        Refused: the target cannot be one of ours.
    """
    absolute = _ABSOLUTE.match(head)
    if absolute is None:
        return head, b""
    method, scheme, host, path, version = absolute.groups()
    if scheme.lower() not in (b"http", b"https"):
        raise Refused(malformed("head", "the request target's scheme must be http or https"))
    if scheme.lower() == b"https" and not secure:  # RFC 9110 7.4
        raise Refused(malformed("head", "the request target is https, and the request came in plain HTTP", 421))
    check_host(host)
    if not path.startswith(b"/"):
        path = b"*" if method == b"OPTIONS" and not path else b"/" + path
    return b"%b %b %b\r\n%b" % (method, path, version, head[absolute.end() :]), host


def check_host(host: bytes) -> None:
    """Check the form of a host with or without a port: a name, an IPv4 address, or an IPv6 address in brackets.

    Which host it is does not matter: the device is reached by any of its addresses and by names that only others know.

    Raises:
        Refused: it has none of these forms.
    """
    found = _HOST.fullmatch(host)
    try:
        if found is None:
            raise ValueError  # noqa: TRY301 - one refusal for both
        if found[1] is not None:
            ipaddress.IPv6Address(found[1].decode("ascii"))
    except ValueError as error:
        raise Refused(malformed("Host", "is not a host, with or without a port (RFC 9112 3.2)")) from error
