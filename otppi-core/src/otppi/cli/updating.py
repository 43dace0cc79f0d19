"""`otppi update`: a new version from a bundle, what became of it, and the version before."""

import base64
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from otppi.cli.arguments import Options, Parser
from otppi.cli.exits import Exit, Failure
from otppi.cli.generated import Own
from otppi.cli.language import _
from otppi.cli.output import complain, moment, show
from otppi.cli.talk import gateway, running

_STATUS: Final = "status"
_BACK: Final = "rollback"
_PIECE: Final = 96 * 1024
_LONGEST: Final = 1200.0
"""Seconds after which it is no longer waited for what becomes of an update."""
_EVERY: Final = 2.0
_DONE: Final = ("confirmed", "went_back")


def _arguments(parser: Parser) -> None:
    parser.add_argument(
        "what", metavar="FILE", help=_("the bundle; `status`: which versions there are; `rollback`: the version before")
    )
    parser.add_argument(
        "--with-settings",
        action="store_true",
        help=_("with `rollback`: bring back the settings of before the update, too; what was changed since is lost"),
    )


def update(options: Options) -> int:
    """Send the bundle and have it tried, go back, or only tell."""
    client = gateway(options.data)
    before = client.call("update_status", {})
    if options.what == _STATUS:
        show(options, before, _versions(before))
        return Exit.DONE
    if options.what == _BACK:
        begun = _asked(client, "update_rollback", {"with_settings": options.with_settings})
    else:
        _send(client, Path(options.what), quiet=options.json)
        begun = _asked(client, "update_install", {})
    if begun and not options.json:
        print(_("OTP-Pi starts anew; it is waited for."))
    after = _ended(options.data, before)
    show(options, after, _versions(after))
    return Exit.DONE if after["outcome"]["result"] in _DONE else Exit.FAILED


def _send(client: Any, path: Path, *, quiet: bool) -> None:
    """Send a file piece by piece: the gateway may not read what this user may."""
    try:
        with path.open("rb") as file:
            sent = 0
            while piece := file.read(_PIECE):
                content = base64.b64encode(piece).decode("ascii")
                sent = client.call("update_receive", {"offset": sent, "content": content})["received"]
    except OSError as error:
        reason = error.strerror
        raise Failure(Exit.USAGE, _("{name} cannot be read: {reason}", name=str(path), reason=reason)) from error
    if not sent:
        raise Failure(Exit.USAGE, _("{name} is empty", name=str(path)))
    if not quiet:
        print(_("The bundle is sent; it is checked and tried, which takes some minutes."))


def _asked(client: Any, operation: str, arguments: Mapping[str, Any]) -> bool:
    """Ask for what ends with a new start of the gateway, which may come before the answer."""
    from otppi.host.control.client import NoAnswer

    try:
        client.call(operation, arguments, timeout=_LONGEST)
    except NoAnswer:
        return False
    return True


def _ended(data: Path, before: Mapping[str, Any]) -> dict[str, Any]:
    """Wait for a gateway that tells another outcome than before, and that nothing is on trial."""
    from otppi.api.errors import OtpPiError

    never, until = threading.Event(), time.monotonic() + _LONGEST
    while time.monotonic() < until:
        client = running(data)
        if client is not None:
            try:
                told: dict[str, Any] = client.call("update_status", {})
            except OtpPiError:  # it is ending, or not yet there
                told = {}
            if told.get("outcome") and told["outcome"] != before["outcome"] and told["outcome"]["result"] != "on_trial":
                return told
        never.wait(_EVERY)
    complain(_("the gateway does not say what became of it: see otppi update status"))
    raise Failure(Exit.UNCONFIRMED)


def _versions(told: Mapping[str, Any]) -> Iterator[str]:
    yield _("version {version} runs", version=told["running"])
    if told["why"]:
        yield str(told["why"])
    if told["image"]:
        yield _("the card image came with {version}", version=told["image"])
    if told["before"]:
        yield _("the version before: {version}", version=told["before"])
    if outcome := told["outcome"]:
        yield _("last update, {when}: {said}", when=moment(outcome["at"]), said=outcome["said"])


OWN = {"update": Own(update, arguments=_arguments)}
