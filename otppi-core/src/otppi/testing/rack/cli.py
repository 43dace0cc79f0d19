"""Owns the command line of a rack of simulated modems that runs as a process of its own.

It prints one line of JSON when it is ready (`{"ready": true, "paths": [...]}`) and ends with SIGTERM, with Ctrl-C or
at the end of its standard input; each line there is a command for `otppi.testing.rack.control`.
"""

import argparse
import json
import signal
import socketserver
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TextIO, cast

from otppi.simulator.profile import ModemProfile
from otppi.simulator.pty import ModemRack
from otppi.simulator.vendors import VENDORS
from otppi.testing.rack.control import answer_line
from otppi.testing.rack.log import DialogueLog


def main(arguments: Sequence[str] | None = None, commands: TextIO | None = None, answers: TextIO | None = None) -> int:
    """Run a rack until it is told to end; return the exit status."""
    options = _parser().parse_args(arguments)
    commands, answers = commands or sys.stdin, answers or sys.stdout
    with ExitStack() as stack:
        if threading.current_thread() is threading.main_thread():
            stack.enter_context(_ended_by_signal())
        recorder = None
        if options.log:
            stream = stack.enter_context(options.log.open("a", encoding="utf-8", buffering=1))
            recorder = DialogueLog(stream, with_text=options.log_text)
        rack = stack.enter_context(
            ModemRack(
                options.count, profile=_profile(options), directory=options.dir, recorder=recorder, spin=options.spin
            )
        )
        for fault in options.fault:
            for modem in rack.modems:
                modem.inject(fault)
        if options.control:
            stack.enter_context(_listening(options.control, rack))
        _say(answers, json.dumps({"ready": True, "paths": [str(path) for path in rack.paths]}))
        if options.no_stdin:
            threading.Event().wait()
        for line in commands:
            if line.strip():
                _say(answers, answer_line(rack, line))
    return 0


def _say(answers: TextIO, line: str) -> None:
    answers.write(line + "\n")
    answers.flush()


def _parser() -> argparse.ArgumentParser:
    default = ModemProfile()
    parser = argparse.ArgumentParser(prog="python -m otppi.testing.rack", description=__doc__)
    parser.add_argument("--count", type=int, default=1, help="how many modems (default: 1)")
    parser.add_argument("--dir", type=Path, help="where the links modem0, modem1, … are made (default: temporary)")
    parser.add_argument("--model", choices=VENDORS, help="answer as this model does (default: as none of them)")
    parser.add_argument("--command-time", type=float, default=default.command_time, help="seconds per command")
    parser.add_argument("--prompt-time", type=float, default=default.prompt_time, help="seconds from AT+CMGS to >")
    parser.add_argument("--network-time", type=float, default=default.network_time, help="seconds per SMS")
    parser.add_argument("--report-delay", type=float, default=default.report_delay, help="seconds to the report")
    parser.add_argument("--spin", type=float, default=0.0002, help="seconds before an answer is due to busy-wait")
    parser.add_argument("--pin", help="PIN of the SIM cards (default: not locked)")
    parser.add_argument("--fault", action="append", default=[], help="a fault for all modems from the start")
    parser.add_argument("--log", type=Path, help="append one JSON line per AT+CMGS to this file")
    parser.add_argument("--log-text", action="store_true", help="write the texts there too, not only their SHA-256")
    parser.add_argument("--control", type=Path, help="listen for commands on this Unix socket as well")
    parser.add_argument("--no-stdin", action="store_true", help="take no commands from the standard input")
    return parser


def _profile(options: argparse.Namespace) -> ModemProfile:
    return replace(
        VENDORS.get(options.model, ModemProfile()),
        command_time=options.command_time,
        prompt_time=options.prompt_time,
        network_time=options.network_time,
        report_delay=options.report_delay,
        pin=options.pin,
    )


@contextmanager
def _ended_by_signal() -> Iterator[None]:
    """End the block, without an error, when SIGTERM or SIGINT comes."""

    def end(*_: object) -> None:
        raise _EndError

    previous = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    except _EndError:
        pass
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


class _EndError(Exception):
    """A signal asked for the end."""


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    rack: ModemRack


class _Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        rack = cast("_Server", self.server).rack
        for line in self.rfile:
            self.wfile.write(answer_line(rack, line.decode("utf-8", "replace")).encode() + b"\n")


@contextmanager
def _listening(path: Path, rack: ModemRack) -> Iterator[None]:
    """Answer commands on a Unix socket."""
    path.unlink(missing_ok=True)
    with _Server(str(path), _Handler) as server:
        server.rack = rack
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="modem-control")
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
            path.unlink(missing_ok=True)
