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

    def is_quick(self, request: Request) -> bool:
        """Return whether `respond` takes well below a millisecond, and waits for nothing: no card, network or hash.

        Such a request is answered on the thread of all connections, which asks this, too: to hand it to a worker costs
        as much as its answer. Where `respond` finds that it is not quick after all, it raises `Postponed`. Where in
        doubt, say no: while it is answered, the server does nothing else.
        """

    def respond(self, request: Request) -> Response:
        """Answer a request, on a thread of the workers; what may take long is wrapped in `HttpServer.waiting`.

        A quick request is answered on the thread of all connections, where nothing may wait.

        Raises:
            Postponed: Not yet: it is asked again when what it lacks is there.
            Refused: It is not served; the connection goes on.
        """

    def refuse(self, refusal: Refusal, path: str) -> Response:
        """Return why a request is not served: it cannot be read (4xx), a fault of ours (500), or no thread (503).

        `path` is what it asks for, empty where that cannot be read: programs and people are told in different forms.

        Any thread; must be quick, and not raise. Its connection is closed.
        """
