"""How a record is written down: as itself in each of the four places, and as earlier versions did."""

import ast
import json
import time
from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import otppi.host
from otppi.api.ingress import Callback, Origin, Sender
from otppi.api.message import State
from otppi.host.records import encoding
from otppi.host.records.encoding import JournalReader, of_noted, of_spooled
from otppi.host.records.record import Content, Record, Status, Words
from otppi.wire.envelope import ResponseCode

HOST = Path(next(iter(otppi.host.__path__)))
ID = "0123456789abcdef"
SECRET, SUBJECT, NUMBER = "Kode 918273", "Kode verifikasi", "6281299998888"
WRITTEN = st.text(max_size=30)


def record(**details: object) -> Record:
    origin = Origin("ingress-x", Sender("app"), "127.0.0.1", Callback("topic", b"\x01", "send-sms"))
    shown = {"receiver_shown": "62812****8888", "subject": SUBJECT, "ends_at": 2_000_000_001.5}
    return Record.of(origin, "4711", NUMBER, SECRET, 2_000_000_000.5, **shown | details)


def read(*lines: str) -> Record:
    reader = JournalReader()
    for line in lines:
        reader.read(line.encode())
    (found,) = reader.records.values()
    return found


# -- what is there comes back ------------------------------------------------------------------------------------------


@given(
    client_id=st.none() | WRITTEN,
    name=WRITTEN,
    cause=st.none() | WRITTEN,
    ends_at=st.none() | st.floats(1e9, 4e9),
    by_source=st.booleans(),
    references=st.lists(st.integers(-1, 255), max_size=5),
)
def test_the_journal_gives_back_what_it_was_told(
    client_id: str | None,
    name: str,
    cause: str | None,
    ends_at: float | None,
    by_source: bool,
    references: list[int],
) -> None:
    origin = Origin(name, Sender(name), kept_by_source=by_source, callback=Callback(name, b"\xff", name))
    one = Record.of(origin, client_id, NUMBER, SECRET, 2e9, ends_at=ends_at, receiver_shown="62812****8888")
    one.digest = bytes(16)
    one.progress.references = references
    one.become(Status(State.SENT, ResponseCode.SUCCESS, cause, name, 2, 1_900_000_000.25))
    found = read(encoding.taken_line(one), encoding.dispatched_line(one), encoding.ended_line(one))
    assert found.status == one.status
    assert (found.message_id, found.digest, found.created) == (one.message_id, one.digest, one.created)
    assert (found.client_id, found.expires, found.ends_at) == (client_id, 2e9, ends_at)
    assert (found.receiver_shown, found.answer_to) == ("62812****8888", (name, Callback(name, b"\xff", name)))
    assert (found.origin.ingress, found.origin.sender, found.origin.kept_by_source) == (name, Sender(name), by_source)
    assert found.progress.references == references
    assert (found.receiver, found.text) == ("62812****8888", None)


def test_the_spool_gives_back_all_that_is_needed_to_send() -> None:
    one = record(bulk=True, flash=True, only="m1", reference="r", destination="Six@example.com")
    kept = of_spooled(3, encoding.spooled(one))
    found = read(encoding.taken_line(one))
    kept.give_back(found)
    for name in (field.name for field in fields(Content)):
        if name != "origin":
            assert getattr(found.content, name) == getattr(one.content, name), name
    assert (found.words, found.slot, found.origin.address) == (one.words, 3, "127.0.0.1")
    assert SECRET not in repr(kept)


@given(WRITTEN, WRITTEN, st.none() | WRITTEN, st.booleans(), st.booleans())
def test_the_spool_is_written_so_that_any_text_is_read_again(
    text: str, subject: str, reference: str | None, bulk: bool, flash: bool
) -> None:
    one = Record.of(
        Origin("x", Sender("y"), text),
        None,
        text,
        text,
        1.0,
        subject=subject,
        reference=reference,
        bulk=bulk,
        flash=flash,
    )
    kept = of_spooled(1, encoding.spooled(one))
    assert (kept.message_id, kept.receiver, kept.text, kept.subject) == (one.message_id, text, text, subject)
    assert (kept.bulk, kept.flash, kept.only, kept.address, kept.reference) == (bulk, flash, None, text, reference)


def test_which_message_it_follows_is_known_again() -> None:
    first, second = record(), record()
    second.follows = first
    reader = JournalReader()
    for one in (second, first):
        reader.read(encoding.taken_line(one).encode())
    ((found, its_first),) = reader.followers()
    assert (found.message_id, its_first and its_first.message_id) == (second.message_id, first.message_id)
    second.follows = None
    reader.read(encoding.taken_line(second).encode())
    assert not list(reader.followers()), "it goes itself since"


def test_a_note_and_a_line_of_the_report_hold_what_is_shown_only() -> None:
    one = record()
    one.become(Status(State.FAILED, ResponseCode.FAILED, "why", "mail/office", 1, one.created + 1))
    message_id, *noted = encoding.noted(one)
    assert message_id == one.message_id
    lost = Status(State.LOST, ResponseCode.UNCONFIRMED)
    found = of_noted(message_id, noted, lost)
    assert (found.message_id, found.client_id, found.answer_to, found.status) == (
        one.message_id,
        "4711",
        one.answer_to,
        lost,
    )
    line = encoding.report_line(one, State.FAILED)
    changed = encoding.changed_line(one, State.SENT, State.DELIVERED)
    written = json.dumps([noted, json.loads(line), json.loads(changed)])
    for secret in (SECRET, SUBJECT, NUMBER):
        assert secret not in written
        assert secret not in repr(one) + repr(one.content) + repr(one.words)


def test_a_note_is_masked_where_the_settings_show_receivers() -> None:
    assert NUMBER not in json.dumps(encoding.noted(record(receiver_shown=NUMBER)))


# -- what the version before wrote -------------------------------------------------------------------------------------


def test_a_journal_of_the_version_before_is_read() -> None:
    taken = f'["taken","{ID}","00ff",1000.5,1.5,1600.5,"id-1","62812*****81","ingress-rest","app"]'
    found = read(taken)
    assert (found.status, found.digest, found.expires, found.ends_at) == (Status(), b"\x00\xff", 1600.5, None)
    assert found.origin == Origin("ingress-rest", Sender("app"))
    found = read(f'{taken[:-1]},["mqtt","t","01","send-sms"],1,1700.5]')
    assert (found.ends_at, found.origin.kept_by_source) == (1700.5, True)
    assert found.answer_to == ("mqtt", Callback("t", b"\x01", "send-sms"))
    found = read(taken, f'["dispatched","{ID}","m0",2,[7]]')
    assert (found.state, found.egress, found.segments, found.progress.references) == (State.SENDING, "m0", 2, [7])
    found = read(taken, f'["ended","{ID}","undelivered","1102","m0",1,"why",1700.25,[7]]')
    assert found.status == Status(State.UNDELIVERED, ResponseCode.FAILED, "why", "m0", 1, 1700.25)
    assert read(taken, f'["asked","{ID}",["mqtt","t","01","x"]]').answer_to == ("mqtt", Callback("t", b"\x01", "x"))


def test_a_spool_of_the_version_before_is_read() -> None:
    kept = of_spooled(1, json.dumps([ID, NUMBER, SECRET, True, False, "m1", "127.0.0.1", "r"]).encode())
    one = read(f'["taken","{ID}","",1000.5,1.5,1600.5,null,"62812*****81","x","y"]')
    kept.give_back(one)
    assert (one.receiver, one.destination, one.words) == (NUMBER, NUMBER, Words(SECRET))
    assert (one.bulk, one.flash, one.only, one.reference) == (True, False, "m1", "r")
    assert of_spooled(1, json.dumps([ID, NUMBER, SECRET, True, False, None, "127.0.0.1"]).encode()).reference is None


def test_a_note_of_the_version_before_is_read() -> None:
    fields_ = ["id-1", "62812*****81", "ingress-rest", "app", 1000.5, 600, ["mqtt", "t", "01", "send-sms"]]
    found = of_noted(ID, fields_, Status(State.LOST))
    assert (found.receiver_shown, found.created, found.expires) == ("62812*****81", 1000.5, 1600.5)


@pytest.mark.parametrize("line", ["[", "[]", '["taken"]', f'["taken","{ID}","zz",1,1,1,null,"r","i","s"]', "null"])
def test_damage_is_told_as_such(line: str) -> None:
    with pytest.raises(encoding.DAMAGED):
        read(line)


def test_a_damaged_line_changes_no_state() -> None:
    reader = JournalReader()
    reader.read(f'["taken","{ID}","",1000.5,1.5,1600.5,null,"62812*****81","x","y"]'.encode())
    for end in ('"sent","0000","m0",1,null,"soon",[7]]', '"sent","0000","m0",1,null,1.5,["x"]]', '"gone","0000",1]'):
        with pytest.raises(encoding.DAMAGED):
            reader.read(f'["ended","{ID}",{end}'.encode())
    assert reader.records[ID].status == Status()


# -- one writer --------------------------------------------------------------------------------------------------------


def test_content_words_and_status_are_frozen() -> None:
    one = record()
    for value, name in ((one.content, "receiver"), (one.words, "text"), (one.status, "state")):
        with pytest.raises(FrozenInstanceError):
            setattr(value, name, "other")
    for name in ("state", "text", "receiver", "egress"):
        with pytest.raises(AttributeError):
            setattr(one, name, "other")
    assert not hasattr(one, "__dict__")


def test_the_status_of_a_record_has_one_writer() -> None:
    """The dispatcher's layers with its placement; what an earlier run left is put together before they know it."""
    writers = set()
    for path in HOST.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "become":
                writers.add(path.relative_to(HOST).as_posix())
    assert writers == {
        "messages/attempts.py",
        "messages/dispatch.py",
        "messages/life_cycle.py",
        "messages/placement.py",
        "records/encoding.py",
        "durable/journal.py",
    }


def test_a_record_is_small() -> None:
    """20,000 of them stay in RAM."""
    one = record()
    one.become(Status(State.SENT, egress="m0", segments=1, finished=time.time()))
    one.forget_words()
    assert sum(value.__sizeof__() for value in (one, one.content, one.status, one.progress)) < 600
