"""Owns the record of sending dialogues: one JSON line per AT+CMGS, for benchmarks to measure by."""

import hashlib
import json
from typing import TextIO

from otppi.simulator.dialogue import Dialogue


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
