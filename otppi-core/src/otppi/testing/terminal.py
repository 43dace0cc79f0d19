"""Owns a hand at the modem's line for tests without I/O: it types, reads, and moves a made-up clock."""

from otppi.simulator.peer import ModemPeer
from otppi.wire.address import Address
from otppi.wire.segment import segment
from otppi.wire.tpdu import SmsSubmit, pdu_line


class Terminal:
    """Talks to a peer as a patient person does, under a clock that jumps to whatever is due next.

    Args:
        peer: the modem.

    Attributes:
        now: the made-up time, in seconds; it starts at 1,000.
    """

    def __init__(self, peer: ModemPeer) -> None:
        self.peer = peer
        self.now = 1_000.0

    def type(self, data: bytes, seconds: float = 1.0) -> bytes:
        """Write bytes and return what comes within that time."""
        self.peer.receive(data, self.now)
        return self.listen(seconds)

    def listen(self, seconds: float = 1.0) -> bytes:
        """Return what comes within that time."""
        end = self.now + seconds
        out = self.peer.advance(self.now)
        while self.peer.next_due <= end:
            self.now = self.peer.next_due
            out += self.peer.advance(self.now)
        self.now = end
        return out

    def ask(self, command: str, seconds: float = 1.0) -> list[str]:
        """Type a command and return the lines of what comes, without the empty ones."""
        answer = self.type(command.encode() + b"\r", seconds).decode("latin-1")
        return [line for line in answer.replace("\r", "\n").split("\n") if line]

    def send(self, text: str, receiver: str = "+6281200000001", *, report: bool = False, seconds: float = 1.0) -> str:
        """Send an SMS, in parts if it is long, and return everything that comes from the first Ctrl-Z on."""
        answer = ""
        for part in segment(text):
            submit = SmsSubmit(Address.parse(receiver), part, status_report_request=report)
            pdu, length = pdu_line(submit)
            self.type(f"AT+CMGS={length}\r".encode(), 0.0)
            answer += self.type(pdu.encode() + b"\x1a", seconds).decode("latin-1")
        return answer
