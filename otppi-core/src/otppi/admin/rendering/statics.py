"""The files that go with the pages: from memory, named by what is in them, so that a browser may keep them for ever."""

import gzip
import hashlib
from collections.abc import Mapping
from importlib.resources import files
from typing import Final

from otppi.web.request import Refused, Request
from otppi.web.response import Response

PREFIX: Final = "/static/"
_TYPES: Final[Mapping[str, str]] = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
_FOR_EVER = ("Cache-Control", "public, max-age=31536000, immutable")  # RFC 8246
_SHORTEST = 600
"""Octets below which nothing is won by packing a file."""


class Statics:
    """The files of the package's `static` folder."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._files: dict[str, tuple[str, bytes, bytes]] = {}
        for one in files("otppi.admin").joinpath("static").iterdir():
            stem, _, suffix = one.name.rpartition(".")
            if suffix not in _TYPES:
                continue
            content = one.read_bytes()
            name = f"{stem}.{hashlib.sha256(content).hexdigest()[:10]}.{suffix}"
            self._names[one.name] = name
            packed = gzip.compress(content, mtime=0) if len(content) > _SHORTEST else b""
            self._files[name] = (_TYPES[suffix], content, packed)

    def url(self, name: str) -> str:
        """Return where a file is served.

        Raises:
            KeyError: There is none of this name.
        """
        return f"{PREFIX}{self._names[name]}"

    def respond(self, request: Request) -> Response:
        """Serve a file.

        Raises:
            Refused: There is none (404), or it is not to be read (405).
        """
        found = self._files.get(request.path.removeprefix(PREFIX))
        if found is None:
            raise Refused(404, "path", "there is nothing here")
        if request.method not in ("GET", "HEAD"):
            raise Refused(405, "method", "must be GET", (("Allow", "GET, HEAD"),))
        content_type, content, packed = found
        headers: tuple[tuple[str, str], ...] = (_FOR_EVER, ("Vary", "Accept-Encoding"))
        if packed and "gzip" in request.field("accept-encoding"):
            return Response(200, packed, (*headers, ("Content-Encoding", "gzip")), content_type)
        return Response(200, content, headers, content_type)
