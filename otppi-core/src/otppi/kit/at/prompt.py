"""The prompt of AT+CMGS, in PDU mode for certain: what is typed in text mode goes, as text, to a wrong number."""

import logging
from collections.abc import Callable

from otppi.api.errors import NotSent
from otppi.kit.at.channel import AtChannel, AtRefused, AtTimeout
from otppi.kit.at.restart import RestartWatch
from otppi.text import _

logger = logging.getLogger(__name__)

_PDU_MODE = "AT+CMGF=0"


class Prompter:
    """Sets PDU mode in the very line that asks for the prompt: `AT+CMGF=0;+CMGS=23`.

    The commands of a line are obeyed in their order, and none after one that is refused (3GPP TS 27.007 4.2): the
    prompt proves PDU mode, also of a modem that has restarted without a word, and that costs ten characters. A model
    that refuses such a line gets PDU mode as a command of its own just before each AT+CMGS.

    Args:
        restart: Knows the signs of a restart.
    """

    def __init__(self, restart: RestartWatch) -> None:
        self._restart = restart
        self._joins: dict[str, bool] = {}
        self._model = ""

    def opened(self, model: str) -> None:
        """Remember which model it is."""
        self._model = model

    def ask(self, channel: AtChannel, length: int, timeout: float, meanwhile: Callable[[], None]) -> None:
        """Bring the modem to its prompt for a TPDU of `length` octets; raises like `AtChannel.prompt`.

        Raises:
            NotSent: There was a sign of a restart between the command and its prompt, which was left.
        """
        joins = self._joins.get(self._model)
        if joins is False:
            self._ask_apart(channel, length, timeout, meanwhile)
            return
        try:
            channel.prompt(f"{_PDU_MODE};+CMGS={length}", timeout, meanwhile)
        except AtTimeout:
            self._joins[self._model] = bool(joins)  # one that was never seen to take it may have swallowed it
            raise
        except AtRefused:
            if joins:
                raise
            channel.synchronise()
            self._ask_apart(channel, length, timeout, meanwhile)  # or it is the message that is refused
            self._joins[self._model] = False
            logger.info("the modem takes no AT+CMGS behind another command: PDU mode is set before each message")
            return
        self._joins[self._model] = True
        self.confirm(channel)  # lesser signs do not matter: the prompt came after them, and proves PDU mode

    def confirm(self, channel: AtChannel) -> None:
        """Leave the prompt of a modem that said meanwhile that it has restarted.

        Raises:
            NotSent: It has.
        """
        if self._restart.certain:
            self._leave(channel)

    def _ask_apart(self, channel: AtChannel, length: int, timeout: float, meanwhile: Callable[[], None]) -> None:
        silent = channel.echoes
        channel.command(_PDU_MODE)
        proven, signs = channel.echoes, self._restart.signs
        channel.prompt(f"AT+CMGS={length}", timeout, meanwhile)
        is_back = proven == silent and channel.echoes > proven
        if is_back or self._restart.signs > signs:
            self._leave(channel)

    def _leave(self, channel: AtChannel) -> None:
        channel.leave_prompt()
        raise NotSent(_("the modem may have restarted before its prompt"))
