"""Whatever a modem says between its lines, and whichever of them it loses: what nobody has got is never deleted."""

from dataclasses import dataclass, field
from typing import cast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from otppi.api.errors import ModemLost
from otppi.api.events import InboundPart
from otppi.api.modem import ModemIdentity
from otppi.kit.at.channel import AtChannel
from otppi.kit.at.inbox import AtInbox
from otppi.kit.at.port import Port
from otppi.kit.at.start import Profile
from otppi.testing.scripted import RecordedEvents
from otppi.wire.address import Address
from otppi.wire.at import Noise, Urc
from otppi.wire.segment import segment
from otppi.wire.tpdu import SmsDeliver


def line(text: str) -> str:
    """Each text has its own length, so that where lines are lost between two of them the header tells."""
    tpdu = SmsDeliver(Address.parse("+6281200000001"), None, segment(text)[0]).encode()
    return "00" + tpdu.hex().upper()


PLACES = 6
TEXTS = {place: "Kode " + "x" * 8 * place for place in range(1, PLACES + 1)}
JUNK = st.sampled_from(
    ["", "_OUWCTI: 4", "^RSSI: 18", "+CREG: 1", "RING", "x", '+CUSD: 0,"Line', "+CMT: ,24", "7" * 15]
)
HEADERS = st.sampled_from(["+CMGL: {},1,,{}", "{},1,,{}", "+CMGL: {},,,{}", "+CMGL: {}"])


@dataclass
class Memory:
    """A modem with messages: it answers on its port, and loses or adds the lines that it is told to."""

    header: str
    lost: list[int]
    junk: list[tuple[int, str]]
    path: str = "/dev/flaky"
    kept: dict[int, str] = field(default_factory=lambda: {place: line(text) for place, text in TEXTS.items()})
    deleted: list[int] = field(default_factory=list)
    _coming: bytes = b""

    def write(self, data: bytes, timeout: float = 10.0) -> None:
        said = self._answer(data.decode("ascii").strip())
        if self.lost and data.startswith(b"AT+CMG"):
            said = [one for number, one in enumerate(said) if number not in self.lost]
            self.lost = []
        for place, junk in self.junk:
            said.insert(min(place, len(said)), junk)
        self.junk = self.junk[1:]
        self._coming += "".join(f"\r\n{one}\r\n" for one in (*said, "OK")).encode()

    def _answer(self, asked: str) -> list[str]:
        name, _, number = asked.partition("=")
        place = int(number) if number.isdigit() else 0
        if name == "AT+CMGL":
            pairs = ((self.header.format(place, len(pdu) // 2 - 1), pdu) for place, pdu in self.kept.items())
            return [one for pair in pairs for one in pair]
        if name == "AT+CMGR" and place in self.kept:
            return [f"+CMGR: ,,{len(self.kept[place]) // 2 - 1}", self.kept[place]]
        if name == "AT+CMGD" and place in self.kept:
            del self.kept[place]
            self.deleted.append(place)
        return ['+CPMS: ("SM"),("SM"),("SM")'] if asked == "AT+CPMS=?" else []

    def read(self, timeout: float, *, may_wake: bool = False) -> bytes:
        data, self._coming = self._coming, b""
        if not data and timeout > 1:  # an OK was lost: not here
            raise ModemLost("it is gone")
        return data


@settings(max_examples=100)
@example("+CMGL: {},1,,{}", [0, 1, 2, 4], [(0, "")] * 8 + [(1, "_OUWCTI: 4"), (1, "+CMT: ,24")])
@example("+CMGL: {},1,,{}", [], [(0, "")] * 7 + [(3, "^RSSI: 18"), (3, "_OUWCTI: 4"), (1, '+CUSD: 0,"Line')])
@given(
    HEADERS,
    st.lists(st.integers(0, 2 * PLACES), max_size=5, unique=True),
    st.lists(st.tuples(st.integers(0, 2 * PLACES), JUNK), max_size=12),
)
def test_what_nobody_has_got_is_never_deleted(header: str, lost: list[int], junk: list[tuple[int, str]]) -> None:
    memory, events = Memory(header, lost, junk), RecordedEvents()
    inbox = AtInbox(events, Profile())

    def heard(event: Urc | Noise) -> None:
        inbox.heard(event)

    channel = AtChannel(cast("Port", memory), heard)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("otppi.kit.at.channel._SILENCE", 0.0)
        inbox.opened(channel, ModemIdentity())
        for _ in range(60):
            inbox.work(channel)
            got = {part.text for part in events.parts if isinstance(part, InboundPart)}
            assert {TEXTS[place] for place in memory.deleted} <= got
    assert memory.kept == {}, "and in the end everything is handed on and deleted"
