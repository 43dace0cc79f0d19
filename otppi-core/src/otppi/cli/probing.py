"""Which modem is at which serial port: asks every modem type that can tell, all ports at the same time."""

import errno
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from serial.tools.list_ports import comports

from otppi.api.errors import ModemBlocked, ModemLost
from otppi.api.modem import ModemType
from otppi.cli.language import _
from otppi.host.core import load_plugins
from otppi.host.modems.types import best_type
from otppi.kit.at.port import named, refusal_of, sandbox_refuses, users_of


def serial_ports() -> list[str]:
    """List the serial ports of this device."""
    return sorted(port.device for port in comports())


def probe_ports(paths: Iterable[str]) -> list[dict[str, Any]]:
    """Ask the ports, all at the same time, and return what each answered in the order of the paths.

    `state` is found (a modem answered), blocked (it answered, but needs a person), held (by the programs in `held_by`,
    so it was not asked), silent, refused (by its permissions, or by the rules for devices) or absent.
    """
    types = list(load_plugins().modem_types.values())
    asked = [_in_thread(partial(_probe, path, types)) for path in paths]
    return [one.result() for one in asked]


def _in_thread(function: Callable[[], dict[str, Any]]) -> "Future[dict[str, Any]]":
    """Call a function on a thread that does not keep Ctrl-C waiting."""
    future: Future[dict[str, Any]] = Future()

    def body() -> None:
        try:
            future.set_result(function())
        except BaseException as error:  # noqa: BLE001 - raised again by whoever asks for the result
            future.set_exception(error)

    threading.Thread(target=body, daemon=True).start()
    return future


def _probe(path: str, types: Iterable[ModemType]) -> dict[str, Any]:
    if problem := port_problem(path):
        return problem
    details = []
    for one in types:
        if one.probe is None:  # driven better than probed: it is told by what another type's probe read
            continue
        try:
            identity = one.probe(path)
        except ModemBlocked as error:
            return _result(path, "blocked", error.cause, type=one.key)
        except ModemLost as error:
            details.append(error.cause)
        else:
            return _result(path, "found", type=best_type(types, one, identity).key, identity=asdict(identity))
    return _result(path, "silent", "; ".join(dict.fromkeys(details)))


def port_problem(path: str) -> dict[str, Any] | None:
    """Return why a port cannot be asked or used, or None."""
    if not Path(path).exists():
        return _result(path, "absent", _("there is no {path}", path=path))
    if refusal := refusal_of(path):
        return _result(path, "refused", _why_refused(path, refusal))
    if holders := users_of(path):
        return _result(path, "held", _("held by {named}", named=named(holders)), held_by=holders)
    return None


def _why_refused(path: str, refusal: int) -> str:
    if refusal == errno.EPERM:
        return sandbox_refuses(path)
    return _("may not be opened by this user (add it to the group dialout)")


def _result(path: str, state: str, detail: str = "", **more: Any) -> dict[str, Any]:
    return {"port": path, "state": state, "type": None, "held_by": [], "identity": {}, "detail": detail} | more
