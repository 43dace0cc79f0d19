"""Owns the record of sending dialogues: one JSON line per AT+CMGS, for benchmarks to measure by."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TextIO

from otppi.wire.tpdu import SmsSubmit


@dataclass(slots=True)
class Dialogue:
    """One AT+CMGS dialogue in progress. Times are seconds of `time.monotonic()`, comparable between processes on Linux.

    Attributes:
        length: the TPDU's octets as AT+CMGS told them.
        first_byte: when the first byte of the AT+CMGS line was read.
        ctrl_z: when the Ctrl-Z was read; 0 before.
        deaf_until: what arrives before this time is lost: the modem is not ready for it.
        number: in text mode, the receiver as AT+CMGS told it.
        submit: what was submitted, as soon as it is known to be a good TPDU.
    """

    length: int
    first_byte: float
    ctrl_z: float = 0.0
    ready: float = 0.0
    deaf_until: float = 0.0
    number: str = ""
    submit: SmsSubmit | None = None


Recorder = Callable[[str, Dialogue, str, float], None]
"""Takes the modem's name, a dialogue, its final answer ("" if it is never told) and the time of the answer."""


class DialogueLog:
    """Writes one JSON object per dialogue to a text stream (line buffering is the stream's matter).

    The members are `modem`, `first_byte`, `ctrl_z`, `answered` (monotonic seconds), `result` (first line of the
    answer) and, where a TPDU came, `destination`, `sha256` of the part's text and, only if asked for, `text`.
    """

    def __init__(self, stream: TextIO, *, with_text: bool = False) -> None:
        self._stream = stream
        self._with_text = with_text

    def __call__(self, modem: str, dialogue: Dialogue, result: str, answered: float) -> None:
        """Write the record of one dialogue."""
        record: dict[str, object] = {
            "modem": modem,
            "first_byte": dialogue.first_byte,
            "ctrl_z": dialogue.ctrl_z,
            "answered": answered,
            "result": result,
        }
        if dialogue.submit:
            text = dialogue.submit.user_data.text
            record["destination"] = dialogue.submit.destination.digits
            record["sha256"] = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
            if self._with_text:
                record["text"] = text
        self._stream.write(json.dumps(record) + "\n")
