"""What a server serves: an application answers requests, and says refusals in its own form."""

from typing import Protocol

from otppi.web.request import Refusal, Request
from otppi.web.response import Response


class Application(Protocol):
    """What answers the requests of a server."""

    def body_limit(self, request: Request) -> int:
        """Return how many octets the body may have, by the request's head; quick: on the thread of all connections."""

    def recognises(self, request: Request) -> bool:
        """Return whether it is known who sends this request; quick: on the thread of all connections.

        Requests of others get two of the threads that work at the same time, and never keep those of known senders
        waiting.
        """

    def respond(self, request: Request) -> Response:
        """Answer a request, on a thread of the workers; what may take long is wrapped in `HttpServer.waiting`.

        Raises:
            Postponed: Not yet: it is asked again when what it lacks is there.
            Refused: It is not served; the connection goes on.
        """

    def refuse(self, refusal: Refusal) -> Response:
        """Return why a request is not served: it cannot be read (4xx), a fault of ours (500), or no thread (503).

        Any thread; must be quick, and not raise. Its connection is closed.
        """
