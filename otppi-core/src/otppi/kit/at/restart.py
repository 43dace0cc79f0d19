"""Whether what was set in a modem still stands: a module that restarts by itself forgets it, and its port stays.

After a brown-out a module has the settings of its stored profile again: some have text mode there, in which
`AT+CMGS=23` and a PDU send the PDU's digits, as text, to number 23 (TinyGSM#608, Seeed GPRS_SIM900#19).
"""

import time

from otppi.api.errors import ModemLost, Trouble
from otppi.api.modem import ModemIdentity
from otppi.kit.at.channel import AtChannel
from otppi.kit.at.chores import NEVER
from otppi.text import _
from otppi.wire.at import Noise, Urc
from otppi.wire.at_tables import is_text_form

BOOT_URCS = frozenset(
    (
        # What a module says when it starts ...
        *("RDY", "^SYSSTART", "*ATREADY"),
        # ... and what it says before it switches itself off
        *("NORMAL POWER DOWN", "POWER DOWN", "POWERED DOWN", "^SHUTDOWN"),
        *("UNDER-VOLTAGE POWER DOWN", "OVER-VOLTAGE POWER DOWN"),
    )
)
"""URCs that nothing but a restart brings, on every type of modem."""
_SIGNS = frozenset({"+CFUN", "+CPIN", "Call Ready", "SMS Ready", "SMS DONE", "PB DONE", "+PBREADY"})
"""URCs that come some seconds after a restart, but also when the SIM card was opened, or the radio switched on."""
_LOOK_EVERY = 60.0
_REST = 1.0
"""Between two looks upon signs: a modem that gives them all the time is not to keep everything else waiting."""
_STANDING = ("AT+CMGF?", "AT+CNMI?", "AT+CMEE?", "AT+CSCS?")
"""What is set when the modem is opened, is lost with a restart, and can be asked for."""
_PDU_MODE, _TEXT_MODE = _STANDING[0], "1"


class RestartWatch:
    """A chore that looks each minute, and upon each sign, whether what was set still stands.

    Where it does not, the modem counts as lost: to be opened anew brings everything back. A sign alone is not enough,
    for a modem that gives it whenever it is opened would be opened for ever.

    Args:
        boot_urcs: What this model says when it was switched on, beside `BOOT_URCS`.

    Attributes:
        signs: How many signs of a restart were heard.
        certain: Whether it has surely restarted.
    """

    def __init__(self, boot_urcs: tuple[str, ...] = ()) -> None:
        self.signs = 0
        self.certain = False
        self._boot_urcs = frozenset(boot_urcs)
        self._channel: AtChannel | None = None
        self._standing: dict[str, str] = {}
        self._echoes = 0
        self._echo_stays = False
        self._next_look = NEVER
        self._looked = 0.0

    @property
    def due(self) -> float:
        """When it is looked at next: before every other chore where there is a sign."""
        return 0.0 if self.is_echoing() else self._next_look

    def is_echoing(self) -> bool:
        """Whether the modem echoes again, though it had ceased to (ATE0)."""
        return self._channel is not None and not self._echo_stays and self._channel.echoes > self._echoes

    def greeted(self) -> None:
        """Begin: the modem is in step, and nothing was set yet. What it said before does not matter."""
        self.certain = False

    def opened(self, channel: AtChannel, identity: ModemIdentity) -> None:  # noqa: ARG002 - it makes no difference
        """Take note of what stands now that everything was set; it is to be the last chore that is opened.

        Raises:
            ModemLost: The modem has restarted while it was opened.
        """
        echoes = channel.echoes
        self._standing = _read(channel)
        self._channel, self._echo_stays, self._echoes = channel, channel.echoes > echoes, channel.echoes
        if self.certain or self._standing.get(_PDU_MODE) == _TEXT_MODE:
            raise _restarted(_("while it was opened"))
        self._plan()

    def heard(self, event: Urc | Noise) -> bool:
        """Hear of a restart; others want to hear of it too."""
        if isinstance(event, Noise):
            return False
        # Some of a model's own are heard until it was told to be quiet (+WIND): they count when it is open.
        if event.name in BOOT_URCS or (event.name in self._boot_urcs and self._channel is not None):
            self.restarted()
        elif event.name in _SIGNS or is_text_form(event.name, event.line):
            self._suspect()
        return False

    def restarted(self) -> None:
        """Take note that it has surely restarted."""
        self.certain = True
        self._suspect()

    def _suspect(self) -> None:
        """Look before anything else is done."""
        self.signs += 1
        if self._channel is not None:
            self._next_look = 0.0 if self.certain else min(self._next_look, self._looked + _REST)

    def work(self, channel: AtChannel) -> None:
        """Look.

        Raises:
            ModemLost: It has restarted, and has to be made ready again.
        """
        if self.certain:
            raise _restarted(_("it says so, or asks for its PIN again"))
        stands = _read(channel)
        lost = [query for query, before in self._standing.items() if stands.get(query, before) != before]
        if lost:
            raise _restarted(_("{query} is not as it was set", query=", ".join(query[2:-1] for query in lost)))
        if self.is_echoing():
            raise _restarted(_("it echoes again"))
        self._plan()

    def _plan(self) -> None:
        self._looked = time.monotonic()
        self._next_look = self._looked + _LOOK_EVERY

    def closed(self) -> None:
        """Look no more."""
        self._channel = None
        self.certain = False
        self._next_look = NEVER


def _restarted(how: str) -> ModemLost:
    return ModemLost(_("the modem has restarted ({how}); it is made ready again", how=how), Trouble.FAULTY)


def _read(channel: AtChannel) -> dict[str, str]:
    """Ask for what stands; what is refused, as by a SIM card that is busy, is left out."""
    return {query: answer for query in _STANDING if (answer := _answer(channel, query))}


def _answer(channel: AtChannel, query: str) -> str:
    prefix = f"{query[2:-1]}:"
    lines = channel.attempt(query) or ()
    return next((line.removeprefix(prefix).replace(" ", "") for line in lines if line.startswith(prefix)), "")
