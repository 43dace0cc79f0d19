"""Owns the faults that real modems were seen with in ports, speed, power and dialling (modems.md 25, 30, 33-36)."""

from zlib import crc32

from otppi.simulator.answers import CallEndedError
from otppi.simulator.faults.acts import be_deaf, raise_code, switch, table
from otppi.simulator.faults.board import Act, Fault, Strike
from otppi.simulator.stages import Stage
from otppi.text import _

_ONE_IN = 40


def _end_call(result: str) -> Act:
    def act(_: Strike) -> bool:
        raise CallEndedError(result)

    return act


def _asks_port_mode(strike: Strike) -> bool:
    return strike.moment.line.upper().startswith("AT^GETPORTMODE")


def _brown_out(strike: Strike) -> bool:
    """Lose power at an answer, by a lot that is the same whenever the same is played."""
    injection, peer = strike.injection, strike.peer
    if crc32(b"%d %d" % (injection.code, injection.seen)) % _ONE_IN:
        return False
    peer.unplug(strike.now, injection.seconds or peer.profile.boot_time)
    strike.moment.reply = b""
    return True


def _restart(strike: Strike) -> bool:
    strike.peer.restart(strike.now, strike.injection.seconds)
    return True


DEVICE_FAULTS = table(
    Fault("getportmode-crash", 25, Stage.LINE, be_deaf, _("AT^GETPORTMODE silences the modem until a power cycle"),
          concerns=_asks_port_mode),
    switch("autobaud", 30, _("after power-on the first two command lines are lost: the speed is not known yet"),
           lines_to_lose=2),
    Fault("brown-out", 33, Stage.REPLY, _brown_out,
          _("at one in 40 answers, drawn by the seed `code`, the power is lost, and is back after `seconds`"), code=1),
    Fault("restart", 35, Stage.LINE, _restart,
          _("it starts anew by itself at a command line, the port stays; deaf for `seconds`"), times=1),
    Fault("restart-after-submit", 35, Stage.SUBMIT, _restart, _("the same after Ctrl-Z, not sent"), times=1),
    switch("joins-refused", 35, _("AT+CMGS behind another command in one line is answered with ERROR"),
           joins_refused=True),
    switch("charset-ucs2", 36, _("strings are written as UCS-2 in hexadecimal digits, for somebody has set it so"),
           charset="UCS2"),
    switch("charset-hex", 36, _("the same, as octets in hexadecimal digits"), charset="HEX"),
    switch("charset-stuck", 36, _("AT+CSCS= is answered with ERROR"), charset_stuck=True),
    Fault("dial-no-carrier", 34, Stage.DIAL, _end_call("NO CARRIER"), _("a data call ends with NO CARRIER")),
    Fault("dial-busy", 34, Stage.DIAL, _end_call("BUSY"), _("a data call ends with BUSY")),
    Fault("dial-error", 34, Stage.DIAL, raise_code, _("a data call ends with ERROR, or +CME ERROR: `code`")),
)  # fmt: skip
"""What may go wrong with ports, speed, power and data calls."""
