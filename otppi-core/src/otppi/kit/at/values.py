"""What the settings of a modem hold that `kit.at.modem.AtModem` drives, for mypy.

What may be left out has a default where it is read: not every type of modem declares it.
"""

from typing import NotRequired, TypedDict


class PortValues(TypedDict):
    """How a serial port is opened."""

    baud_rate: int
    parity_bit: str
    stop_bits: float
    flow_control: NotRequired[str]


class LineValues(TypedDict):
    """What is known of the line."""

    baud_rate: int
    chunk_size: NotRequired[int]
    chunk_pause: NotRequired[float]


class StartValues(TypedDict):
    """By what a modem is made ready to send."""

    sim_card_pin: str
    sms_center: str
    init_commands: NotRequired[list[str]]


class AtModemValues(PortValues, LineValues, StartValues):
    """The settings of section `modems` that are read here, and the values of `AT_SETTINGS`."""

    name: str
    active: bool
    port: str
    imei: NotRequired[str]
    prompt_timeout: float
    result_timeout: float
