"""A modem that speaks 3GPP TS 27.005 and 27.007 in PDU mode over a port: opening, sending, looking after it."""

import logging
import random
import re
import shlex
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from operator import attrgetter
from typing import cast

from otppi.api.egress import NO_HOOKS, SendHooks
from otppi.api.errors import ModemLost, NotSent, Rejected, SendError, Trouble, Unconfirmed
from otppi.api.message import OutgoingMessage
from otppi.api.modem import Modem, ModemContext, ModemIdentity, RecoveryStep
from otppi.api.sim import SimAction, SimStatus
from otppi.kit.at.channel import AtChannel, AtRefused, AtTimeout
from otppi.kit.at.chores import Chore, NetworkWatch
from otppi.kit.at.identity import read_imei, same_imei
from otppi.kit.at.inbox import AtInbox
from otppi.kit.at.late_results import LateResults
from otppi.kit.at.line import Line
from otppi.kit.at.pin_memory import PinMemory
from otppi.kit.at.port import Port
from otppi.kit.at.prompt import Prompter
from otppi.kit.at.recovery_steps import cycle_power, cycle_radio, restart
from otppi.kit.at.refusals import asks_for_pin, lost_on_the_line, refusal
from otppi.kit.at.restart import RestartWatch
from otppi.kit.at.settings import AT_CHECKS, AT_SETTINGS
from otppi.kit.at.sim import SimTool
from otppi.kit.at.smsc import SmscKeeper
from otppi.kit.at.start import Profile, Start
from otppi.kit.at.usb import serial_devices
from otppi.kit.at.ussd import Ussd
from otppi.kit.at.values import AtModemValues
from otppi.kit.net.wake import Wake
from otppi.text import _
from otppi.wire.address import Address
from otppi.wire.at import FinalResult, Noise, Urc
from otppi.wire.cme_cms import Advice
from otppi.wire.errors import WireError
from otppi.wire.segment import segment
from otppi.wire.tpdu import SmsSubmit, pdu_line
from otppi.wire.user_data import UserData
from otppi.wire.validity import Validity

__all__ = ["AT_CHECKS", "AT_SETTINGS", "AtModem"]

logger = logging.getLogger(__name__)

_PROMPT_PAUSE = 0.1
_ACCEPTED = re.compile(r"\+CMGS: *(\d{1,3})(?!\d)")
_DUE = attrgetter("due")
_NOTHING: tuple[OutgoingMessage | None, list[tuple[str, int]]] = (None, [])


class AtModem(Modem):
    """See `otppi.api.modem.Modem` for the contract.

    Args:
        context: Section `modems` and `AT_SETTINGS`, where it is remembered which PIN was tried, and who is told.
        profile: What this model does in its own way.
    """

    def __init__(self, context: ModemContext, profile: Profile | None = None) -> None:
        self._context = context
        self._settings = context.settings
        self._values = cast("AtModemValues", context.settings)  # what its type adds is read by the type's own driver
        self._profile = profile or Profile()
        self._prompt_pause = self._profile.prompt_pause
        self._pin_memory = PinMemory(context.boot_folder, self._values["name"])
        self._line = Line(self._values, self._profile.chunk_size)
        self._wake = Wake()
        self._port: Port | None = None
        self._channel: AtChannel | None = None
        self._watch = NetworkWatch(self._profile)
        self._smsc = SmscKeeper(self._values["sms_center"])
        self._ussd = Ussd(context.events, self._profile.ussd_forms)
        self._warnings: tuple[str, ...] = ()
        self._inbox = AtInbox(context.events, self._profile)
        self._late = LateResults(context.events)
        self._restart = RestartWatch(self._profile.boot_urcs)
        self._prompter = Prompter(self._restart)
        self._chores: tuple[Chore, ...] = (
            *(self._smsc, self._watch, self._ussd, self._inbox, self._late),
            self._restart,  # the last: it takes note of what the others have set
        )
        self._others: tuple[Chore, ...] = (self._smsc, self._watch, self._ussd, self._late)
        self._prepared = _NOTHING
        self._free_until = 0.0  # no chore is due before, as far as was seen while the network had the last message
        self._reference = random.randrange(256)  # noqa: S311 - a label, not a secret

    # -- any thread -------------------------------------------------------------------------------------------------

    def wake(self) -> None:
        """End a running or the next `idle`."""
        self._wake.set()

    def identity(self) -> ModemIdentity:
        """Return what was read from the modem when it was opened or last looked after."""
        return self._smsc.completed(self._watch.identity)

    def warnings(self) -> tuple[str, ...]:
        """Return which init commands were not taken, and which memories are full."""
        advice = _(
            "what comes in may find no place, and some modems cannot send then; delete what was read "
            "of the inbox, and otppi modem clear-memory {name}",
            name=shlex.quote(self._values["name"]),
        )
        full = (
            _.plural(
                "its memory {name} is full ({count} message): {advice}",
                "its memory {name} is full ({count} messages): {advice}",
                count=places,
                name=name,
                advice=advice,
            )
            for name, places in self._inbox.full
        )
        return (*self._warnings, *full)

    # -- the modem's thread -----------------------------------------------------------------------------------------

    def open(self) -> None:
        """Open the port and make the modem ready to send."""
        port, channel = self._connect()
        wait, synchronise = channel.listen, partial(self._synchronise, port)
        start = Start(channel, self._values, self._profile, self._pin_memory, wait, synchronise, self._recognise)
        try:
            identity = start.run()
            self._warn(start.warnings)
            self._prompter.opened(f"{identity.manufacturer} {identity.model} {identity.revision}")
            for chore in self._chores:
                chore.opened(channel, identity)
        except AtTimeout as error:
            raise _silent(error) from error

    def _synchronise(self, port: Port, channel: AtChannel) -> None:
        self._line.synchronise(port, channel)
        self._restart.greeted()

    def _connect(self) -> tuple[Port, AtChannel]:
        """Open the port; nothing was said yet."""
        self._port = port = Port(self._path(), self._values, self._wake)
        self._channel = channel = AtChannel(port, self._heard)
        self._line.configure_port(port)
        return port, channel

    def recover(self, step: RecoveryStep) -> bool:
        """Try to recover the modem, which is closed; see `kit.at.recovery_steps`."""
        try:
            return self._cure(step)
        finally:
            self.close()

    def _cure(self, step: RecoveryStep) -> bool:
        if step is RecoveryStep.POWER:
            devices = self._context.devices
            return cycle_power(self._path(), serial_devices() if devices is None else devices.ports())
        if step is RecoveryStep.RADIO:
            return cycle_radio(self._connect()[1])
        return step is RecoveryStep.REINITIALISE or restart(*self._connect(), self._profile.reset)

    def _warn(self, warnings: list[str]) -> None:
        for warning in set(warnings).difference(self._warnings):
            logger.warning("modem %s: %s", self._values["name"], warning)
        self._warnings = tuple(warnings)

    def _path(self) -> str:
        """Where the port is; a type that finds it in its own way overrides this."""
        values, devices = self._values, self._context.devices
        if devices is None:
            return values["port"]
        return devices.locate(values["name"], values.get("imei", ""), values["port"])

    def _recognise(self, imei: str) -> None:
        """Make sure which modem it is before its SIM gets a PIN (modems.md 24); one that tells no IMEI is believed."""
        wanted = self._values.get("imei", "")
        if self._context.devices is not None:
            self._context.devices.identified(self._values["name"], imei)
        if imei and wanted and not same_imei(imei, wanted):
            where = self._port.path if self._port else _("its port")
            raise ModemLost(
                _(
                    "{where} has the modem with the IMEI {imei}, not that with {wanted}",
                    where=where,
                    imei=imei,
                    wanted=wanted,
                )
            )

    def idle(self, timeout: float) -> None:
        """Do the chores that are due, and listen to the modem until the next one is."""
        channel = self._ready_channel()
        self._prepared = _NOTHING  # it is not next after all, and its text is not kept for longer than needed
        until = time.monotonic() + timeout
        self._do_chore(channel)
        due = min(map(_DUE, self._chores))
        if due > (now := time.monotonic()):
            channel.listen(min(until, due) - now)

    def _do_chore(self, channel: AtChannel) -> None:
        """Do a piece of the chore that has been due for longest, so that none of them keeps the others waiting."""
        chore = min(self._chores, key=_DUE)
        if chore.due <= time.monotonic():
            self._work(chore, channel)

    def _work(self, chore: Chore, channel: AtChannel) -> None:
        try:
            chore.work(channel)
        except AtTimeout as error:
            raise _silent(error) from error

    def close(self) -> None:
        """Release the port."""
        port, self._port, self._channel = self._port, None, None
        self._prepared, self._free_until = _NOTHING, 0.0
        if port is not None:
            port.close()
            for chore in self._chores:
                chore.closed()
        if self._context.devices is not None:  # also where the port could not be opened
            self._context.devices.release(self._values["name"])

    def _ready_channel(self) -> AtChannel:
        self._free_until = 0.0  # what is done with the channel may make a chore due
        if self._channel is None:
            raise ModemLost(_("the modem is not open"))
        if not self._channel.synchronised:
            self._channel.synchronise()
        return self._channel

    def _heard(self, event: Urc | Noise) -> None:
        self._restart.heard(event)
        if self._inbox.heard(event):  # of what a busy modem says of its own, nearly all are status reports
            self._free_until = min(self._free_until, self._inbox.due)
            return
        self._free_until = 0.0
        for chore in self._others:
            if chore.heard(event):
                return
        name = event.name if isinstance(event, Urc) else _("a line of no command")
        logger.debug("modem %s said %s", self._values["name"], name)

    # -- what a person asks for -------------------------------------------------------------------------------------

    def ussd(self, text: str) -> None:
        """Send a USSD string, or a reply; the answer goes to the events."""
        self._ussd.send(self._ready_channel(), text)

    def cancel_ussd(self) -> None:
        """End the USSD session, if there is one."""
        self._ussd.cancel(self._ready_channel())

    def clear_memory(self) -> int:
        """Delete the messages to be sent that other programs have left in the modem's memories."""
        try:
            return self._inbox.clear_to_be_sent(self._ready_channel())
        except AtTimeout as error:
            raise _silent(error) from error

    def sim_status(self) -> SimStatus:
        """Ask how the SIM's lock stands, whether the modem is open or not."""
        with self._sim_tool() as tool:
            return tool.status()

    def sim_change(self, action: SimAction, secret: str, new_pin: str = "") -> SimStatus:
        """Change the SIM's lock, whether the modem is open or not."""
        with self._sim_tool() as tool:
            return tool.change(action, secret, new_pin)

    @contextmanager
    def _sim_tool(self) -> Iterator[SimTool]:
        """Yield the tool on the channel that is open, or, while the modem is closed, on one for the moment."""
        was_open = self._channel is not None
        try:
            channel = self._ready_channel() if was_open else self._greet()
            yield SimTool(channel, self._profile.sim_tries, self._pin_memory, self._values["sim_card_pin"])
        except AtTimeout as error:
            raise _silent(error) from error
        finally:
            if not was_open:
                self.close()

    def _greet(self) -> AtChannel:
        """Open the port, and say no more than is needed to understand each other."""
        channel = self._connect()[1]
        channel.synchronise()
        for line in ("ATE0", "AT+CMEE=1"):
            channel.attempt(line)
        self._recognise(read_imei(channel))
        return channel

    # -- sending ----------------------------------------------------------------------------------------------------

    def prepare(self, message: OutgoingMessage) -> None:
        """Write the PDUs of the message that probably comes next while the network has the one before."""
        with suppress(WireError):  # `send` finds it too, and tells
            self._prepared = (message, self._pdus(message))

    def send(self, message: OutgoingMessage, hooks: SendHooks = NO_HOOKS) -> None:
        """Send each part that has not gone out, in order (3GPP TS 27.005 3.5.1 and 4.3)."""
        free_until = self._free_until
        channel = self._ready_channel()
        if free_until <= time.monotonic():
            self._do_chore(channel)
        (prepared, pdus), self._prepared = self._prepared, _NOTHING
        try:
            if prepared is not message:  # the same one made anew has less left of its life
                pdus = self._pdus(message)
        except WireError as error:
            raise Rejected(_("it cannot be written as SMS: {error}", error=error)) from error
        progress = message.progress
        progress.segments = len(pdus)
        progress.references += self._late.pop(message.message_id)
        for pdu, length in pdus[len(progress.references) :]:
            progress.references.append(self._send_part(channel, pdu, length, message.message_id, hooks))

    def _pdus(self, message: OutgoingMessage) -> list[tuple[str, int]]:
        progress = message.progress
        if progress.concatenation_reference is None:
            self._reference = (self._reference + 1) % 256
            progress.concatenation_reference = self._reference
        parts = segment(message.text, reference=progress.concatenation_reference, flash=message.flash)
        return [pdu_line(_submit(message, part)) for part in parts]

    def _send_part(self, channel: AtChannel, pdu: str, length: int, message_id: str, hooks: SendHooks) -> int:
        if self._restart.due <= time.monotonic():  # a sign that came with the chore, or with the part before
            self._work(self._restart, channel)
        try:
            self._prompter.ask(channel, length, self._values["prompt_timeout"], hooks.meanwhile)
        except AtRefused as error:
            raise self._refused(error.result, dispatched=False) from error
        except AtTimeout as error:
            raise NotSent(_("the modem gave no prompt")) from error
        if self._prompt_pause:
            self._pause(channel)
            self._prompter.confirm(channel)
        hooks.before_dispatch()
        meanwhile = partial(self._meanwhile, hooks)
        try:
            lines = channel.payload(pdu, self._values["result_timeout"], meanwhile, lambda: self._restart.certain)
        except AtRefused as error:
            raise self._refused(error.result, dispatched=True) from error
        except AtTimeout as error:
            self._late.expect(message_id)
            restarted = _("the modem restarted before the network answered")
            silent = _("the network did not answer in time")
            raise Unconfirmed(restarted if self._restart.certain else silent) from error
        except ModemLost as error:
            self.close()  # the dialogue cannot go on, and the next message is to find that out
            raise Unconfirmed(
                _("the modem was lost before the network answered: {cause}", cause=error.cause)
            ) from error
        self._late.settled()
        return _reference_of(lines)

    def _meanwhile(self, hooks: SendHooks) -> None:
        hooks.meanwhile()
        self._inbox.meanwhile()
        self._free_until = min(map(_DUE, self._chores))

    def _pause(self, channel: AtChannel) -> None:
        """Give the modem time between the prompt and the PDU; a wake-up or a URC does not shorten it."""
        until = time.monotonic() + self._prompt_pause
        while (left := until - time.monotonic()) > 0:
            channel.listen(left)

    def _refused(self, result: FinalResult, *, dispatched: bool) -> SendError:
        if asks_for_pin(result):  # it had it when the modem was opened
            self._restart.restarted()
        cure, maker = partial(self._cure_refusal, result, dispatched), self._watch.identity.manufacturer
        return refusal(result, dispatched=dispatched, cure=cure, maker=maker)

    def _cure_refusal(self, result: FinalResult, dispatched: bool, advice: Advice) -> bool:
        """Do something about what the modem refused a message for; False where nothing is known to do."""
        if dispatched and lost_on_the_line(result, self._watch.identity.manufacturer):
            if not self._prompt_pause:
                # The PDU is a good one, so the modem lost its beginning: it was not ready for it (modems.md 4).
                self._prompt_pause = _PROMPT_PAUSE
                return True
            # It lost something in the middle: too much came at once (modems.md 29).
            return self._port is not None and self._line.write_less(self._port)
        if advice is Advice.SET_SMSC and self._smsc.number:  # the modem forgot it with the network (modems.md 21)
            with suppress(AtTimeout):
                self._smsc.restore(self._ready_channel())
            return True
        return advice is Advice.FREE_STORAGE and self._make_room()

    def _make_room(self) -> bool:
        """Empty the memories of what the inbox takes: some modems cannot send while they are full (modems.md 17)."""
        try:
            return self._inbox.make_room(self._ready_channel())
        except AtTimeout:
            return False


def _silent(error: AtTimeout) -> ModemLost:
    return ModemLost(_("the modem stopped answering: {error}", error=error), Trouble.SILENT)


def _submit(message: OutgoingMessage, part: UserData) -> SmsSubmit:
    return SmsSubmit(
        destination=Address.parse(message.number),
        user_data=part,
        validity=Validity.from_seconds(int(message.validity)),
        status_report_request=message.report,
        reject_duplicates=message.again,
    )


def _reference_of(lines: tuple[str, ...]) -> int:
    """Read TP-MR from `+CMGS: <mr>`; some modems forget the line, but OK says that the SMSC has it."""
    for line in lines:
        if found := _ACCEPTED.match(line):
            return int(found[1]) & 0xFF
    return -1
