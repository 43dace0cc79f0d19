"""Registers the modem type `simulated`, and the list of the faults that it can have."""

from collections.abc import Sequence

from otppi.api import hookimpl
from otppi.api.modem import Modem, ModemContext, ModemType
from otppi.api.operations import Call, Offline, Operation, Role
from otppi.api.settings import number, text_list
from otppi.kit.at.modem import AT_SETTINGS
from otppi_modem_simulated.text import _


def _unknown_fault(names: list[str]) -> str | None:
    if not names:
        return None
    from otppi.simulator import FAULTS

    unknown = [name for name in names if name not in FAULTS]
    return (
        _("there is no fault {unknown}; there are {faults}", unknown=", ".join(unknown), faults=", ".join(FAULTS))
        if unknown
        else None
    )


def _create(context: ModemContext) -> Modem:
    """Import the simulator only where it is used: it costs more than a megabyte."""
    from otppi_modem_simulated.modem import SimulatedModem

    return SimulatedModem(context)


@hookimpl
def otppi_modem_types() -> Sequence[ModemType]:
    """Return the one type of this plugin, which is used where no modem is configured."""
    return [
        ModemType(
            key="simulated",
            title=_("simulated modem"),
            help=_("No hardware: what is sent arrives on a simulated phone (otppi phone)."),
            create=_create,
            settings=(
                *AT_SETTINGS,
                number(
                    "network_time",
                    _("Network time"),
                    _("How long the simulated network takes to accept a message."),
                    0.5,
                    minimum=0,
                    maximum=120,
                    unit=_("s"),
                ),
                text_list(
                    "faults",
                    _("Faults"),
                    _("Faults that the simulated modem has from the start, to see what the gateway does then."),
                    check=_unknown_fault,
                ),
            ),
            embedded_default=True,
            quick_codes=("*100#", "*123#"),
        )
    ]


@hookimpl
def otppi_operations() -> Sequence[Operation]:
    """Return the one operation of this plugin."""
    return [
        Operation(
            name="simulated_faults",
            title=_("Faults of simulated modems"),
            help=_("List the faults that a simulated modem can have: what its setting faults can name."),
            handler=_faults,
            role=Role.VIEWER,
            reads_only=True,
            command="simulated faults",
            examples=("", "--json | jq -r .[].fault"),
            offline=Offline.ANYWHERE,
        )
    ]


def _faults(call: Call) -> list[dict[str, str]]:  # noqa: ARG001 - every handler gets the call
    from otppi.simulator import FAULTS

    return [{"fault": name, "summary": fault.summary} for name, fault in FAULTS.items()]
