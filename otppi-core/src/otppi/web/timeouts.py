"""How long the server waits for clients."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long the server waits for clients, in seconds.

    Attributes:
        handshake: For the TLS handshake.
        head: For the first request, and for the head of one that has begun.
        body: For the body.
        body_progress: For the next octet of the body.
        keep_alive: For the next request.
        write: For the client to take what was written; of an answer in parts, each of them.
        linger: For the client to close its half.
        stop: For running requests to end when the server is being stopped.
    """

    handshake: float = 10.0
    head: float = 10.0
    body: float = 30.0
    body_progress: float = 5.0
    keep_alive: float = 60.0
    write: float = 30.0
    linger: float = 2.0
    stop: float = 5.0
