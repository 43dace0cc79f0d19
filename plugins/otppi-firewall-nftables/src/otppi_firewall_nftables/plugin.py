"""What this plugin registers: the firewall's settings with what changes them, and what follows those of services."""

from collections.abc import Mapping, Sequence

from otppi.api import hookimpl
from otppi.api.operations import Operation
from otppi.api.services import Service, ServiceContext, ServiceType
from otppi.api.trials import Values, Writer, WriterContext, WriterType
from otppi.kit import system_units
from otppi_firewall_nftables.operations import OPERATIONS
from otppi_firewall_nftables.settings import KEY, SECTION
from otppi_firewall_nftables.text import _


@hookimpl
def otppi_firewall_writers() -> Sequence[WriterType]:
    """Return the one writer of this plugin."""
    return [WriterType(section=SECTION, create=_writer, expected=_expected)]


@hookimpl
def otppi_services() -> Sequence[ServiceType]:
    """Return what keeps the ports of services open, where the firewall is ours."""
    if not system_units.in_use():
        return []
    return [
        ServiceType(
            key=KEY,
            title=_("Firewall"),
            help=_("Opens the ports at which the gateway listens, in the card image."),
            create=_service,
            sections=(KEY,),
        )
    ]


@hookimpl
def otppi_operations() -> Sequence[Operation]:
    """Return what is asked of the firewall in few words."""
    return OPERATIONS


def _expected(_values: Values, _others: Mapping[str, Values]) -> None:
    """Say that nothing has to be compared: the service puts the rows that are kept in use when the gateway starts."""


def _writer(context: WriterContext) -> Writer:
    """Import what changes the firewall only where that is wanted: it costs memory."""
    from otppi_firewall_nftables.writer import FirewallWriter

    return FirewallWriter(context)


def _service(context: ServiceContext) -> Service:
    """Import what follows the settings, when the gateway runs."""
    from otppi_firewall_nftables.service import FollowingService

    return FollowingService(context)
