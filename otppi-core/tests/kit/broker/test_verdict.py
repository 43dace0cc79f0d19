"""What is done with a broker's message: every command, code and state; the table of docs/brokers.md."""

import itertools
import re
from pathlib import Path

import pytest

from otppi.api.message import State
from otppi.kit.broker.verdict import Verdict, verdict_of
from otppi.wire.envelope import Command, ResponseCode

D, N, A = Verdict.DONE, Verdict.NEVER, Verdict.AGAIN
SENDING = (Command.SEND_SMS, Command.SEND_MAIL, Command.SEND_MESSAGE, Command.REQUEST_OTP)
BLOCKING = (Command.BLOCK_MSISDN, Command.UNBLOCK_MSISDN)
ASKING = (Command.VERIFY_OTP, Command.REQUEST_USSD, Command.GET_MODEM_LIST, Command.ECHO)

SENT: dict[tuple[str, str], Verdict] = {
    # code, state: what becomes of a message that is to be sent
    ("0000", "sent"): D,
    ("0000", "delivered"): D,
    ("0000", "queued"): A,
    ("0000", "sending"): A,
    ("1100", ""): D,
    ("1101", "failed"): A,
    ("1101", ""): A,
    ("1102", "failed"): N,
    ("1102", "undelivered"): D,
    ("1102", ""): N,
    ("1201", "sent"): D,
    ("1201", "delivered"): D,
    ("1201", "undelivered"): D,
    ("1201", "unconfirmed"): D,
    ("1201", "lost"): D,
    ("1201", "failed"): A,
    ("1201", "expired"): N,
    ("1201", "blocked"): N,
    ("1201", "queued"): A,
    ("1201", "sending"): A,
    ("1201", ""): D,
    ("1203", "expired"): N,
    ("1203", ""): N,
    ("1204", "blocked"): N,
    ("1204", ""): N,
    ("1205", "failed"): A,
    ("1205", "expired"): N,
    ("1205", ""): A,
    ("1206", ""): N,
    ("1207", "unconfirmed"): D,
    ("1207", "lost"): D,
    ("1208", "failed"): N,
    ("1208", ""): N,
}
ASKED: dict[str, dict[str, Verdict]] = {
    "blocking": {"0000": D, "1100": D, "1101": D, "1102": N, "1205": D, "1206": N, "1207": D, "1208": N},
    "asking": dict.fromkeys((code.value for code in ResponseCode), D) | {"1206": N},
}


@pytest.mark.parametrize("command", SENDING)
@pytest.mark.parametrize(("code", "state"), SENT)
def test_a_message_to_be_sent(command: Command, code: str, state: str) -> None:
    data = {"state": state} if state else {}
    assert verdict_of(command, ResponseCode(code), data) is SENT[code, state]


@pytest.mark.parametrize(
    ("command", "code", "verdict"),
    [
        *((command, code, verdict) for command in BLOCKING for code, verdict in ASKED["blocking"].items()),
        *((command, code, verdict) for command in ASKING for code, verdict in ASKED["asking"].items()),
    ],
)
def test_another_command(command: Command, code: str, verdict: Verdict) -> None:
    assert verdict_of(command, ResponseCode(code), {"state": "failed"}) is verdict


def test_every_command_code_and_state_is_in_the_tables() -> None:
    assert {*SENDING, *BLOCKING, *ASKING} == set(Command)
    assert {code for code, _ in SENT} | {"1202"} == {code.value for code in ResponseCode}, "1202 is of verify-otp"
    assert {state for _, state in SENT} - {""} == {state.value for state in State}
    assert set(ASKED["asking"]) == {code.value for code in ResponseCode}


@pytest.mark.parametrize("command", SENDING)
def test_what_may_have_gone_out_is_never_given_back(command: Command) -> None:
    for code, state in itertools.product(ResponseCode, State):
        verdict = verdict_of(command, code, {"state": state.value})
        if code is not ResponseCode.MALFORMED and state.went_out and state.final:
            assert verdict is Verdict.DONE, (code, state)
        if state in (State.EXPIRED, State.BLOCKED):
            assert verdict is Verdict.NEVER, (code, state)


def test_a_state_that_is_not_known_counts_as_none() -> None:
    assert verdict_of(Command.SEND_SMS, ResponseCode.NO_MODEM, {"state": ["x"]}) is Verdict.AGAIN
    assert verdict_of(Command.SEND_SMS, ResponseCode.SUCCESS, {"state": "new"}) is Verdict.DONE


def test_the_page_for_people_has_the_same_table() -> None:
    page = (Path(__file__).parents[4] / "docs/brokers.md").read_text()
    words = {"acknowledged": D, "rejected": N, "given back": A}
    rows = re.findall(r"^\| (\d{4}) \| ([a-z, `]*?) ?\| (acknowledged|rejected|given back) \|", page, re.MULTILINE)
    written = {
        (code, state): words[verdict]
        for code, states, verdict in rows
        for state in re.findall(r"`(\w+)`", states) or [""]
    }
    assert written == {key: verdict for key, verdict in SENT.items() if key[1] or key[0] == "1206"}
