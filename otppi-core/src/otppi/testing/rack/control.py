"""Owns the commands with which another process plays with a rack of modems: JSON objects in, JSON objects out."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from otppi.simulator.faults.table import FAULTS
from otppi.simulator.pty import ModemRack, RackedModem
from otppi.wire.errors import WireError

_NUMBER = (int, float)
_MEMBERS: Mapping[str, type | tuple[type, ...]] = {
    "do": str,
    "modem": (int, str),
    "fault": str,
    "at": int,
    "times": int,
    "command": str,
    "code": int,
    "seconds": _NUMBER,
    "originator": str,
    "text": str,
    "since": int,
    "wait": _NUMBER,
    "covered": bool,
    "flash": bool,
    "reference": int,
    "wide": bool,
    "order": list,
    "missing": list,
    "payload": str,
}
_PARTS = ("reference", "wide", "order", "missing")
_INJECTION = ("at", "times", "command", "code", "seconds")

Command = Mapping[str, Any]
Answer = dict[str, object]


class ControlError(ValueError):
    """A control command is not understood; the text says why."""


def answer_line(rack: ModemRack, line: str) -> str:
    """Obey one line of JSON and return the line to answer: `{"ok": true, ...}` or `{"ok": false, "error": ...}`."""
    try:
        answer = {"ok": True, **obey(rack, json.loads(line))}
    except (ControlError, json.JSONDecodeError) as error:
        answer = {"ok": False, "error": str(error)}
    return json.dumps(answer)


def obey(rack: ModemRack, command: Command) -> Answer:
    """Obey one command; `do` names it, `modem` is a number or a name (default: the first).

    - `{"do": "inject", "fault": "cms-error", "at": 3, "code": 38}`, see `ModemPeer.inject`
    - `{"do": "heal"}`, or one fault with `"fault"`
    - `{"do": "unplug", "seconds": 5}` (without `seconds` for good), `{"do": "replug"}`
    - `{"do": "restart", "seconds": 2}`: it starts anew by itself, and its port stays
    - `{"do": "coverage", "covered": false}`: the network is gone, or with `true` back
    - `{"do": "deliver", "originator": "+628…", "text": "…"}`, with `"flash": true` as class 0
    - `{"do": "deliver_parts", "originator": "+628…", "text": "…", "reference": 7, "order": [3, 1], "missing": [2]}`,
      with `"wide": true` under a reference of 16 bits; see `ModemPeer.deliver_parts`
    - `{"do": "deliver_binary", "originator": "+628…", "payload": "0605…"}`: octets in hexadecimal
    - `{"do": "arrived", "since": 0}`: the messages after the `since`-th; `"wait": 2.5` waits for one
    - `{"do": "status"}`: paths, faults and counts; `{"do": "faults"}`: the table of faults

    Raises:
        ControlError: it is not understood, or names what does not exist.
    """
    verb = _VERBS[_checked(command)["do"]]
    try:
        return verb(rack, command)
    except KeyError as error:
        raise ControlError(f"{command['do']}: there is no {error}") from None
    except (ValueError, WireError) as error:
        raise ControlError(str(error)) from None


def _checked(command: object) -> Command:
    """Return the command once all its members are known and of their type."""
    if not isinstance(command, Mapping):
        raise ControlError("a command is an object")
    for name, value in command.items():
        if not isinstance(value, _MEMBERS.get(name, ())):
            raise ControlError(f"unknown or of a wrong type: {name}")
        if isinstance(value, list) and not all(isinstance(each, int) for each in value):
            raise ControlError(f"not numbers: {name}")
    if command.get("do") not in _VERBS:
        raise ControlError(f"'do' must be one of {', '.join(_VERBS)}")
    return command


def _modem(rack: ModemRack, command: Command) -> RackedModem:
    wanted = command.get("modem", 0)
    for number, modem in enumerate(rack.modems):
        if wanted in (number, modem.profile.name):
            return modem
    raise ControlError(f"there is no modem {wanted}")


def _inject(rack: ModemRack, command: Command) -> Answer:
    parameters = {name: command[name] for name in _INJECTION if name in command}
    _modem(rack, command).inject(command["fault"], **parameters)
    return {}


def _heal(rack: ModemRack, command: Command) -> Answer:
    _modem(rack, command).heal(command.get("fault"))
    return {}


def _unplug(rack: ModemRack, command: Command) -> Answer:
    _modem(rack, command).unplug(command.get("seconds"))
    return {}


def _restart(rack: ModemRack, command: Command) -> Answer:
    _modem(rack, command).restart(command.get("seconds", 0.0))
    return {}


def _replug(rack: ModemRack, command: Command) -> Answer:
    _modem(rack, command).replug()
    return {}


def _coverage(rack: ModemRack, command: Command) -> Answer:
    _modem(rack, command).set_coverage(command["covered"])
    return {}


def _deliver(rack: ModemRack, command: Command) -> Answer:
    _modem(rack, command).deliver(command["originator"], command["text"], flash=command.get("flash", False))
    return {}


def _deliver_parts(rack: ModemRack, command: Command) -> Answer:
    how = {name: command[name] for name in _PARTS if name in command}
    _modem(rack, command).deliver_parts(command["originator"], command["text"], **how)
    return {}


def _deliver_binary(rack: ModemRack, command: Command) -> Answer:
    _modem(rack, command).deliver_binary(command["originator"], bytes.fromhex(command["payload"]))
    return {}


def _arrived(rack: ModemRack, command: Command) -> Answer:
    messages = rack.network.since(command.get("since", 0), command.get("wait", 0.0))
    return {
        "parts": rack.network.part_count,
        "messages": rack.network.message_count,
        "arrived": [asdict(message) for message in messages],
    }


def _status(rack: ModemRack, _: Command) -> Answer:
    return {
        "messages": rack.network.message_count,
        "modems": [
            {"name": each.profile.name, "path": str(each.path), "plugged": each.plugged, "faults": each.faults}
            for each in rack.modems
        ],
    }


def _faults(_rack: ModemRack, _command: Command) -> Answer:
    return {"faults": [{"name": each.name, "row": each.row, "does": each.summary} for each in FAULTS.values()]}


_VERBS: dict[str, Callable[[ModemRack, Command], Answer]] = {
    "inject": _inject,
    "heal": _heal,
    "unplug": _unplug,
    "restart": _restart,
    "replug": _replug,
    "coverage": _coverage,
    "deliver": _deliver,
    "deliver_parts": _deliver_parts,
    "deliver_binary": _deliver_binary,
    "arrived": _arrived,
    "status": _status,
    "faults": _faults,
}
