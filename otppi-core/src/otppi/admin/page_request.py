"""Requests as CherryPy takes them, less what it would do by itself with what a stranger can send."""

from typing import Any, Final

from cherrypy._cpdispatch import Dispatcher
from cherrypy._cprequest import Request

_FIELDS: Final = frozenset(
    (
        "Accept-Language",
        "Content-Length",
        "Content-Type",
        "Cookie",
        "Host",
        "Last-Event-Id",
        "User-Agent",
        "X-Background",
    )
)
"""The header fields that pages look at, and as CherryPy writes them: upon several others it would act."""


class PageRequest(Request):  # type: ignore[misc]  # CherryPy has no types
    """A request whose header fields stay as they came, and whose form is what its body says."""

    def process_headers(self) -> None:
        """Keep the header fields that pages look at.

        CherryPy would read the cookies, and answer 400 to all that has one which Python's `http.cookies` refuses: a
        page on another port of this device could set such a one, and keep everybody out. It would also decode fields
        by RFC 2047, and fail where that names an encoding which there is not.
        """
        for name, value in self.header_list:
            if name.title() in _FIELDS:
                self.headers[name] = value.strip()
        self.base = ""

    def process_query_string(self) -> None:
        """Read the query of what is looked at.

        That of a form is left out: somebody who has people follow a link to a page with a form would else fill in
        fields beside those which they see, since a form may be sent to the address of its page.
        """
        if self.method != "POST":
            super().process_query_string()


class PageDispatcher(Dispatcher):  # type: ignore[misc]  # CherryPy has no types
    """Finds pages by the names of attributes; those that begin with an underscore are nobody's.

    CherryPy would walk along any, such as `__class__` and `__self__`, also where a path writes `--class--`.
    """

    def __init__(self) -> None:
        super().__init__(translate={})

    def find_handler(self, path: str) -> Any:
        """Find what answers a path; nothing where a part of it is no name of a page."""
        hidden = any(part.startswith("_") for part in path.split("/"))
        return super().find_handler("/_" if hidden else path)
