"""A bench with a modem and one-time passwords whose clock a test moves."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from otppi.api.ingress import Origin, Sender
from otppi.api.message import State
from otppi.host.messages.refusal import NotAccepted
from otppi.host.otp.book import CodeBook
from otppi.host.otp.one_time import OneTimePasswords, Verification
from otppi.host.otp.settings import OTP
from otppi.host.records.record import Record
from otppi.host.storage.sealed import SealedFile
from otppi.testing.bench import DispatchBench
from otppi.testing.scripted import ScriptedModem
from otppi.testing.values import values_of
from otppi.wire.envelope import Item, ResponseCode

APP = Origin("ingress-rest", Sender("app"))
OTHER = Origin("ingress-rest", Sender("other"))
BROKER = Origin("ingress-broker", Sender("app"), kept_by_source=True)
AGAIN = Origin("ingress-broker", Sender("app"), kept_by_source=True, redelivered=True)
NUMBER = "6281200000001"
KEY = b"k" * 32
OK, WRONG, EXPIRED, TOO_MANY = (
    ResponseCode.SUCCESS,
    ResponseCode.WRONG_OTP,
    ResponseCode.EXPIRED,
    ResponseCode.TOO_MANY,
)


class OtpBench:
    """A bench with a modem and one-time passwords whose clock a test moves."""

    def __init__(self, bench: DispatchBench, file: Path, **values: Any) -> None:
        self.bench = bench
        self.file = file
        self.values = values_of(OTP, **values)
        self.ahead = 0.0
        self.modem: ScriptedModem = bench.modems.get("m0") or bench.add("m0")
        self.passwords = self._open()

    def _open(self) -> OneTimePasswords:
        sealed = SealedFile(self.file, KEY)
        otp = OneTimePasswords(self.values, self.bench.dispatch, KEY, CodeBook(sealed), self.now)
        otp.restore()
        self.told = otp.subscribe_to(self.bench.events)
        return otp

    def restart(self) -> None:
        """Go on as after a kill: what is known is what is in the file."""
        self.passwords.close()
        self.hear_nothing()
        self.passwords = self._open()

    def hear_nothing(self) -> None:
        for one in self.told:
            one.end()

    def now(self) -> float:
        return time.monotonic() + self.ahead

    def use(self, **values: Any) -> None:
        self.values = values_of(OTP, **{**self.values, **values})
        self.passwords.configure(self.values)

    def ask(
        self,
        reference: str = "login",
        receiver: str = NUMBER,
        *,
        origin: Origin = APP,
        client_id: str | None = None,
        **more: Any,
    ) -> Record:
        item = Item(id=client_id, receiver=receiver, reference=reference, message="Kode %s", **more)
        draft = self.passwords.draft(item)
        assert draft.item.expiration is not None
        record = Record.of(origin, client_id, receiver, draft.item.message, float(draft.item.expiration))
        if client_id is not None or origin.kept_by_source:
            record.digest = b"of the text"
        return self.passwords.submit(draft, record)

    def request(self, reference: str = "login", receiver: str = NUMBER, **more: Any) -> str:
        """Request a code, and give it as the receiver reads it."""
        record = self.ask(reference, receiver, **more)
        assert self.bench.end(record) == (State.SENT,)
        (text,) = [sent.text for sent in self.bench.outbox[-1:] if sent.destination == receiver]
        return text.removeprefix("Kode ")

    def verify(
        self, otp: str, reference: str = "login", receiver: str | None = NUMBER, *, origin: Origin = APP, **more: Any
    ) -> Verification:
        return self.passwords.verify(Item(reference=reference, otp=otp, **more), receiver, origin)

    def count(self, name: str) -> float:
        return self.passwords.counters()["otp_total"][f'result="{name}"']

    @property
    def open(self) -> float:
        return self.passwords.counters()["otp_open"][""]


@pytest.fixture
def make_otp(make_bench: Callable[..., DispatchBench], tmp_path: Path) -> Iterator[Callable[..., OtpBench]]:
    made: list[OtpBench] = []

    def make(**values: Any) -> OtpBench:
        made.append(OtpBench(make_bench(), tmp_path / f"otp-{len(made)}", **values))
        return made[-1]

    yield make
    for one in made:
        one.passwords.close()
        one.hear_nothing()


@pytest.fixture
def otp(make_otp: Callable[..., OtpBench]) -> OtpBench:
    return make_otp(resend_interval=60)


def wrong_of(code: str) -> str:
    return str((int(code) + 1) % 1_000_000).zfill(6)


def refusal(call: Callable[[], object]) -> NotAccepted:
    with pytest.raises(NotAccepted) as caught:
        call()
    return caught.value
