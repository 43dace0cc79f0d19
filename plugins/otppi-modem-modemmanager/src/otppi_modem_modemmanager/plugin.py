"""Registers the modem type `modemmanager`."""

from collections.abc import Sequence

from otppi.api import hookimpl
from otppi.api.egress import NO_HOOKS, SendHooks
from otppi.api.errors import ModemBlocked
from otppi.api.message import OutgoingMessage
from otppi.api.modem import Modem, ModemContext, ModemIdentity, ModemType
from otppi.api.settings import number
from otppi_modem_modemmanager.text import _


@hookimpl
def otppi_modem_types() -> Sequence[ModemType]:
    """Return the one type of this plugin."""
    return [
        ModemType(
            key="modemmanager",
            title=_("ModemManager"),
            help=_("A modem that ModemManager drives: found by its IMEI, else by its port, else the only one."),
            create=create,
            settings=(
                number(
                    "result_timeout",
                    _("Result time-out"),
                    _("How long ModemManager may take to send a message; then it is unconfirmed."),
                    90.0,
                    minimum=0.5,
                    maximum=600,
                    unit=_("s"),
                ),
            ),
        )
    ]


def create(context: ModemContext) -> Modem:
    """Make a modem. D-Bus is imported now, so that a device without such a modem pays nothing for it."""
    try:
        from otppi_modem_modemmanager.modem import ModemManagerModem
    except ImportError:
        return _WithoutDbus()
    return ModemManagerModem(context)


class _WithoutDbus(Modem):
    """Stands for a modem on a device that cannot talk to ModemManager."""

    def open(self) -> None:
        """Say what is missing."""
        raise ModemBlocked(_("python3-dbus is missing"))

    def send(self, message: OutgoingMessage, hooks: SendHooks = NO_HOOKS) -> None:  # noqa: ARG002 - it is never open
        """Say what is missing."""
        self.open()

    def idle(self, timeout: float) -> None:  # noqa: ARG002 - it is never open
        """Say what is missing."""
        self.open()

    def wake(self) -> None:
        """There is nothing to wake."""

    def close(self) -> None:
        """There is nothing to close."""

    def identity(self) -> ModemIdentity:
        """Nothing is known."""
        return ModemIdentity()
