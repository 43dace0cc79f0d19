"""Owns the faults that real modems were seen with in line, SIM and sending (modems.md 1-16, 21-23, 28-32)."""

import math

from otppi.simulator.answers import render
from otppi.simulator.faults.acts import (
    be_deaf,
    be_late,
    before_final_result,
    lose_result,
    refuse,
    refuse_with_code,
    reply,
    reset,
    set_state,
    switch,
    table,
)
from otppi.simulator.faults.board import Act, Cure, Fault, Strike
from otppi.simulator.faults.memories import routed_sample
from otppi.simulator.healthy import HealthyPeer
from otppi.simulator.stages import Stage
from otppi.text import _

_URCS = render(
    [
        '+CMTI: "SM",1',
        '+CDSI: "SM",2',
        "^RSSI: 18",
        "^BOOT:12345678,0,0,0,0",
        "^MODE: 5,4",
        '^HCSQ: "LTE",40,30,120,20',
        "^DSFLOWRPT:00000010,00000000,00000000,0000000000000000,0000000000000000,00000000,00000000",
        "^SIMST: 1",
        "^SRVST: 2",
        "^STIN: 0,0,0",
        "RING",
        "NO CARRIER",
        "+ZUSIMR: 2",
        "#STN: 37",
    ]
)
_USSD_OF_LINES = render(['+CUSD: 0,"Line\r\nOK\r\nERROR",15'])
_USSD_WITHOUT_END = render(['+CUSD: 0,"Line'])
_NOISE = bytes.fromhex("80ff00fe7f0115c3289ff0a4b68be2001d05fbef") + b"OK?\0\0"
_BOOT_GARBAGE = b"\0\xff\xfe\r\n^SYSSTART\r\n" + _NOISE + render(["+CPIN: READY", "Call Ready", "SMS Ready"])
_TIME_TO_READ = 0.01


def _cut_after_cpin(strike: Strike) -> bytes:
    return strike.moment.reply.partition(b"\r\nOK")[0] if b"+CPIN:" in strike.moment.reply else strike.moment.reply


# Acts of single faults


def _edit_mode(strike: Strike) -> bool:
    strike.peer.sender.edit(strike.sms, strike.now)
    return False


def _no_prompt(strike: Strike) -> bool:
    strike.peer.sender.edit(strike.sms, strike.now)
    return True


def _error_but_editing(strike: Strike) -> bool:
    strike.peer.emit(render(["ERROR"]), strike.now)
    return _no_prompt(strike)


def _too_early(strike: Strike) -> bool:
    strike.sms.deaf_until = strike.sms.ready + strike.injection.seconds
    return False


def _urcs_now(strike: Strike) -> bool:
    strike.peer.emit(_URCS, strike.now)
    return False


def _open_ussd_now(strike: Strike) -> bool:
    strike.peer.emit(_USSD_WITHOUT_END, strike.now)
    return False


def _sim_busy(strike: Strike) -> bool:
    strike.peer.sim.hold(math.inf, strike.injection.code)
    return False


def _sim_ready(peer: HealthyPeer) -> None:
    peer.sim.hold(0.0)


def _lock(tries: int) -> Act:
    def act(strike: Strike) -> bool:
        peer = strike.peer
        peer.sim.lock_up(peer.profile.pin or peer.profile.idle_pin, tries)
        return False

    return act


def _unlock(peer: HealthyPeer) -> None:
    peer.sim.lock_up(peer.profile.pin)


def _forget_smsc(strike: Strike) -> bool:
    strike.peer.sim.smsc = ""
    return False


def _restore_smsc(peer: HealthyPeer) -> None:
    peer.sim.smsc = peer.profile.smsc


def _lose_network(strike: Strike) -> bool:
    strike.peer.set_coverage(False, strike.now)
    return False


def _find_network(peer: HealthyPeer) -> None:
    peer.set_coverage(True, 0.0)


def _unplug(strike: Strike) -> bool:
    strike.peer.unplug(strike.now, strike.injection.seconds or None)
    return True


def _unplug_after_prompt(strike: Strike) -> bool:
    """Leave time for the prompt to be read, and hear nothing of the PDU that follows it."""
    after = strike.sms.ready + _TIME_TO_READ
    strike.sms.ready = math.inf
    strike.peer.at(after, lambda now: strike.peer.unplug(now, strike.injection.seconds or None))
    return False


def _unplug_after_submit(*, sent: bool) -> Act:
    def act(strike: Strike) -> bool:
        strike.peer.sender.vanish(strike.sms, strike.now, sent=sent)
        return _unplug(strike)

    return act


def _slow(strike: Strike) -> bool:
    strike.peer.session.byte_time = strike.injection.seconds
    return False


_S, _L, _C, _P, _Z, _R = Stage.SWITCH, Stage.LINE, Stage.CMGS, Stage.PROMPTED, Stage.SUBMIT, Stage.REPLY

LINE_FAULTS = table(
    Fault("echo-on-mid-session", 1, _C, set_state(echo=True), _("the echo comes on at an AT+CMGS")),
    switch("echo-stuck", 1, _("ATE0 says OK and changes nothing"), echo=True, echo_stuck=True),
    Fault("stale-edit-mode", 2, _S, _edit_mode, _("at power-on a PDU of long ago is still waited for")),
    switch("boot-garbage", 2, _("the first bytes that come are boot noise"), boot_noise=_BOOT_GARBAGE),
    Fault("first-at-ignored", 2, _L, lambda _: True, _("a command line is not answered"), times=1),
    switch("prompt-without-space", 3, _("the prompt is CR LF >"), prompt=b"\r\n>"),
    switch("prompt-without-newline", 3, _("the prompt is > and a space"), prompt=b"> "),
    switch("prompt-two-spaces", 3, _("the prompt is CR LF > and two spaces"), prompt=b"\r\n>  "),
    switch("prompt-with-newline", 3, _("the prompt is a line of its own"), prompt=b"\r\n> \r\n"),
    Fault("pdu-too-early", 4, _P, _too_early, _("what comes within `seconds` after the prompt is lost"), seconds=0.1),
    Fault("no-prompt", 5, _C, _no_prompt, _("no prompt, though from now on all is taken for a PDU")),
    Fault("error-at-prompt", 5, _C, refuse("ERROR"), _("ERROR instead of the prompt")),
    Fault("error-but-editing", 5, _C, _error_but_editing, _("ERROR, though from now on all is taken for a PDU")),
    Fault("urc-in-reply", 6, _R, reply(lambda s: before_final_result(s.moment.reply, _URCS)),
          _("URCs before the final result")),
    Fault("urc-before-prompt", 6, _C, _urcs_now, _("URCs between AT+CMGS and its prompt")),
    Fault("urc-before-result", 6, _Z, _urcs_now, _("URCs between Ctrl-Z and +CMGS")),
    Fault("urc-with-body", 6, _R, reply(lambda s: before_final_result(s.moment.reply, routed_sample(s.peer))),
          _("+CMT and its PDU before the final result")),
    Fault("unknown-line", 6, _R, reply(lambda s: render(["_OUWCTI: 4"]) + s.moment.reply),
          _("a line that no table knows before each answer")),
    Fault("ok-in-text", 7, _R, reply(lambda s: before_final_result(s.moment.reply, _USSD_OF_LINES)),
          _("a +CUSD text with lines OK and ERROR before the final result")),
    Fault("late-reply", 8, _L, be_late, _("the answer comes `seconds` late"), seconds=2.0),
    Fault("odd-errors", 9, _R, reply(lambda s: s.moment.reply.replace(b"\nERROR", b"\nCOMMAND NOT SUPPORT")),
          _("COMMAND NOT SUPPORT where others say ERROR")),
    Fault("command-not-support", 9, _Z, refuse("COMMAND NOT SUPPORT"), _("the message ends with COMMAND NOT SUPPORT")),
    Fault("modem-error", 9, _Z, refuse("MODEM ERROR: 7"), _("the message ends with MODEM ERROR:")),
    Fault("na", 9, _Z, refuse("NA"), _("the message ends with NA")),
    Fault("bare-lf", 9, _R, reply(lambda s: s.moment.reply.replace(b"\r\n", b"\n")), _("lines end with LF alone")),
    Fault("blank-lines", 9, _R, reply(lambda s: s.moment.reply.replace(b"\r\n", b"\r\n\r\n")),
          _("empty lines everywhere")),
    Fault("cpin-without-ok", 9, _R, reply(_cut_after_cpin), _("no OK after +CPIN: READY")),
    Fault("cms-error", 10, _Z, refuse_with_code("CMS"), _("the message ends with +CMS ERROR: `code`"), code=38),
    Fault("cms-error-at-prompt", 10, _C, refuse_with_code("CMS"),
          _("+CMS ERROR: `code` instead of the prompt"), code=38),
    Fault("cme-error", 11, _Z, refuse_with_code("CME"), _("the message ends with +CME ERROR: `code`"), code=30),
    Fault("sim-busy", 11, _S, _sim_busy, _("the SIM is busy for `seconds`"), _sim_ready, code=14),
    Fault("sim-initialising", 11, _S, _sim_busy, _("+CME ERROR: 515 for `seconds`"), _sim_ready, code=515),
    switch("cmee-refused", 12, _("AT+CMEE is answered with ERROR"), most_cmee=0),
    switch("cmee-text-only", 12, _("AT+CMEE=1 is answered with ERROR, 2 is taken"), cmee_numbers=False),
    Fault("result-lost-sent", 13, _Z, lose_result(sent=True), _("the message goes out, +CMGS never comes")),
    Fault("result-lost-unsent", 13, _Z, lose_result(sent=False), _("the message is lost, and +CMGS never comes")),
    Fault("result-late", 13, _Z, be_late, _("+CMGS comes `seconds` late"), seconds=2.0),
    Fault("pin-required", 16, _S, _lock(3),
          _("the SIM wants its PIN (`idle_pin` where the profile has none)"), _unlock),
    Fault("pin-last-try", 16, _S, _lock(1), _("the SIM wants its PIN, and a wrong one is the last"), _unlock),
    Fault("puk-required", 16, _S, _lock(0), _("the SIM wants its PUK"), _unlock),
    Fault("csca-empty", 21, _S, _forget_smsc, _("the SMSC's number is gone: +CMS ERROR: 330 until AT+CSCA= sets it"),
          _restore_smsc),
    Fault("registration-lost", 22, _S, _lose_network, _("+CREG: 0, +CMS ERROR: 331, until AT+CFUN=4 and 1"),
          _find_network, Cure.RADIO),
    Fault("registration-stuck", 22, _S, _lose_network, _("the same, until a power cycle"), _find_network, Cure.POWER),
    Fault("silence", 22, _S, be_deaf, _("nothing is heard for `seconds`, or until a power cycle"),
          reset("deaf_until"), Cure.POWER),
    Fault("unplug-before-prompt", 23, _C, _unplug, _("the port vanishes at AT+CMGS, back after `seconds`"), times=1),
    Fault("unplug-after-prompt", 23, _P, _unplug_after_prompt, _("the same after the prompt"), times=1),
    Fault("unplug-after-submit-sent", 23, _Z, _unplug_after_submit(sent=True),
          _("the same after Ctrl-Z, sent"), times=1),
    Fault("unplug-after-submit-unsent", 23, _Z, _unplug_after_submit(sent=False), _("the same, not sent"), times=1),
    Fault("quote-lost", 28, _R, reply(lambda s: before_final_result(s.moment.reply, _USSD_WITHOUT_END)),
          _("a +CUSD without its closing quote before the final result")),
    Fault("quote-lost-before-prompt", 28, _C, _open_ussd_now, _("the same between AT+CMGS and its prompt")),
    Fault("quote-lost-before-result", 28, _Z, _open_ussd_now, _("the same between Ctrl-Z and +CMGS")),
    Fault("slow-line", 29, _S, _slow, _("each byte takes `seconds`"), reset("byte_time"), seconds=0.001, lasting=False),
    switch("small-buffer", 29, _("of more than 18 bytes at once the rest is lost"), input_limit=18),
    switch("cmms-error", 31, _("AT+CMMS is answered with ERROR"), mms_refused=True),
    Fault("noise", 32, _R, reply(lambda s: _NOISE + s.moment.reply + b"\0"),
          _("binary noise and zeros around each answer")),
)  # fmt: skip
"""What may go wrong with line, SIM and sending."""
