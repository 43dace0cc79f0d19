"""The operations on updates: a bundle is sent piece by piece, tried, and the version before brought back."""

import base64
import binascii
from typing import Any, Final

from otppi.api.errors import InvalidSettings
from otppi.api.operations import Operation, Role
from otppi.api.settings import Kind, Setting, boolean, integer
from otppi.host.runtime.registry import HostCall
from otppi.host.update.security import SecurityUpdates
from otppi.host.update.updates import LARGEST, Updates
from otppi.text import _
from otppi.wire.errors import FieldError

LONGEST_PIECE: Final = 128 * 1024
"""Octets of a piece: in base64 it is a document that the control socket and the JSON API take."""


def _status(call: HostCall) -> dict[str, Any]:
    return call.part(Updates).describe() | {"security": call.part(SecurityUpdates).describe()}


def _receive(call: HostCall, offset: int, content: str) -> dict[str, Any]:
    try:
        octets = base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidSettings([FieldError("content", _("is not base64"))]) from None
    return {"received": call.part(Updates).receive(offset, octets)}


def _install(call: HostCall) -> dict[str, Any]:
    return call.part(Updates).install(call.progress)


def _back(call: HostCall, with_settings: bool) -> dict[str, Any]:
    return call.part(Updates).go_back(with_settings=with_settings)


def _piece_problem(value: object) -> str | None:
    if not isinstance(value, str):
        return _("must be text")
    longest = LONGEST_PIECE // 3 * 4 + 4
    return _("is longer than {most} octets", most=LONGEST_PIECE) if len(value) > longest else None


OPERATIONS = (
    Operation(
        name="update_status",
        title=_("Versions of OTP-Pi"),
        help=_("Tell which version runs, which one the card image came with, and what became of the last update."),
        handler=_status,
        role=Role.VIEWER,
        reads_only=True,
    ),
    Operation(
        name="update_receive",
        title=_("Send an update"),
        help=_(
            "Take a piece of a bundle with a new version, into RAM; the first one has the offset 0. Nothing is done "
            "with it before `update_install`; an hour later it is forgotten."
        ),
        handler=_receive,
        parameters=(
            integer(
                "offset",
                _("Offset"),
                _("how many octets were sent before"),
                0,
                minimum=0,
                maximum=LARGEST,
                required=True,
            ),
            Setting(
                key="content",
                title=_("Content"),
                help=_("the piece, in base64, at most 128 KiB"),
                default=None,
                kind=Kind.ANY,
                required=True,
                check=_piece_problem,
            ),
        ),
        audit=False,
    ),
    Operation(
        name="update_install",
        title=_("Update OTP-Pi"),
        help=_(
            "Use a new version of OTP-Pi, from a bundle that is signed by who made this card image. It is checked, "
            "unpacked beside the version that runs, and sends a test message; then OTP-Pi starts anew with it. If it "
            "does not become ready, the version before runs again by itself. Queued messages stay."
        ),
        handler=_install,
        waits=True,
        asks_again=True,
        command="update",
        examples=("otppi-0.2.0-arm64.bundle", "status", "rollback"),
    ),
    Operation(
        name="update_rollback",
        title=_("Back to the version before"),
        help=_(
            "Use the version before the last update again. OTP-Pi starts anew; queued messages stay, and settings, "
            "too, but where those of before the update are asked for."
        ),
        handler=_back,
        parameters=(
            boolean(
                "with_settings",
                _("Settings, too"),
                _("bring back the settings of before the update: what was changed since is lost"),
                False,
            ),
        ),
        waits=True,
        asks_again=True,
        confirm=_("OTP-Pi starts anew with the version before."),
    ),
)
