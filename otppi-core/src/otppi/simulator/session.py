"""Owns what the simulated modem forgets with its power: the settings that AT commands make, and the line's state."""

from collections.abc import Mapping
from dataclasses import InitVar, dataclass, field

from otppi.simulator.arrival import Arrival
from otppi.simulator.profile import ScriptedUssdAnswer
from otppi.wire.ussd import UssdForm

PROMPT = b"\r\n> "
MAX_INPUT = 64 * 1024


@dataclass(slots=True)
class Session:
    """Everything that a power cycle sets back. What is only ever changed by a fault has its healthy value here.

    Attributes:
        echo: whether what comes in is echoed (ATE).
        memory: the message memory after power-on.
        memories: the memories for reading, for sending and for what comes in (+CPMS).
        text_mode: messages are texts to numbers, not PDUs (+CMGF=1).
        charset: in which character set strings are written (+CSCS).
        charset_stuck: +CSCS is taken for a query only.
        cmee: how errors are told (+CMEE).
        cnmi: how new messages are indicated (+CNMI).
        csms: message service (+CSMS).
        untold: news that the line has not been told yet.
        unacknowledged: what was routed to the line and waits for +CNMA.
        misses: how often in a row it waited in vain.
        registration_urc: `<n>` of +CREG, +CGREG and +CEREG.
        operator_format: how +COPS? names the operator.
        functionality: `<fun>` of +CFUN.
        radio: whether the radio is on.
        chatty: whether the modem talks of its own accord (^CURC).
        urc_port: which of several ports gets the URCs (^PORTSEL).
        ussd: what the open USSD session takes for a reply.
        ussd_form: how USSD strings are written, where a command has changed it.
        ussd_ended: counts the sessions that the user has ended; answers to them are no longer told.
        echo_stuck: ATE0 is answered but not obeyed.
        prompt: what +CMGS prompts with.
        most_cmee: the highest +CMEE that is taken.
        cmee_numbers: whether +CMEE=1 is taken.
        mms_refused: +CMMS is unknown.
        joins_refused: +CMGS must stand alone in its line.
        full_blocks_sending: with a full memory nothing is sent either.
        deaf_until: what comes before this time is not heard.
        byte_time: seconds per byte written.
        input_limit: how many bytes at once do not overrun the modem.
        boot_noise: is written as soon as somebody talks to the modem.
        lines_to_lose: so many command lines are not heard, for the speed is not known yet.
        reference_step: by how much TP-MR grows.
        notifications_lost: what comes in is stored without a word.
        cnmi_refused: of +CNMI only the least is taken.
        absent_memory: a memory that +CPMS does not know.
        other_memory: what comes in is stored in another memory than +CPMS says.
        gaps: places of a memory are not used in order, and +CPMS miscounts.
        pdu_lost: octets that are missing at the end of each PDU that came in.
        pdu_behind: what is written behind each such PDU.
        cmgl_refused: +CMGL is unknown.
        cmgl_incomplete: +CMGL leaves out every second message.
        other_numbers: its ports come back under other ttyUSB numbers.
        reversed_ports: its ports come back in reverse order.
        cd_rom: it shows a CD-ROM instead of its ports.
        held: another program has its first port.
        cnma_time: seconds within which +CNMA must come under +CSMS=1; 0 = it need not.
    """

    echo: bool
    memory: InitVar[str]
    memories: list[str] = field(init=False)
    text_mode: bool = False
    charset: str = "GSM"
    charset_stuck: bool = False
    cmee: int = 0
    cnmi: tuple[int, ...] = (2, 0, 0, 0, 0)
    csms: int = 0
    untold: list[bytes] = field(default_factory=list)
    unacknowledged: Arrival | None = None
    misses: int = 0
    registration_urc: dict[str, int] = field(default_factory=dict)
    operator_format: int = 0
    functionality: int = 1
    radio: bool = True
    chatty: bool = True
    urc_port: int = 0
    ussd: Mapping[str, ScriptedUssdAnswer] | None = None
    ussd_form: UssdForm | None = None
    ussd_ended: int = 0
    echo_stuck: bool = False
    prompt: bytes = PROMPT
    most_cmee: int = 2
    cmee_numbers: bool = True
    mms_refused: bool = False
    joins_refused: bool = False
    full_blocks_sending: bool = False
    deaf_until: float = 0.0
    byte_time: float = 0.0
    input_limit: int = MAX_INPUT
    boot_noise: bytes = b""
    lines_to_lose: int = 0
    reference_step: int = 1
    notifications_lost: bool = False
    cnmi_refused: bool = False
    absent_memory: str = ""
    other_memory: bool = False
    gaps: bool = False
    pdu_lost: int = 0
    pdu_behind: str = ""
    cmgl_refused: bool = False
    cmgl_incomplete: bool = False
    cnma_time: float = 0.0
    other_numbers: bool = False
    reversed_ports: bool = False
    cd_rom: bool = False
    held: bool = False

    def __post_init__(self, memory: str) -> None:
        self.memories = [memory] * 3
