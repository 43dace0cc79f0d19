"""The mail account ABC: an egress of channel MAIL, and what a plugin registers to make such accounts."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from otppi.api.egress import Channel, Egress
from otppi.api.settings import Check, Setting


class MailAccount(Egress):
    """One account. Its own thread calls everything but `wake` and `warnings`: any thread may.

    `open` proves that it can send: it logs in once. One that waits without a connection is ready, and not lost. It asks
    a server with a wrong password once, and raises `Blocked` then. `OutgoingMessage.destination` is an e-mail address
    whose domain is in ASCII; `subject` may be empty.
    """

    channel = Channel.MAIL

    @abstractmethod
    def check(self) -> str:
        """Connect, log in and quit, step by step, and send nothing; return what the server said, for people.

        Raises:
            Lost: A step failed: the sentence says which.
            Blocked: A person has to do something first.
        """


@dataclass(frozen=True, slots=True)
class MailContext:
    """What an account gets: its settings, validated, and a folder on a RAM disk that lives as long as the device."""

    settings: Mapping[str, Any]
    boot_folder: Path


@dataclass(frozen=True, slots=True)
class MailType:
    """What a plugin registers: how to make accounts of one type.

    `settings` are those that this type has beyond the common ones, `checks` what they do not take together.
    """

    key: str
    title: str
    help: str
    create: Callable[[MailContext], MailAccount]
    settings: tuple[Setting, ...] = ()
    checks: tuple[Check, ...] = ()
