"""Owns what a simulated modem's memories are filled with, and the message that comes at a bad moment."""

from datetime import UTC, datetime

from otppi.simulator.answers import render
from otppi.simulator.arrival import MESSAGE
from otppi.simulator.device import SimulatedDevice
from otppi.simulator.inbox import memory_of, stored
from otppi.simulator.sim import StoredStatus
from otppi.wire.address import Address
from otppi.wire.segment import segment
from otppi.wire.tpdu import SmsDeliver, SmsSubmit


def fill(peer: SimulatedDevice, now: float) -> None:
    """Fill the memory that messages come to with old ones, so that nothing more can come in."""
    name = memory_of(peer, MESSAGE)
    memory = peer.sim.memories[name]
    while not memory.full:
        memory.store(stored(peer, _sample(), StoredStatus.READ))
    peer.emit(render([peer.profile.full_urc.format(memory=name)]), now)


def fill_to_be_sent(peer: SimulatedDevice) -> None:
    """Fill the memory that messages come to with messages that another program has stored before it sent them."""
    memory = peer.sim.memories[memory_of(peer, MESSAGE)]
    while not memory.full:
        sent = len(memory.messages) % 2 == 0
        submit = SmsSubmit(destination=Address.parse("+6281200000001"), user_data=segment("draft")[0])
        memory.store(stored(peer, submit.encode(), StoredStatus.SENT if sent else StoredStatus.UNSENT))


def routed_sample(peer: SimulatedDevice) -> bytes:
    """Return a +CMT line with its PDU, as a message makes it that comes at a bad moment."""
    sms = stored(peer, _sample(), StoredStatus.UNREAD)
    return render([f"{MESSAGE.routed}{sms.length}\r\n{sms.pdu}"])


def _sample() -> bytes:
    part = segment("OK")[0]
    return SmsDeliver(originator=Address.parse("1234"), timestamp=datetime.now(UTC), user_data=part).encode()
