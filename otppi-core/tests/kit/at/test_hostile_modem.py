"""Whatever a modem says: no error comes out but those of the contract, none of them quotes it, and nothing grows."""

import random
from collections.abc import Callable
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otppi.api.errors import ModemLost, NotDone, NotSent, NotSupported, Rejected, Unconfirmed
from otppi.api.events import DeliveryReport, InboundPart
from otppi.api.message import OutgoingMessage
from otppi.api.modem import ModemContext, ModemIdentity
from otppi.api.sim import SimAction
from otppi.kit.at.channel import AtChannel, AtTimeout
from otppi.kit.at.chores import NetworkWatch
from otppi.kit.at.inbound import read_inbound
from otppi.kit.at.inbox import AtInbox
from otppi.kit.at.late_results import LateResults
from otppi.kit.at.modem import AtModem
from otppi.kit.at.pin_memory import PinMemory
from otppi.kit.at.port import Port
from otppi.kit.at.sim import CPINR, SimTool, sim_state
from otppi.kit.at.smsc import SmscKeeper
from otppi.kit.at.start import Profile, look
from otppi.kit.at.ussd import Ussd
from otppi.testing.scripted import RecordedEvents
from otppi.wire.address import Address
from otppi.wire.at import Noise, Urc
from otppi.wire.at_tables import PROBES
from otppi.wire.errors import AtError
from otppi.wire.segment import segment
from otppi.wire.tpdu import SmsDeliver
from otppi.wire.ussd import UssdForm, UssdLine, parse, text_of

SECRET = "K0DE-RAHASIA"
CONTRACT = (ModemLost, NotDone, NotSupported, AtTimeout)
MANY = "9" * 5000
DELIVER = "00" + SmsDeliver(Address.parse("+6281200000001"), None, segment(f"{SECRET} 1234")[0]).encode().hex().upper()
PARTS = ["00" + SmsDeliver(Address.parse("1234"), None, one).encode().hex() for one in segment(SECRET * 20)]
REPORT = "000617098121436587F900000000000000000000000000000000"
LENGTH = len(DELIVER) // 2 - 1

NUMBERS = st.one_of(st.sampled_from(["0", "1", "17", "255", "-1", "", MANY, "٣", "4294967296"]), st.integers().map(str))
PDUS = st.one_of(
    st.sampled_from([DELIVER, DELIVER[:-1], DELIVER[:20], REPORT, *PARTS, "", "00", "FF" * 200, "OK", "> ", "ERROR"]),
    st.binary(max_size=60).map(bytes.hex),
    st.builds(
        lambda pdu, place, octet: pdu[: 2 * place] + f"{octet:02X}" + pdu[2 * place + 2 :],
        st.sampled_from([DELIVER, REPORT, *PARTS]),
        st.integers(0, 60),
        st.integers(0, 255),
    ),
)
MEMORIES = st.sampled_from(["SM", "ME", "SR", "MT", "BM", "", "é", "X" * 300, "٣"])
TEXTS = st.one_of(
    st.text(max_size=30), PDUS, st.sampled_from([f'{SECRET}"', "OK", "\nOK\n", '",15', "00480061", "DFFF"])
)
SPOKEN = st.one_of(
    st.builds('+CMTI: "{}",{}'.format, MEMORIES, NUMBERS),
    st.builds('+CDSI: "{}",{}'.format, MEMORIES, NUMBERS),
    st.builds("+CMT: ,{}\r\n{}".format, NUMBERS, PDUS),
    st.builds("+CMT: {}\r\n".format, TEXTS),
    st.builds("+CDS: {}\r\n{}".format, NUMBERS, PDUS),
    st.builds('+CUSD: {},"{}",{}'.format, NUMBERS, TEXTS, NUMBERS),
    st.builds('+CUSD: {},"{}'.format, NUMBERS, TEXTS),
    st.builds("+CMGL: {},{},,{}\r\n{}".format, NUMBERS, NUMBERS, NUMBERS, PDUS),
    st.builds("+CMGR: {},,{}\r\n{}".format, NUMBERS, NUMBERS, PDUS),
    st.builds("+CPMS: {},{},{},{}".format, NUMBERS, NUMBERS, NUMBERS, NUMBERS),
    st.builds('+CPMS: ("{}","{}"),("SM")'.format, MEMORIES, MEMORIES),
    st.builds("+CMGS: {}".format, NUMBERS),
    st.builds("+CPINR: SIM {},{}".format, st.sampled_from(["PIN", "PUK"]), NUMBERS),
    st.builds("+CSMS: {}".format, NUMBERS),
    st.builds("+CPIN: {}".format, st.one_of(TEXTS, st.sampled_from(["READY", "SIM PIN", "SIM PUK"]))),
    st.builds("+CSQ: {},99".format, NUMBERS),
    st.builds("+CREG: 0,{}".format, st.sampled_from(["1", "5", MANY])),
    st.builds('+CSCA: "{}",145'.format, TEXTS),
    st.builds('+COPS: 0,{},"{}"'.format, NUMBERS, TEXTS),
    st.sampled_from(["> ", "RING", '^SMMEMFULL: "SM"', SECRET, "x" * 9000, "+CMT:", "+CUSD:", "\x1a", "\0"]),
    st.binary(max_size=30).map(lambda raw: raw.decode("latin-1")),
)
FINALS = st.sampled_from(
    ["OK", "OK", "OK", "ERROR", "+CMS ERROR: 321", f"+CMS ERROR: {MANY}", "+CME ERROR: 4", f"+CME ERROR: {SECRET}", ""]
)
REPLIES = st.lists(st.tuples(st.lists(SPOKEN, max_size=4), FINALS), min_size=1, max_size=25)


def quotes_nothing(error: Exception) -> None:
    assert SECRET not in f"{error!r}{error}"


class HostilePort:
    """Answers each line with the next of its replies, in pieces of one size; then it is gone."""

    path = "/dev/hostile"

    def __init__(self, replies: list[tuple[list[str], str]], size: int = 4096) -> None:
        self._replies = [
            "".join(f"\r\n{line}\r\n" for line in (*spoken, final) if line).encode("utf-8", "surrogatepass")
            for spoken, final in replies
        ]
        self._size = size
        self._coming = b""
        self.written: list[bytes] = []

    def write(self, data: bytes, timeout: float = 10.0) -> None:
        self.written.append(data)
        if not self._replies:
            raise ModemLost("it is gone")
        self._coming += self._replies.pop(0)

    def read(self, timeout: float, *, may_wake: bool = False) -> bytes:
        if not self._coming:
            raise ModemLost("it is gone")
        data, self._coming = self._coming[: self._size], self._coming[self._size :]
        return data


class Dialogue:
    """A channel to a hostile modem, whose every event goes to the chores."""

    def __init__(self, replies: list[tuple[list[str], str]], *chores: Any, size: int = 4096) -> None:
        self.port = HostilePort(replies, size)
        self._chores = chores
        self.channel = AtChannel(cast("Port", self.port), self._heard)

    def _heard(self, event: Urc | Noise) -> None:
        any(chore.heard(event) for chore in self._chores)

    def attempt(self, act: Callable[[], object]) -> bool:
        """Whether it went well; no error but those of the contract, and none that quotes what was said."""
        try:
            if not self.channel.synchronised:
                self.channel.synchronise()
            act()
        except CONTRACT as error:
            quotes_nothing(error)
            return not isinstance(error, ModemLost)
        return True


FUZZ = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


@FUZZ
@given(REPLIES, st.sampled_from([1, 7, 4096]), st.booleans())
def test_inbox_watch_and_smsc_bear_everything(replies: list[tuple[list[str], str]], size: int, holding: bool) -> None:
    events = RecordedEvents()
    events.holding = holding
    inbox, late = AtInbox(events, Profile()), LateResults(events)
    watch, smsc, ussd = NetworkWatch(), SmscKeeper(""), Ussd(events, tuple(UssdForm))
    late.expect("one")
    dialogue = Dialogue(replies, smsc, watch, ussd, inbox, late, size=size)
    going = dialogue.attempt(lambda: inbox.opened(dialogue.channel, ModemIdentity()))
    for step in (
        lambda: smsc.opened(dialogue.channel, look(dialogue.channel, ModemIdentity(smsc="+62é"))),
        lambda: ussd.send(dialogue.channel, "*100#"),
        *(lambda: inbox.work(dialogue.channel),) * 20,
        lambda: inbox.make_room(dialogue.channel),
    ):
        going = going and dialogue.attempt(step)
    inbox.closed()
    for part in events.parts:  # what comes out can be written as JSON
        part.originator.encode()
    for name, reference in events.late:
        assert (name, reference & 0xFF) == ("one", reference)


@FUZZ
@given(REPLIES, st.sampled_from(SimAction))
def test_the_sim_tool_bears_everything(
    tmp_path_factory: pytest.TempPathFactory, replies: list[tuple[list[str], str]], action: SimAction
) -> None:
    dialogue = Dialogue(replies)
    tool = SimTool(dialogue.channel, (CPINR,), PinMemory(tmp_path_factory.getbasetemp(), "m0"), "1234")
    going = dialogue.attempt(tool.status)
    if going:
        dialogue.attempt(lambda: tool.change(action, "1234", "12345678"))
    assert all(line.isascii() for line in dialogue.port.written)


@FUZZ
@given(st.one_of(TEXTS, st.builds("+CMT: ,{}".format, NUMBERS)), PDUS)
def test_any_line_with_a_pdu_is_a_message_or_a_report(header: str, pdu: str) -> None:
    came = read_inbound(header, pdu)
    if isinstance(came, InboundPart):
        assert 1 <= came.number <= came.total <= 255
        came.originator.encode()
        assert came.text not in repr(came) or len(came.text) < 4
    else:
        assert isinstance(came, DeliveryReport)
        assert 0 <= came.reference <= 255


@FUZZ
@given(st.one_of(SPOKEN, st.text(max_size=60)), st.sampled_from(UssdForm))
def test_any_ussd_line_is_read_or_refused(line: str, form: UssdForm) -> None:
    try:
        read = parse(line)
    except AtError as error:
        quotes_nothing(error)
        return
    assert SECRET not in repr(read)
    text_of(read, form).encode("utf-16-be", "surrogatepass")


@FUZZ
@given(TEXTS, st.one_of(st.none(), st.integers(0, 999)), st.sampled_from(UssdForm))
def test_any_ussd_text_is_read(raw: str, dcs: int | None, form: UssdForm) -> None:
    assert text_of(UssdLine(0, raw, dcs), form).isprintable() is not None


# -- a whole driver ----------------------------------------------------------------------------------------------------


class RudePort(HostilePort):
    """Knows its commands, but says other things too, and now and then ends a command in its own way."""

    def __init__(self, replies: list[tuple[list[str], str]]) -> None:
        super().__init__(replies)
        self.closed = False

    def write(self, data: bytes, timeout: float = 10.0) -> None:
        line = data.decode("ascii").strip()
        spoken, final = "", "OK"
        if self._replies:
            *said, final = self._replies.pop(0).decode("utf-8", "replace").rsplit("\r\n\r\n", 1)
            spoken, final = "".join(said), final.strip() or "OK"
        known = next((answer for start, answer in _ANSWERS.items() if line.startswith(start)), "")
        prompt = "\r\n> " if line.startswith("AT+CMGS") and final == "OK" else f"\r\n{final}\r\n"
        if not line.startswith("\x1b"):
            self._coming += f"{spoken}\r\n{known}\r\n{prompt}".encode()
        self.written.append(data)

    def read(self, timeout: float, *, may_wake: bool = False) -> bytes:
        return super().read(timeout, may_wake=may_wake) if self._coming or len(self.written) > 200 else b""

    def write_in_chunks(self, size: int, pause: float) -> None: ...

    def close(self) -> None:
        self.closed = True


_ANSWERS = {line: f"{prefix} READY" for line, prefix in PROBES} | {
    "AT+CPIN?": "+CPIN: READY",
    "AT+CREG?": "+CREG: 0,1",
    "AT+CMGL": f"+CMGL: 1,1,,{LENGTH}\r\n{DELIVER}",
    "AT+CPMS": "+CPMS: 1,20,1,20,1,20",
    "00": "+CMGS: 17",
}
OUTCOMES = (NotSent, Rejected, Unconfirmed, NotDone, NotSupported)


@FUZZ
@given(REPLIES, st.lists(st.sampled_from(["send", "idle", "ussd", "cancel", "status"]), max_size=8))
def test_a_driver_ends_every_act_as_its_contract_says(
    tmp_path_factory: pytest.TempPathFactory, replies: list[tuple[list[str], str]], acts: list[str]
) -> None:
    port, events = RudePort(replies), RecordedEvents()
    values = {"name": "m0", "port": "x", "baud_rate": 1, "sim_card_pin": "", "sms_center": ""}
    quick = {"prompt_timeout": 0.01, "result_timeout": 0.01}
    modem = AtModem(ModemContext(values | quick, tmp_path_factory.getbasetemp(), events))
    message = OutgoingMessage("m", "6281200000001", SECRET, 600.0)
    do: dict[str, Callable[[], object]] = {
        "open": modem.open,
        "send": lambda: modem.send(message),
        "idle": lambda: modem.idle(0.0),
        "ussd": lambda: modem.ussd("*100#"),
        "cancel": modem.cancel_ussd,
        "status": modem.sim_status,
    }
    patiently = AtChannel._wait
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("otppi.kit.at.modem.Port", lambda *_: port)
        for name in (
            "channel._PROBE_TIMEOUT",
            "channel._QUIET",
            "inbox._ROOM_TIME",
            "start._SIM_BUSY_LONGEST",
        ):
            patch.setattr(f"otppi.kit.at.{name}", 0.01)
        patch.setattr(sim_state, "__defaults__", (0.01,))
        patch.setattr(AtChannel, "_wait", lambda channel, timeout, *more: patiently(channel, min(timeout, 0.01), *more))
        for act in ("open", *acts):
            try:
                do[act]()
            except OUTCOMES as error:
                quotes_nothing(error)
        modem.close()
    assert port.closed
    assert len(message.progress.references) <= 1


# -- nothing grows -----------------------------------------------------------------------------------------------------


def test_names_of_what_nobody_holds_are_bounded() -> None:
    inbox = AtInbox(RecordedEvents(), Profile())
    for number in range(3_000):
        inbox._offer("SM", number, DELIVER)
    assert len(inbox._offers) == 1000
    assert inbox._offer("SM", 2_999, DELIVER) == inbox._offer("SM", 2_999, DELIVER)


def test_announcements_of_places_without_end_are_bounded() -> None:
    inbox = AtInbox(RecordedEvents(), Profile())
    for number in range(20_000):
        inbox.heard(Urc("+CMTI", f'+CMTI: "SM",{number}'))
        inbox.heard(Urc("+CMTI", f'+CMTI: "M{number}",1'))
    assert len(inbox._places) <= 1000


def test_a_memory_of_a_thousand_million_places_is_read_in_part() -> None:
    replies: list[tuple[list[str], str]] = [([], "OK")] * 4 + [
        (['+CPMS: "SM"'], "OK"),
        (["+CPMS: 0,999999999,0,999999999"], "OK"),
        ([], "ERROR"),
    ]
    inbox = AtInbox(RecordedEvents(), Profile(cnmi=("AT+CNMI=2,1,0,1,0", "AT+CNMI=2,1")))
    dialogue = Dialogue(replies, inbox)
    dialogue.attempt(lambda: inbox.opened(dialogue.channel, ModemIdentity()))
    inbox._lists = False
    inbox._capacity = min(inbox._capacity, 10**6)  # so that the test fails, and not the machine
    inbox._scans = {inbox._selected: None}
    dialogue.attempt(lambda: inbox.work(dialogue.channel))
    assert len(inbox._places) <= 1100


def test_results_that_never_come_are_not_all_remembered() -> None:
    events = RecordedEvents()
    late = LateResults(events)
    for number in range(10_000):
        late.expect(str(number))
    assert len(late._outstanding) <= 2
    assert late.heard(Noise("+CMGS: 5"))
    assert events.late == []  # nobody knows which is meant


def test_random_bytes_by_the_megabyte() -> None:
    events = RecordedEvents()
    inbox, ussd = AtInbox(events, Profile()), Ussd(events, (UssdForm.PLAIN,))
    noise = random.Random(4)
    dialogue = Dialogue([(["x"], "")], ussd, inbox)
    dialogue.port._coming = b"".join(
        noise.choice([b"+CMT: ,20\r\n", b'+CUSD: 1,"', b"\r\n", b'+CMTI: "SM",', b"OK\r", noise.randbytes(20)])
        for _ in range(100_000)
    )
    while dialogue.attempt(lambda: dialogue.channel.listen(0.0)):
        pass
    assert len(inbox._routed) <= 1000
    assert len(inbox._places) <= 1000
