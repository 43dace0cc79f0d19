"""`otppi self-test`: a gateway of its own, for a minute, sends a message by a simulated modem to a simulated phone.

A new version does so before it takes the place of the one that runs. All of it is in a folder that is gone afterwards;
no port is opened, no modem of this computer is looked at, and the gateway that runs here hears nothing of it.
"""

import os
import secrets
import tempfile
from pathlib import Path
from typing import Any, Final

from otppi.cli.arguments import Commands, Options
from otppi.cli.exits import Exit, Failure
from otppi.cli.language import _
from otppi.cli.output import show

_RECEIVER: Final = "081234567890"
_PATIENCE: Final = 180.0
"""Seconds in which it has to be sent, on a device that is slow and busy."""
_RAM: Final = "/dev/shm"  # noqa: S108 - a folder of its own is made in it, for its user only
_SENT: Final = "0000"
_SETTINGS: Final[dict[str, Any]] = {
    "administration": {"enable": False},
    "modems": [{"name": "test", "type": "simulated", "network_time": 0.0, "default_modem": True}],
}


def add(commands: Commands) -> None:
    """Add the command."""
    commands.command(
        "self-test",
        _(
            "Test this version of OTP-Pi: it sends a message by a simulated modem, in a folder of its own that is gone "
            "afterwards. The gateway that runs here is not touched."
        ),
        self_test,
        ["otppi self-test"],
    )


def self_test(options: Options) -> int:
    """Send one message, and see whether it arrives."""
    text = f"test {secrets.token_hex(8)}"
    from otppi.cli import logs

    # In RAM where that can be had: the card is spared, and a gateway without a spool warns of it.
    base = _RAM if os.access(_RAM, os.W_OK) else None
    with logs.silent(), tempfile.TemporaryDirectory(prefix="otppi-self-test-", dir=base) as folder:
        arrived = _arrived(Path(folder), text)
    if not arrived:
        raise Failure(Exit.FAILED, _("the test message did not arrive"))
    show(options, {"sent": True}, [_("a message was sent, and arrived")])
    return Exit.DONE


def _arrived(folder: Path, text: str) -> bool:
    """Whether a message arrives that a gateway in this folder sends."""
    from otppi.host.core import load_plugins
    from otppi.host.data_folder import DataFolder
    from otppi.host.host import Host
    from otppi.host.parts import registry_of
    from otppi.host.runtime.registry import COMMAND_LINE, origin_of

    boot = folder / "boot"
    boot.mkdir(mode=0o700)
    data = DataFolder(folder / "data", plugins=load_plugins())
    try:
        rest = {"ingress-rest": {"http_enable": False, "https_enable": False}}
        data.config.provision({key: one for key, one in (_SETTINGS | rest).items() if key in data.config.sections})
        host = Host(data, boot)
        registry = registry_of(data, host)
    except BaseException:
        data.close()
        raise
    try:
        host.start()
        answer = host.gateway.send_by_hand(_RECEIVER, text, None, origin_of(COMMAND_LINE)).answer(_PATIENCE)
        phone = registry.call("phone", {}, COMMAND_LINE)
        return answer.code.value == _SENT and [one["text"] for one in phone] == [text]
    finally:
        host.stop()  # it closes the folder, too
