"""The settings that every type of modem has which is driven by `kit.at.modem.AtModem`."""

from collections.abc import Iterable

from otppi.api.settings import Check, FieldError, grouped, integer, number
from otppi.kit.at.line import CHUNK_PAUSE
from otppi.kit.at.values import AtModemValues
from otppi.text import _

AT_SETTINGS = grouped(
    "expert",
    number(
        "prompt_timeout",
        _("Prompt time-out"),
        _("How long the modem may take to ask for the message (the prompt of +CMGS)."),
        10.0,
        minimum=0.1,
        maximum=60,
        unit=_("s"),
    ),
    number(
        "result_timeout",
        _("Result time-out"),
        _(
            "How long the network may take to answer; then the message is unconfirmed. "
            "Networks have answered after 100 s."
        ),
        90.0,
        minimum=0.5,
        maximum=600,
        unit=_("s"),
    ),
    integer(
        "chunk_size",
        _("Chunk size"),
        _("Bytes that are written to the modem at once; 0: any number, until it is seen to lose some."),
        0,
        minimum=0,
        maximum=4096,
        unit=_("bytes"),
    ),
    number(
        "chunk_pause",
        _("Chunk pause"),
        _("Pause after each chunk; with a chunk size of 1 it is a delay for each character."),
        CHUNK_PAUSE,
        minimum=0,
        maximum=1,
        unit=_("s"),
    ),
    advanced=True,
)


def port_problems(modem: AtModemValues) -> Iterable[FieldError]:
    """Say so where nothing tells where the modem is."""
    if modem["active"] and not modem["port"] and not modem["imei"]:
        yield FieldError("port", _("must not be empty where there is no IMEI either: nothing tells where the modem is"))


AT_CHECKS: tuple[Check, ...] = (port_problems,)
