"""Whatever comes, in whatever pieces, under whatever faults: the peer goes on."""

from hypothesis import given, settings
from hypothesis import strategies as st

from otppi.testing.modem import FAULTS, ModemPeer
from otppi.testing.modem.commands import COMMANDS
from otppi.testing.modem.terminal import Terminal

PIECES = st.one_of(
    st.binary(max_size=40),
    st.sampled_from([b"\r", b"\x1a", b"\x1b", b"AT", b"AT+CMGS=19\r", b"0001000D91261802000000F1000004D4F29C0E\x1a"]),
    st.builds(
        lambda name, rest: f"AT{name}{rest}\r".encode("latin-1", "replace"),
        st.sampled_from(sorted(COMMANDS)),
        st.text('=?0123456789,"ABC*#', max_size=12),
    ),
)


@settings(max_examples=300, deadline=None)
@given(pieces=st.lists(PIECES, max_size=20), faults=st.lists(st.sampled_from(sorted(FAULTS)), max_size=3))
def test_it_goes_on(pieces: list[bytes], faults: list[str]) -> None:
    terminal = Terminal(ModemPeer())
    for fault in faults:
        terminal.peer.inject(fault, terminal.now)
    for piece in pieces:
        terminal.type(piece, 0.05)
    terminal.peer.heal()
    terminal.listen(60.0)
    terminal.peer.unplug(terminal.now)
    terminal.peer.plug(terminal.now)
    assert terminal.ask("ATE0")[-1] == "OK"
