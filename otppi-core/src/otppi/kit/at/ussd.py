"""USSD over an AT channel: in which form this model takes a string, and the answers, which come when they come."""

from otppi.api.errors import NotDone, NotSupported
from otppi.api.events import ModemEvents, UssdAnswer, UssdStatus
from otppi.api.modem import ModemIdentity
from otppi.kit.at.channel import AtChannel, AtRefused, AtTimeout
from otppi.kit.at.ussd_hold import UssdHold
from otppi.text import _
from otppi.wire.at import FinalResult, Noise, ResultKind, Urc
from otppi.wire.cme_cms import Advice, cme_advice, cme_meaning
from otppi.wire.errors import AlphabetError, AtError
from otppi.wire.ussd import UssdForm, parameters, parse, text_of

_PATIENCE = 10.0
"""For the OK of AT+CUSD. The network's answer is not waited for: it comes as a URC."""
_STATUSES = dict(enumerate(UssdStatus))
"""<m> of +CUSD (3GPP TS 27.007 7.15)."""
_ABSENT = frozenset({3, 4})
"""+CME ERROR: operation not allowed, not supported."""


class Ussd:
    """A chore that hears +CUSD, and sends when it is told to.

    No modem says in which form it wants a string, and a wrong one is refused: the forms are tried in turn, and the one
    that is taken is remembered for the model (modems.md 27). The character set of the line (AT+CSCS) is not changed for
    it: that would change how the modem writes the operator's name as well.

    Args:
        events: Who is told the answers.
        forms: The forms to try, in this order.
    """

    def __init__(self, events: ModemEvents, forms: tuple[UssdForm, ...]) -> None:
        self._events = events
        self._forms = forms
        self._taken: dict[str, UssdForm] = {}
        self._model = ""
        self._form = forms[0]
        self._pending = False
        self._hold = UssdHold()

    @property
    def due(self) -> float:
        """When an end of the session that was held back is to be told."""
        return self._hold.due

    def opened(self, channel: AtChannel, identity: ModemIdentity) -> None:  # noqa: ARG002 - there is nothing to set up
        """Remember which model it is."""
        self._model = f"{identity.manufacturer} {identity.model} {identity.revision}"
        self._form = self._taken.get(self._model, self._forms[0])

    def heard(self, event: Urc | Noise) -> bool:
        """Return what the network says: before the OK, long after it, or without being asked (modems.md 28)."""
        if not (isinstance(event, Urc) and event.name == "+CUSD"):
            return False
        try:
            line = parse(event.line)
        except AtError:
            return False
        answer = UssdAnswer(_STATUSES.get(line.mode, UssdStatus.FINISHED), text_of(line, self._form))
        said = self._hold.feed(answer) if self._pending else answer
        if said is not None:
            self._tell(said)
        return True

    def _tell(self, answer: UssdAnswer) -> None:
        self._pending = answer.status is UssdStatus.REPLY_WANTED  # the session goes on, and ends with the modem
        self._events.answered(answer)

    def work(self, channel: AtChannel) -> None:  # noqa: ARG002 - nothing is asked of the modem
        """Tell the end of the session: no answer came behind it."""
        if held := self._hold.release():
            self._tell(held)

    def closed(self) -> None:
        """Tell whoever waits that the session ended with the modem."""
        held = self._hold.release() or UssdAnswer(UssdStatus.ENDED)
        if self._pending:
            self._pending = False
            self._events.answered(held)

    def send(self, channel: AtChannel, text: str) -> None:
        """Send a string, or the reply that an open session waits for.

        Raises:
            NotDone: It was refused, or no form that this modem takes can write it.
            NotSupported: The modem has no USSD.
        """
        self._hold.forget()
        refusal: FinalResult | None = None
        taken = self._taken.get(self._model)
        for form in (*filter(None, (taken,)), *(form for form in self._forms if form is not taken)):
            try:
                line = parameters(text, form)
            except AlphabetError:
                continue
            self._form, self._pending = form, True  # before the command: the answer may come before its OK
            try:
                channel.command(f"AT+CUSD=1,{line}", _PATIENCE)
            except AtTimeout:  # some say OK only when the network has answered
                return
            except AtRefused as error:
                self._pending = False
                refusal = refusal or error.result
                if form is taken or not _may_be_the_form(error.result):
                    raise _failure(error.result) from error
            else:
                self._taken[self._model] = form
                return
        if refusal is None:
            raise NotDone(_("it has characters that this modem cannot send by USSD"))
        raise _failure(refusal)

    def cancel(self, channel: AtChannel) -> None:
        """End the session; that there is none is no failure.

        Raises:
            NotSupported: The modem has no USSD.
        """
        self._pending = False
        self._hold.forget()
        try:
            channel.command("AT+CUSD=2", _PATIENCE)
        except AtTimeout:  # whoever uses the channel next gets into step, or finds that the modem is lost
            return
        except AtRefused as error:
            if error.result.kind is ResultKind.NOT_SUPPORTED:
                raise _failure(error.result) from error


def _may_be_the_form(result: FinalResult) -> bool:
    """Whether the refusal may be one of the form: not where it says that SIM or network cannot now."""
    return result.kind is not ResultKind.CME or cme_advice(result.code) is not Advice.WAIT


def _failure(result: FinalResult) -> NotDone | NotSupported:
    if result.kind is ResultKind.NOT_SUPPORTED or (result.kind is ResultKind.CME and result.code in _ABSENT):
        return NotSupported(_("this modem does not do USSD"))
    if result.kind is ResultKind.CME and result.code is not None:
        return NotDone(_("the modem refused it: {cme_meaning}", cme_meaning=cme_meaning(result.code)))
    return NotDone(_("the modem refused it and gave no reason"))
