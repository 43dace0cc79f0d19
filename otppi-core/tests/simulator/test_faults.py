"""Each fault of line, SIM and sending does what its row says, and none is without a test."""

from collections.abc import Callable

import pytest

from otppi.simulator import FAULTS, ModemPeer, ModemProfile
from otppi.simulator.faults.line import LINE_FAULTS
from otppi.testing.terminal import Terminal

SENDS = "\r\n+CMGS: 0\r\n\r\nOK\r\n"


def prompt_of(terminal: Terminal) -> bytes:
    return terminal.type(b"AT+CMGS=20\r")


def sent(terminal: Terminal) -> int:
    return terminal.peer.network.part_count


def echo_on_mid_session(terminal: Terminal) -> None:
    assert prompt_of(terminal) == b"\r\n> "
    terminal.type(b"\x1b")
    assert terminal.type(b"AT\r").startswith(b"AT\r")


def echo_stuck(terminal: Terminal) -> None:
    terminal.ask("ATE0")
    assert terminal.type(b"AT\r").startswith(b"AT\r")


def stale_edit_mode(terminal: Terminal) -> None:
    assert terminal.type(b"AT\rATE0\r") == b""
    assert terminal.type(b"\x1b") == b"\r\nOK\r\n"
    assert terminal.ask("AT") == ["OK"]
    terminal.peer.unplug(terminal.now)
    terminal.peer.plug(terminal.now)
    assert terminal.type(b"AT\r") == b""


def boot_garbage(terminal: Terminal) -> None:
    first = terminal.type(b"AT\r")
    assert b"^SYSSTART" in first
    assert b"\0" in first
    assert first.endswith(b"\r\nOK\r\n")
    assert terminal.ask("AT") == ["OK"]


def first_at_ignored(terminal: Terminal) -> None:
    assert terminal.ask("AT") == []
    assert terminal.ask("AT") == ["OK"]


def prompt_is(prompt: bytes) -> Callable[[Terminal], None]:
    def check(terminal: Terminal) -> None:
        assert prompt_of(terminal) == prompt
        terminal.type(b"\x1b")
        assert terminal.send("x") == SENDS

    return check


def pdu_too_early(terminal: Terminal) -> None:
    assert "+CMS ERROR: 304" in terminal.send("x")
    terminal.type(b"AT+CMGS=20\r", 0.11)
    assert terminal.type(b"00").startswith(b"")
    terminal.type(b"\x1b")
    assert sent(terminal) == 0


def no_prompt(terminal: Terminal) -> None:
    assert prompt_of(terminal) == b""
    assert terminal.type(b"AT\r") == b""
    assert terminal.type(b"\x1b") == b"\r\nOK\r\n"


def error_at_prompt(terminal: Terminal) -> None:
    assert prompt_of(terminal) == b"\r\nERROR\r\n"
    assert terminal.ask("AT") == ["OK"]


def error_but_editing(terminal: Terminal) -> None:
    assert prompt_of(terminal) == b"\r\nERROR\r\n"
    assert terminal.type(b"AT\r") == b""
    assert terminal.type(b"\x1b") == b"\r\nOK\r\n"


def urc_in_reply(terminal: Terminal) -> None:
    lines = terminal.ask("AT+CSQ")
    assert (lines[0], lines[-1]) == ("+CSQ: 21,99", "OK")
    assert {"^RSSI: 18", "RING", "NO CARRIER", '+CMTI: "SM",1', "#STN: 37"} < set(lines)
    assert len(terminal.ask("AT")) == 15


def urc_before_prompt(terminal: Terminal) -> None:
    prompt = prompt_of(terminal)
    assert b"^BOOT" in prompt
    assert prompt.endswith(b"\r\n> ")


def urc_before_result(terminal: Terminal) -> None:
    answer = terminal.send("x")
    assert "^SIMST" in answer
    assert answer.endswith(SENDS)


def urc_with_body(terminal: Terminal) -> None:
    signal, message, pdu, ok = terminal.ask("AT+CSQ")
    assert (signal, message[:6], len(pdu) > 30, ok) == ("+CSQ: 21,99", "+CMT: ", True, "OK")


def unknown_line(terminal: Terminal) -> None:
    assert terminal.ask("AT+CSQ") == ["_OUWCTI: 4", "+CSQ: 21,99", "OK"]


def ok_in_text(terminal: Terminal) -> None:
    assert terminal.ask("AT+CSQ") == ["+CSQ: 21,99", '+CUSD: 0,"Line', "OK", 'ERROR",15', "OK"]


def quote_lost(terminal: Terminal) -> None:
    assert terminal.ask("AT+CSQ") == ["+CSQ: 21,99", '+CUSD: 0,"Line', "OK"]


def quote_lost_before_prompt(terminal: Terminal) -> None:
    assert prompt_of(terminal).endswith(b'\r\n+CUSD: 0,"Line\r\n\r\n> ')


def quote_lost_before_result(terminal: Terminal) -> None:
    assert terminal.send("x") == '\r\n+CUSD: 0,"Line\r\n' + SENDS


def late_reply(terminal: Terminal) -> None:
    assert terminal.ask("AT+CSQ", 1.9) == []
    assert terminal.ask("AT", 0.2) == ["+CSQ: 21,99", "OK"]


def odd_errors(terminal: Terminal) -> None:
    assert terminal.ask("AT+NONSENSE") == ["COMMAND NOT SUPPORT"]
    assert terminal.ask("AT") == ["OK"]


def result_is(line: str) -> Callable[[Terminal], None]:
    def check(terminal: Terminal) -> None:
        assert terminal.send("x") == f"\r\n{line}\r\n"
        assert sent(terminal) == 0

    return check


def bare_lf(terminal: Terminal) -> None:
    assert terminal.type(b"AT+CSQ\r") == b"\n+CSQ: 21,99\n\nOK\n"


def blank_lines(terminal: Terminal) -> None:
    assert terminal.type(b"AT\r") == b"\r\n\r\nOK\r\n\r\n"


def cpin_without_ok(terminal: Terminal) -> None:
    assert terminal.ask("AT+CPIN?") == ["+CPIN: READY"]
    assert terminal.ask("AT") == ["OK"]


def cms_error_at_prompt(terminal: Terminal) -> None:
    assert prompt_of(terminal) == b"\r\n+CMS ERROR: 38\r\n"


def cme_error(terminal: Terminal) -> None:
    terminal.ask("AT+CMEE=1")
    result_is("+CME ERROR: 30")(terminal)


def sim_busy(terminal: Terminal) -> None:
    terminal.ask("AT+CMEE=1")
    assert terminal.ask("AT+CIMI") == ["+CME ERROR: 14"]
    assert terminal.ask("AT+CMGS=20") == ["+CMS ERROR: 314"]
    assert terminal.ask("AT") == ["OK"]


def sim_initialising(terminal: Terminal) -> None:
    terminal.ask("AT+CMEE=2")
    assert terminal.ask("AT+CPIN?") == ["+CME ERROR: please wait, init or command processing in progress"]


def cmee_refused(terminal: Terminal) -> None:
    assert terminal.ask("AT+CMEE=1") == ["ERROR"]
    assert terminal.ask("AT+CMEE=2") == ["ERROR"]


def cmee_text_only(terminal: Terminal) -> None:
    assert terminal.ask("AT+CMEE=1") == ["ERROR"]
    assert terminal.ask("AT+CMEE=2") == ["OK"]


def result_lost(parts: int) -> Callable[[Terminal], None]:
    def check(terminal: Terminal) -> None:
        assert terminal.send("x", seconds=3600) == ""
        assert sent(terminal) == parts
        assert terminal.ask("AT") == ["OK"]

    return check


def result_late(terminal: Terminal) -> None:
    assert terminal.send("x", seconds=1.9) == ""
    assert sent(terminal) == 1
    assert terminal.ask("AT", 0.2) == ["+CMGS: 0", "OK", "OK"]


def pin_is(state: str, tries: int) -> Callable[[Terminal], None]:
    def check(terminal: Terminal) -> None:
        assert terminal.ask("AT+CPIN?") == [f"+CPIN: {state}", "OK"]
        assert terminal.ask("AT+CPINR")[0] == f"+CPINR: SIM PIN,{tries},3"

    return check


def csca_empty(terminal: Terminal) -> None:
    assert terminal.ask("AT+CSCA?")[0] == '+CSCA: "",129'
    assert "+CMS ERROR: 330" in terminal.send("x")
    terminal.ask('AT+CSCA="+620000000001"')
    assert terminal.send("x") == SENDS


def registration_lost(terminal: Terminal) -> None:
    assert terminal.ask("AT+CREG?;+CSQ") == ["+CREG: 0,0", "+CSQ: 21,99", "OK"]
    assert "+CMS ERROR: 331" in terminal.send("x")
    terminal.ask("AT+CFUN=4")
    terminal.ask("AT+CFUN=1")
    assert terminal.send("x") == SENDS


def registration_stuck(terminal: Terminal) -> None:
    terminal.ask("AT+CFUN=4")
    terminal.ask("AT+CFUN=1")
    assert terminal.ask("AT+CREG?") == ["+CREG: 0,0", "OK"]
    terminal.ask("AT+CFUN=1,1", 2.0)
    terminal.ask("ATE0")
    assert terminal.ask("AT+CREG?") == ["+CREG: 0,1", "OK"]


def silence(terminal: Terminal) -> None:
    assert terminal.type(b"AT\r\x1bAT\r", 3600) == b""
    terminal.peer.unplug(terminal.now)
    terminal.peer.plug(terminal.now)
    assert terminal.ask("AT") == ["OK"]


def unplug_before_prompt(terminal: Terminal) -> None:
    assert prompt_of(terminal) == b""
    assert not terminal.peer.plugged


def unplug_after_prompt(terminal: Terminal) -> None:
    assert terminal.type(b"AT+CMGS=20\r", 0.001) == b"\r\n> "
    assert terminal.peer.plugged
    assert terminal.type(b"00\x1a") == b""
    assert not terminal.peer.plugged


def unplug_after_submit(parts: int) -> Callable[[Terminal], None]:
    def check(terminal: Terminal) -> None:
        assert terminal.send("x") == ""
        assert not terminal.peer.plugged
        assert sent(terminal) == parts

    return check


def slow_line(terminal: Terminal) -> None:
    assert terminal.type(b"AT\r", 0.0045) == b"\r\nO"
    assert terminal.listen(0.01) == b"K\r\n"


def small_buffer(terminal: Terminal) -> None:
    assert terminal.type(b"AT+CPMS?;+CREG?;+CSQ\r") == b""
    assert terminal.type(b"\r") != b""
    assert terminal.ask("AT+CSQ") == ["+CSQ: 21,99", "OK"]


def cmms_error(terminal: Terminal) -> None:
    assert terminal.ask("AT+CMMS=2") == ["ERROR"]


def noise(terminal: Terminal) -> None:
    answer = terminal.type(b"AT\r")
    assert b"\xff" in answer
    assert b"\0" in answer
    assert b"\r\nOK\r\n" in answer


CHECKS: dict[str, Callable[[Terminal], None]] = {
    "echo-on-mid-session": echo_on_mid_session,
    "echo-stuck": echo_stuck,
    "stale-edit-mode": stale_edit_mode,
    "boot-garbage": boot_garbage,
    "first-at-ignored": first_at_ignored,
    "prompt-without-space": prompt_is(b"\r\n>"),
    "prompt-without-newline": prompt_is(b"> "),
    "prompt-two-spaces": prompt_is(b"\r\n>  "),
    "prompt-with-newline": prompt_is(b"\r\n> \r\n"),
    "pdu-too-early": pdu_too_early,
    "no-prompt": no_prompt,
    "error-at-prompt": error_at_prompt,
    "error-but-editing": error_but_editing,
    "urc-in-reply": urc_in_reply,
    "urc-before-prompt": urc_before_prompt,
    "urc-before-result": urc_before_result,
    "urc-with-body": urc_with_body,
    "unknown-line": unknown_line,
    "ok-in-text": ok_in_text,
    "late-reply": late_reply,
    "odd-errors": odd_errors,
    "command-not-support": result_is("COMMAND NOT SUPPORT"),
    "modem-error": result_is("MODEM ERROR: 7"),
    "na": result_is("NA"),
    "bare-lf": bare_lf,
    "blank-lines": blank_lines,
    "cpin-without-ok": cpin_without_ok,
    "cms-error": result_is("+CMS ERROR: 38"),
    "cms-error-at-prompt": cms_error_at_prompt,
    "cme-error": cme_error,
    "sim-busy": sim_busy,
    "sim-initialising": sim_initialising,
    "cmee-refused": cmee_refused,
    "cmee-text-only": cmee_text_only,
    "result-lost-sent": result_lost(1),
    "result-lost-unsent": result_lost(0),
    "result-late": result_late,
    "pin-required": pin_is("SIM PIN", 3),
    "pin-last-try": pin_is("SIM PIN", 1),
    "puk-required": pin_is("SIM PUK", 0),
    "csca-empty": csca_empty,
    "registration-lost": registration_lost,
    "registration-stuck": registration_stuck,
    "silence": silence,
    "unplug-before-prompt": unplug_before_prompt,
    "unplug-after-prompt": unplug_after_prompt,
    "unplug-after-submit-sent": unplug_after_submit(1),
    "unplug-after-submit-unsent": unplug_after_submit(0),
    "quote-lost": quote_lost,
    "quote-lost-before-prompt": quote_lost_before_prompt,
    "quote-lost-before-result": quote_lost_before_result,
    "slow-line": slow_line,
    "small-buffer": small_buffer,
    "cmms-error": cmms_error,
    "noise": noise,
}


def test_each_fault_has_a_check() -> None:
    assert list(CHECKS) == list(LINE_FAULTS)


@pytest.mark.parametrize("name", CHECKS)
def test_fault(terminal: Terminal, name: str) -> None:
    terminal.peer.inject(name, terminal.now)
    assert terminal.peer.faults.names == (name,)
    CHECKS[name](terminal)


@pytest.mark.parametrize("name", FAULTS)
def test_healed_and_plugged_in_again_a_modem_is_as_new(terminal: Terminal, name: str) -> None:
    terminal.peer.inject(name, terminal.now)
    terminal.peer.heal(name)
    terminal.ask("AT+CMGD=1,4")
    terminal.type(b"\x1b")
    terminal.ask("ATE0")
    assert not terminal.peer.faults.names
    assert terminal.ask("AT+CPIN?;+CREG?") == ["+CPIN: READY", "+CREG: 0,1", "OK"]
    assert terminal.ask("AT+CMEE=1;+CMMS=2") == ["OK"]
    assert terminal.send("x") == SENDS


def test_the_third_sms_alone(terminal: Terminal) -> None:
    terminal.peer.inject("cms-error", at=3, code=500)
    results = ["+CMGS" in terminal.send("x") for _ in range(5)]
    assert results == [True, True, False, True, True]


def test_from_the_second_sms_on_twice(terminal: Terminal) -> None:
    terminal.peer.inject("cms-error-at-prompt", at=2, times=2)
    prompts = []
    for _ in range(5):
        prompts.append(prompt_of(terminal) == b"\r\n> ")
        terminal.type(b"\x1b")
    assert prompts == [True, False, False, True, True]


def test_one_command_alone(terminal: Terminal) -> None:
    terminal.peer.inject("late-reply", command="+CSQ", at=2, seconds=5.0)
    assert terminal.ask("AT+CSQ") == ["+CSQ: 21,99", "OK"]
    assert terminal.ask("AT") == ["OK"]
    assert terminal.ask("AT+CSQ") == []
    assert terminal.listen(5.0) != b""
    assert terminal.ask("AT+CSQ") == ["+CSQ: 21,99", "OK"]


@pytest.mark.parametrize("name", ["sim-busy", "registration-lost", "silence", "csca-empty", "cmms-error"])
def test_a_state_that_lasts_some_seconds(terminal: Terminal, name: str) -> None:
    terminal.peer.inject(name, terminal.now, seconds=30.0)
    terminal.listen(29.0)
    assert terminal.peer.faults.names == (name,)
    terminal.listen(2.0)
    assert not terminal.peer.faults.names
    assert terminal.ask("AT+CMMS=2") == ["OK"]
    assert terminal.send("x") == SENDS


def test_an_unplugged_modem_comes_back(terminal: Terminal) -> None:
    terminal.peer.inject("unplug-after-submit-unsent", seconds=5.0)
    terminal.send("x", seconds=4.0)
    assert not terminal.peer.plugged
    terminal.listen(1.5)
    assert terminal.peer.plugged
    terminal.ask("ATE0")
    assert terminal.send("x") == SENDS


def test_faults_add_up(terminal: Terminal) -> None:
    for name in ("urc-in-reply", "blank-lines", "noise"):
        terminal.peer.inject(name)
    answer = terminal.type(b"AT\r")
    assert b"\r\n\r\nRING\r\n\r\n" in answer
    assert answer.startswith(b"\x80")
    terminal.peer.heal()
    assert terminal.ask("AT") == ["OK"]


def test_pins_of_the_profile_hold() -> None:
    terminal = Terminal(ModemPeer(ModemProfile(echo=False, pin="2468")))
    terminal.peer.inject("pin-last-try")
    assert terminal.ask('AT+CPIN="2468"') == ["OK"]
    terminal.peer.heal()
    assert terminal.ask("AT+CPIN?") == ["+CPIN: SIM PIN", "OK"]


def test_an_unknown_fault_is_an_error(terminal: Terminal) -> None:
    with pytest.raises(KeyError):
        terminal.peer.inject("rain")
