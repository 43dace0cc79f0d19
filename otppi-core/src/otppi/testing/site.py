"""The pages of a gateway for tests, on a real port, and browsers that are no more than header fields and cookies."""

import http.client
import re
import threading
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from otppi.admin.application import application, parts_of
from otppi.api.operations import Role
from otppi.host.core import load_plugins
from otppi.host.data_folder import DataFolder
from otppi.host.host import Host
from otppi.host.parts import registry_of
from otppi.host.runtime.plugins import Plugins
from otppi.host.runtime.registry import COMMAND_LINE
from otppi.testing.waiting import PATIENCE
from otppi.web import own_certificate
from otppi.web.listener import Listener, open_port
from otppi.web.server import HttpServer
from otppi.web.timeouts import Timeouts

if TYPE_CHECKING:
    import ssl

PASSWORD = "kursi hijau di teras"  # noqa: S105 - of made-up people
_HASH = "$argon2id$v=19$m=19456,t=2,p=1$CLTDRjQs+Uq/IFBKPotNOA$hMVa+HGDayskOumZiYtQrS/0Okb9/BwvIC5xKfxP64o"
"""The hash of `PASSWORD`: computing three took longer than all else that a site begins with."""
NAMES = {Role.VIEWER: "vera", Role.OPERATOR: "oki", Role.ADMINISTRATOR: "adi"}
_DOCUMENT = {
    "modems": [{"name": "m0", "type": "simulated", "network_time": 0.0, "default_modem": True}],
    "ingress-rest": {"http_enable": False, "https_enable": False},
}


@dataclass
class SiteAnswer:
    """What a browser got."""

    status: int
    headers: Mapping[str, str]
    text: str
    set_cookies: list[str] = field(default_factory=list)

    @property
    def location(self) -> str:
        """Where it leads."""
        return self.headers.get("location", "")

    @property
    def octets(self) -> bytes:
        """What was sent, such as a file that is no text."""
        return self.text.encode(errors="surrogateescape")

    @property
    def words(self) -> str:
        """The page without its tags."""
        return unescape(" ".join(re.sub(r"<[^>]+>", " ", self.text).split()))


@dataclass
class SiteBrowser:
    """Keeps cookies, and the token of the last form that it was shown."""

    port: int
    cookies: dict[str, str] = field(default_factory=dict)
    token: str = ""
    headers: dict[str, str] = field(default_factory=lambda: {"Accept-Language": "en"})
    tls: "ssl.SSLContext | None" = None

    def _connection(self) -> http.client.HTTPConnection:
        if self.tls is None:
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=PATIENCE, context=self.tls)

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> SiteAnswer:
        """Make a request."""
        connection = self._connection()
        sent = self.headers | dict(headers or {})
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        try:
            connection.request(method, path, body, sent)
            response = connection.getresponse()
            text = response.read().decode(errors="surrogateescape")
            set_cookies = response.headers.get_all("Set-Cookie", [])
            for line in set_cookies:
                name, _, value = line.partition(";")[0].partition("=")
                if value:
                    self.cookies[name] = value
                else:
                    self.cookies.pop(name, None)
        finally:
            connection.close()
        if found := re.search(r'name="form_token" value="([0-9a-f]+)"', text):
            self.token = found[1]
        fields = {name.lower(): one for name, one in response.getheaders()}
        return SiteAnswer(response.status, fields, text, set_cookies)

    def get(self, path: str, **headers: str) -> SiteAnswer:
        """Look at a page; header fields with underscores for hyphens."""
        return self.ask("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def post(self, path: str, fields: Mapping[str, str] | None = None, **headers: str) -> SiteAnswer:
        """Send a form, with the token of the last one that was shown."""
        given = urllib.parse.urlencode({"form_token": self.token} | dict(fields or {}))
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.ask("POST", path, given.encode(), kind | more)

    def upload(
        self, path: str, files: Mapping[str, bytes], fields: Mapping[str, str] | None = None, **headers: str
    ) -> SiteAnswer:
        """Send a form with files, by their fields' names, as browsers write it (RFC 7578)."""
        marker = "----a-line-that-is-in-no-file"
        heads = {name: f'form-data; name="{name}"' for name in {"form_token": "", **dict(fields or {})}}
        heads |= {name: f'form-data; name="{name}"; filename="file.txt"\r\nContent-Type: text/plain' for name in files}
        values = {"form_token": self.token} | dict(fields or {})
        octets = {name: value.encode() for name, value in values.items()} | dict(files)
        body = b"".join(
            f"--{marker}\r\nContent-Disposition: {heads[name]}\r\n\r\n".encode() + value + b"\r\n"
            for name, value in octets.items()
        )
        kind = {"Content-Type": f"multipart/form-data; boundary={marker}"}
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.ask("POST", path, body + f"--{marker}--\r\n".encode(), kind | more)


def _trusting(certificate: Path) -> "ssl.SSLContext":
    import ssl

    return ssl.create_default_context(cafile=str(certificate))


class Site:
    """A gateway in this process with its pages; administrators of each role are there where wanted.

    Args:
        folder: Where it keeps its data.
        claimed: Whether there are administrators.
        encrypted: Whether the port serves HTTPS, too, with the device's own certificate.
        address: Where the pages are served; empty for all addresses.
        plugins: In place of those that are installed.
        stand_in: Whether a simulated modem sends where none is configured, which is not so on a device.
    """

    def __init__(
        self,
        folder: Path,
        *,
        claimed: bool,
        encrypted: bool = False,
        address: str = "127.0.0.1",
        plugins: Plugins | None = None,
        stand_in: bool = True,
    ) -> None:
        self.data = DataFolder(folder / "data", plugins=load_plugins() if plugins is None else plugins)
        accounts = [{"username": name, "password_hash": _HASH, "role": role.value} for role, name in NAMES.items()]
        self.data.config.provision(_DOCUMENT | ({"administrators": accounts} if claimed else {}))
        self.host = Host(self.data, folder / "boot", stand_in=stand_in)
        self.registry = registry_of(self.data, self.host)
        self.host.start()
        self._sock = open_port(address, 0, "the.port")
        self.parts = parts_of(self.data, self.host, self.registry, lambda: self._server.waiting())
        self.gate = application(self.parts)
        self.tls = own = None
        if encrypted:
            from otppi.web import tls  # with the library: other tests look whether it is loaded

            own = partial(tls.own, folder)
            own_certificate.make(folder)
            self.tls = _trusting(folder / own_certificate.CERTIFICATE)
        listener = Listener(self._sock, own, plain=True, tells_arrival=True)
        self._server = HttpServer("pages", [listener], self.gate, timeouts=Timeouts(stop=1.0))
        self._thread = threading.Thread(target=self._server.run, name="pages")
        self._thread.start()

    @property
    def port(self) -> int:
        """The pages' port."""
        return int(self._sock.getsockname()[1])

    def call(self, name: str, **arguments: Any) -> Any:
        """Carry out an operation as the command line does."""
        return self.registry.call(name, arguments, COMMAND_LINE)

    def browser(self) -> SiteBrowser:
        """Return a browser that has never been here."""
        return SiteBrowser(self.port)

    def secure_browser(self) -> SiteBrowser:
        """Return a browser that has never been here, and comes by HTTPS; it takes the certificate for right."""
        return SiteBrowser(self.port, tls=self.tls)

    def inside(self, role: Role) -> SiteBrowser:
        """Return a browser that has a session, as after a login."""
        administrator = self.parts.administrators.find(NAMES[role])
        if administrator is None:
            raise AssertionError(f"{NAMES[role]} may not log in")
        token = self.parts.sessions.create(administrator.name, administrator.stamp, secure=False, address="127.0.0.1")
        browser = SiteBrowser(self.port, {"otppi": token})
        browser.token = self.parts.tokens.of(token)
        return browser

    def close(self) -> None:
        """End the pages and the gateway."""
        self._server.stop()
        self._thread.join(PATIENCE)
        if self._thread.is_alive():
            raise AssertionError("the pages do not end")
        self._sock.close()
        self.host.stop()
