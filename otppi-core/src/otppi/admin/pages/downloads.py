"""How a handler answers with a file to be kept (ASVS 5.0, 5.4.1 and 5.4.2)."""

from typing import Final

import cherrypy

CSV: Final = "text/csv; charset=utf-8"


def downloaded(name: str, content_type: str, content: bytes) -> bytes:
    """Have the browser keep an answer as a file; the arguments are those of `as_file`, and all of its octets."""
    as_file(name, content_type)
    return content


def as_file(name: str, content_type: str) -> None:
    """Have the browser keep what is answered as a file.

    Args:
        name: Of the file: ASCII, ours, with nothing of what anybody typed.
        content_type: Of what it is.
    """
    cherrypy.response.headers["Content-Type"] = content_type
    cherrypy.response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
