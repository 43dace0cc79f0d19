"""Whatever comes, in whatever pieces, under whatever faults: the peer goes on."""

from hypothesis import given, settings
from hypothesis import strategies as st

from otppi.simulator import FAULTS, VENDORS, ModemPeer, ModemProfile
from otppi.simulator.commands import COMMANDS
from otppi.simulator.vendor_commands import VENDOR_COMMANDS
from otppi.testing.terminal import Terminal

PIECES = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(
        [b"ATD*99#\r", b"+++", b"ATO\r", b"ATH\r", b'AT+CUSD=1,"*100#",15\r', b"AT+CSMS=1;+CNMI=0,2,0,1\r"]
    ),
    st.sampled_from([b"\r", b"\x1a", b"\x1b", b"AT", b"AT+CMGS=19\r", b"0001000D91261802000000F1000004D4F29C0E\x1a"]),
    st.builds(
        lambda name, rest: f"AT{name}{rest}\r".encode("latin-1", "replace"),
        st.sampled_from(sorted(COMMANDS | VENDOR_COMMANDS)),
        st.text('=?0123456789,"ABC*#', max_size=12),
    ),
)


@settings(max_examples=300)
@given(
    pieces=st.lists(PIECES, max_size=20),
    faults=st.lists(st.sampled_from(sorted(FAULTS)), max_size=3),
    profile=st.sampled_from([ModemProfile(), *VENDORS.values()]),
)
def test_it_goes_on(pieces: list[bytes], faults: list[str], profile: ModemProfile) -> None:
    terminal = Terminal(ModemPeer(profile))
    for fault in faults:
        terminal.peer.inject(fault, terminal.now)
    for piece in pieces:
        terminal.peer.deliver("1234", "x", terminal.now)
        terminal.type(piece, 0.05)
    terminal.peer.heal()
    terminal.listen(60.0)
    terminal.peer.unplug(terminal.now)
    terminal.peer.plug(terminal.now)
    assert terminal.ask("ATE0")[-1] == "OK"
