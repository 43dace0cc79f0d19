"""A visit: one request of a browser, as the pages see it."""

from dataclasses import dataclass, field

from otppi.admin.security.sessions import PageSession
from otppi.api.operations import Actor, Role
from otppi.host.administrators.administrators import ORIGIN
from otppi.web.arrival import UNKNOWN, ConnectionArrival


@dataclass(slots=True)
class Visit:
    """Who asks, and how to answer.

    Attributes:
        language: In which the page is read.
        address: From where.
        secure: Whether by HTTPS.
        arrival: Where the request came in.
        browser: The cookie that forms belong to: that of the session, or one of who is not logged in.
        token: What each form carries (`FormTokens`).
        session: None of who is not logged in.
        role: What the session's administrator may do now.
        path: The page that is asked for, with its query.
        cookies: The Set-Cookie fields of the answer.
        answers_form: Whether a form was sent, to an address that can be looked at, too.
        back: The page above, where this one only takes a form; empty where it can be come back to.
    """

    language: str
    address: str
    secure: bool
    browser: str
    token: str
    path: str
    session: PageSession | None = None
    role: Role = Role.VIEWER
    arrival: ConnectionArrival = UNKNOWN
    cookies: list[str] = field(default_factory=list)
    answers_form: bool = False
    back: str = ""

    @property
    def actor(self) -> Actor:
        """In whose name operations are carried out.

        Raises:
            LookupError: Nobody is logged in.
        """
        if self.session is None:
            raise LookupError("nobody is logged in")
        return Actor(self.session.name, ORIGIN, self.role, self.address, encrypted=self.secure)

    def may(self, role: Role | str) -> bool:
        """Whether whoever visits may do what needs this role."""
        return self.session is not None and self.role.covers(Role(role))
