"""The opening handshake (RFC 6455 4) as bytes: the request as the document prints it, and what the answer means.

websocket-client's own handshake is not used: it follows redirects with the password, obeys the proxies of the
environment, keeps cookies for the whole process, reads heads and error pages of any length, and cannot be woken.
"""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

from otppi.kit.net.failures import LOGIN_WANTED, WRONG_LOGIN
from otppi.kit.net.link import LinkLost
from otppi_ingress_wsmessagebroker.text import _

HEAD_LIMIT = 16_384
"""Longest head of an answer, in octets."""
HEAD_END = b"\r\n\r\n"
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] (\d{3})(?: |$)")
_DEFAULT_PORTS = (80, 443)
_TLS_RECORD = (b"\x15\x03", b"\x16\x03")
_REDIRECTS = range(300, 400)


@dataclass(frozen=True, slots=True)
class Site:
    """What of the settings the handshake needs."""

    host: str
    port: int
    path: str = "/"
    username: str = ""
    password: str = field(default="", repr=False)

    @property
    def name(self) -> str:
        """The server as the field Host names it: with its port, unless that is 80 or 443."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port in _DEFAULT_PORTS else f"{host}:{self.port}"


def target(path: str, topic: str) -> str:
    """Return the request's target: the path, and the topic as `channel` and as `topic`.

    The document says `channel`, the original program sent `topic`, and servers look for either.
    """
    name = quote(topic, safe="")
    path, _mark, query = path.partition("?")
    path = quote("/" + path.strip().lstrip("/"), safe="/%:@!$&'()*+,;=~")
    query = quote(query.strip(), safe="/%:@!$&'()*+,;=~?")
    return f"{path}?{query + '&' if query else ''}channel={name}&topic={name}"


def request(site: Site, topic: str, key: str) -> bytes:
    """Write the request, its fields in the order of the document."""
    lines = [f"GET {target(site.path, topic)} HTTP/1.1", f"Host: {_ascii(site.name)}"]
    if site.username or site.password:
        credentials = base64.b64encode(f"{site.username}:{site.password}".encode()).decode()
        lines.append(f"Authorization: Basic {credentials}")
    lines += ["Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13"]
    return "\r\n".join([*lines, "", ""]).encode("ascii")


def check(head: bytes, site: Site, key: str) -> None:
    """Check the head of the answer, without its empty line.

    Raises:
        LinkLost: The connection is none of WebSocket; the sentence says what may be wrong.
    """
    status_line, _end, rest = head.partition(b"\r\n")
    matched = _STATUS_LINE.match(status_line)
    if matched is None:
        raise not_http(head)
    status, fields = int(matched[1]), _fields(rest)
    if status != 101:
        raise LinkLost(_refusal(status, site, fields.get("location", "")))
    tokens = [token.strip().lower() for token in fields.get("connection", "").split(",")]
    if fields.get("upgrade", "").lower() != "websocket" or "upgrade" not in tokens:
        raise LinkLost(_("its handshake is not that of a WebSocket server (no Upgrade)"))
    if not hmac.compare_digest(fields.get("sec-websocket-accept", "").encode(), accept(key).encode()):
        raise LinkLost(_("its handshake is not that of a WebSocket server (wrong Sec-WebSocket-Accept)"))
    if fields.get("sec-websocket-extensions"):  # RFC 6455 4.1: one that was not asked for fails the connection
        raise LinkLost(_("it wants to use an extension of WebSocket that was not asked for"))


def accept(key: str) -> str:
    """Return the Sec-WebSocket-Accept that belongs to a key (RFC 6455 4.2.2)."""
    return base64.b64encode(hashlib.sha1(key.encode() + _GUID).digest()).decode()  # noqa: S324 - the protocol's


def not_http(begin: bytes) -> LinkLost:
    """Return what answers that is not HTTP."""
    if begin.startswith(_TLS_RECORD):
        return LinkLost(_("it wants TLS, and `ssl` is off"))
    return LinkLost(_("what answers there is no WebSocket server"))


def _refusal(status: int, site: Site, location: str) -> str:
    known = {
        401: _("{problem} (401)", problem=WRONG_LOGIN if site.username or site.password else LOGIN_WANTED),
        403: _("it does not let this user connect to this topic (403)"),
        404: _("there is nothing at this path (404)"),
        426: _("it speaks another version of WebSocket (426)"),
    }
    if status in known:
        return known[status]
    if status in _REDIRECTS:
        return _(
            "it redirects {place}({status}), which is not followed: the password would go along",
            place=_place(location),
            status=status,
        )
    if status < 300:
        return _("there is a web server, but none of WebSocket, at this path ({status})", status=status)
    return _("it answers {status}", status=status)


def _place(location: str) -> str:
    """Return the part of a Location that is safe to show: no user, no query."""
    try:
        parts = urlsplit(location)
        place = (
            f"{parts.scheme}://{parts.hostname}:{parts.port}" if parts.port else f"{parts.scheme}://{parts.hostname}"
        )
    except ValueError:
        return ""
    shown = re.sub(r"[^!-~]", "", place + parts.path)[:100]
    return _("to {shown} ", shown=shown) if parts.hostname else ""


def _fields(lines: bytes) -> dict[str, str]:
    fields: dict[str, str] = {}
    for line in lines.decode("latin-1").split("\r\n"):
        name, _colon, value = line.partition(":")
        name, value = name.strip().lower(), value.strip()
        fields[name] = f"{fields[name]}, {value}" if name in fields else value
    return fields


def _ascii(name: str) -> str:
    """Write a name of a host as it stands in a request (RFC 3490)."""
    try:
        return name if name.isascii() else name.encode("idna").decode()
    except UnicodeError:
        raise LinkLost(_("host is no name of a server")) from None
