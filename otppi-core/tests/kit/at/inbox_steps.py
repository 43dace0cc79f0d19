"""What tests of a modem's inbox do with its driver and its memories."""

import time
from collections.abc import Callable
from typing import Any

from otppi.simulator.sim import StoredSms, StoredStatus
from otppi.testing.scripted import until
from otppi.wire.address import Address
from otppi.wire.segment import segment
from otppi.wire.tpdu import SmsDeliver

MakeDriver = Callable[..., Any]
LONG = "Kode Anda 123456. " * 20
PENDING = 0x30


def work(driver: Any, condition: Callable[[], object], what: str = "") -> None:
    """Let the driver idle until something holds."""

    def step() -> object:
        driver.modem.idle(0.01)
        return condition()

    until(step, what)


def settle(driver: Any) -> None:
    """Let the driver do all that is due now."""
    work(driver, lambda: driver.modem._inbox.due > time.monotonic() + 1, "nothing is due")


def poll(driver: Any) -> None:
    """Let a minute pass for the inbox."""
    driver.modem._inbox._next_poll = driver.modem._inbox.due = time.monotonic()
    settle(driver)


def texts(driver: Any) -> list[str]:
    return [part.text for part in driver.events.parts]


def stored(driver: Any) -> int:
    """Count what is in all memories."""
    return sum(len(memory.messages) for memory in driver.peer._peer.sim.memories.values())


def put(driver: Any, memory: str, place: int, pdu: str, status: StoredStatus = StoredStatus.UNREAD) -> None:
    driver.peer._peer.sim.memories[memory].messages[place] = StoredSms(pdu, len(pdu) // 2 - 1, status)


def deliver_line(text: str = "a text", originator: str = "+6281200000001") -> str:
    tpdu = SmsDeliver(Address.parse(originator), None, segment(text)[0]).encode()
    return "00" + tpdu.hex().upper()
