"""Owns what the simulated modem forgets with its power: the settings that AT commands make, and the line's state."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from otppi.testing.modem.profile import UssdAnswer

PROMPT = b"\r\n> "
MAX_INPUT = 64 * 1024


@dataclass(slots=True)
class Session:
    """Everything that a power cycle sets back. What is only ever changed by a fault has its healthy value here.

    Attributes:
        echo: whether what comes in is echoed (ATE).
        memory: the message memory in use (+CPMS).
        cmee: how errors are told (+CMEE).
        cnmi: how new messages are indicated (+CNMI).
        csms: message service (+CSMS).
        registration_urc: `<n>` of +CREG, +CGREG and +CEREG.
        operator_format: how +COPS? names the operator.
        functionality: `<fun>` of +CFUN.
        radio: whether the radio is on.
        ussd: what the open USSD session takes for a reply.
        echo_stuck: ATE0 is answered but not obeyed.
        prompt: what +CMGS prompts with.
        most_cmee: the highest +CMEE that is taken.
        cmee_numbers: whether +CMEE=1 is taken.
        mms_refused: +CMMS is unknown.
        full_blocks_sending: with a full memory nothing is sent either.
        deaf_until: what comes before this time is not heard.
        byte_time: seconds per byte written.
        input_limit: how many bytes at once do not overrun the modem.
        boot_noise: is written as soon as somebody talks to the modem.
    """

    echo: bool
    memory: str
    cmee: int = 0
    cnmi: tuple[int, ...] = (2, 0, 0, 0, 0)
    csms: int = 0
    registration_urc: dict[str, int] = field(default_factory=dict)
    operator_format: int = 0
    functionality: int = 1
    radio: bool = True
    ussd: Mapping[str, UssdAnswer] | None = None
    echo_stuck: bool = False
    prompt: bytes = PROMPT
    most_cmee: int = 2
    cmee_numbers: bool = True
    mms_refused: bool = False
    full_blocks_sending: bool = False
    deaf_until: float = 0.0
    byte_time: float = 0.0
    input_limit: int = MAX_INPUT
    boot_noise: bytes = b""
