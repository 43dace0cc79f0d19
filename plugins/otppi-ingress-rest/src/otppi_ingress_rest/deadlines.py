"""How long the gate waits for clients."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long the gate waits for clients, in seconds."""

    handshake: float = 10.0
    head: float = 10.0
    body: float = 30.0
    body_progress: float = 5.0
    keep_alive: float = 60.0
    write: float = 30.0
    linger: float = 2.0
    stop: float = 5.0
    """How long running requests may go on waiting for modems when the gate is being stopped."""
