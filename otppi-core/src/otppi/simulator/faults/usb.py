"""Owns the faults that real modems were seen with on USB (modems.md 23 to 26): numbers, IMEIs, ports, holders."""

from otppi.simulator.answers import render
from otppi.simulator.faults.acts import reply, switch, table
from otppi.simulator.faults.board import Fault, Strike
from otppi.simulator.stages import Stage
from otppi.text import _

_CLONE = "350000000000006"


def _asks_imei(strike: Strike) -> bool:
    return strike.moment.line.upper().startswith("AT+CGSN")


USB_FAULTS = table(
    switch("cd-rom", 23, _("when it comes back it shows a CD-ROM instead of its ports"), cd_rom=True),
    switch("other-numbers", 24, _("its ports come back under other ttyUSB numbers"), other_numbers=True),
    Fault("imei-missing", 24, Stage.REPLY, reply(lambda _: render(["ERROR"])), _("AT+CGSN is answered with ERROR"),
          concerns=_asks_imei),
    Fault("imei-cloned", 24, Stage.REPLY, reply(lambda _: render([_CLONE, "OK"])),
          _("its IMEI is that of all its clones"),
          concerns=_asks_imei),
    switch("ports-reversed", 25, _("its ports come back in reverse order"), reversed_ports=True),
    switch("port-held", 26, _("another program has its port"), held=True),
)  # fmt: skip
"""What may go wrong with identity and ports on USB; most of it shows when the modem is plugged in anew."""
