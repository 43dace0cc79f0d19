"""How a handler answers with a stream: as long as the session lasts, and no activity of it."""

from dataclasses import dataclass

import cherrypy

from otppi.admin.live.hub import Hub
from otppi.admin.pages.answers import TITLES, PageError, visit
from otppi.admin.parts import Parts
from otppi.admin.security.sessions import PageSession
from otppi.api.errors import Busy
from otppi.api.operations import Role
from otppi.web.wsgi import STREAM


@dataclass(frozen=True, slots=True)
class _EndOfStreams:
    """Ends the streams of a session; equal to any other of the same, so that a session has it once."""

    hub: Hub
    session: str

    def __call__(self) -> None:
        self.hub.end_session(self.session)


def streamed(parts: Parts, hub: Hub, seen: str = "", role: Role = Role.VIEWER) -> bytes:
    """Have the visitor be told what a hub tells.

    Args:
        parts: What pages work on.
        hub: The hub.
        seen: The last event that the page has, where its browser does not say it.
        role: The least role that may be told.

    Raises:
        PageError: Nobody is logged in, or too many watch.
    """
    now, session = visit(), visit().session
    if session is None:
        raise PageError(403, *TITLES[403])
    ends = _EndOfStreams(hub, session.shown_id)
    if ends not in session.on_end:
        session.on_end.append(ends)
    token, secure = now.browser, now.secure
    open_stream = cherrypy.request.wsgi_environ[STREAM]
    last_id = cherrypy.request.headers.get("Last-Event-ID", "") or seen
    try:
        hub.join(open_stream, session.shown_id, lambda: _holds(parts, session, token, role, secure=secure), last_id)
    except Busy as busy:
        raise PageError(503, *TITLES[503], {"Retry-After": f"{busy.retry_after:.0f}"}) from busy
    cherrypy.response.headers["Content-Type"] = "text/event-stream"
    return b""


def _holds(parts: Parts, session: PageSession, token: str, role: Role, *, secure: bool) -> bool:
    """Whether a session holds still, and its administrator may be here."""
    found = parts.administrators.find(session.name)
    here = found is not None and found.stamp == session.stamp and found.role.covers(role)
    return here and parts.sessions.find(token, secure=secure) is session
