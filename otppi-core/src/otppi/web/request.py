"""A request as applications see it, and why one is refused."""

from dataclasses import dataclass

from otppi.web.arrival import UNKNOWN


class Request:
    """A request, whole.

    Attributes:
        method: In capital letters, as HTTP has it.
        path: Decoded, but for `%2F`, which is no separator.
        query: What follows the `?`, as it came.
        target: Path and query as they came.
        version: `HTTP/1.1` or `HTTP/1.0`.
        fields: The header fields, by their names in small letters; what came several times is joined (RFC 9110 5.3).
        address, port: The client's.
        arrival: Where it came in; `UNKNOWN` where the listener does not ask.
        secure: Whether it came by TLS.
        keep_alive: Whether the client's connection may go on after the answer.
        body: Decoded from its chunks.
        state: What an application keeps with it from one attempt at answering it to the next (`Postponed`).
    """

    __slots__ = (
        "address", "arrival", "body", "fields", "keep_alive", "method", "path", "port", "query", "secure", "state",
        "target", "version",
    )  # fmt: skip

    def __init__(
        self, method: str, path: str, query: str, fields: dict[str, str], *, version: str = "HTTP/1.1"
    ) -> None:
        self.method = method
        self.path = path
        self.query = query
        self.target = path
        self.version = version
        self.fields = fields
        self.address = ""
        self.port = 0
        self.arrival = UNKNOWN
        self.secure = False
        self.keep_alive = version == "HTTP/1.1"
        self.body = b""
        self.state: object = None

    def field(self, name: str) -> str:
        """Return a header field, empty where there is none. `name` is written in small letters."""
        return self.fields.get(name, "")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not served; an application says it in its own form (`Application.refuse`).

    Attributes:
        status: The HTTP status.
        part: What of the request is wrong: `head`, `body`, or a header field; empty where the fault is ours.
        reason: What is wrong with it.
        headers: Header fields of the answer.
    """

    status: int
    part: str
    reason: str
    headers: tuple[tuple[str, str], ...] = ()


class Refused(Exception):  # noqa: N818 - it is the client's request that is wrong
    """A request that cannot be served."""

    def __init__(self, status: int, part: str, reason: str, headers: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(status)
        self.refusal = Refusal(status, part, reason, headers)
