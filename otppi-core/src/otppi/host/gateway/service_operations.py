"""The operations that stop and start what the gateway is made of, and the gateway itself."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from otppi.api.errors import InvalidSettings
from otppi.api.operations import Operation, Role
from otppi.api.settings import text
from otppi.host.gateway.restarting import Restarting
from otppi.host.runtime.registry import HostCall
from otppi.host.runtime.services import Services
from otppi.host.runtime.switches import ServiceSwitch
from otppi.text import _
from otppi.wire.errors import FieldError

_SERVICE = text(
    "service",
    _("Service"),
    _("Which, as `otppi service list` names it: an ingress, `modem:NAME`, `mail:NAME`, `internet:NAME`."),
    required=True,
)


def _services(call: HostCall) -> list[dict[str, Any]]:
    """List what may be stopped and started."""
    return [_described(one) for one in call.part(Services).switches()]


def _described(switch: ServiceSwitch) -> dict[str, Any]:
    told = asdict(switch)
    return {"service": told.pop("key"), **told, "since": round(switch.since)}


def _stop(call: HostCall, service: str) -> dict[str, Any]:
    return _do(call, service, lambda services: services.switch_off(service))


def _start(call: HostCall, service: str) -> dict[str, Any]:
    return _do(call, service, lambda services: services.switch_on(service))


def _restart(call: HostCall, service: str) -> dict[str, Any]:
    def do(services: Services) -> None:
        services.switch_off(service)
        services.switch_on(service)

    return _do(call, service, do)


def _do(call: HostCall, service: str, do: Callable[[Services], None]) -> dict[str, Any]:
    """Do something with a service, and return how it is then.

    Raises:
        InvalidSettings: There is none of this name.
    """
    services = call.part(Services)
    try:
        do(services)
    except LookupError:
        raise InvalidSettings(
            [FieldError("service", _("there is no such service (the services: otppi service list)"))]
        ) from None
    return next(_described(one) for one in services.switches() if one.key == service)


def _restart_gateway(call: HostCall) -> dict[str, Any]:
    call.part(Restarting).ask()
    return {"restarting": True}


OPERATIONS = (
    Operation(
        name="services",
        title=_("Services"),
        help=_("List what may be stopped and started while the gateway runs, and how each is."),
        handler=_services,
        role=Role.VIEWER,
        reads_only=True,
        command="service list",
        default_command=True,
        examples=("", "--json | jq '.[] | select(.stopped)'"),
    ),
    Operation(
        name="service_stop",
        title=_("Stop a service"),
        help=_(
            "Stop a modem, an ingress, an e-mail account, a connection to the internet or a plugin's service. It "
            "finishes what it is at. It stays stopped until it is started, or the gateway starts the next time; its "
            "settings switch it off for good.\n\n"
            "No message is lost: what waits for a modem goes by another one that may send it, or waits; what waits at "
            "a broker stays there, and who sends by HTTP gets no connection."
        ),
        handler=_stop,
        parameters=(_SERVICE,),
        role=Role.OPERATOR,
        changes="services",
        subject="service",
        command="service stop",
        positional=("service",),
        examples=("ingress-rabbitmq", "modem:m0"),
    ),
    Operation(
        name="service_start",
        title=_("Start a service"),
        help=_("Start what was stopped."),
        handler=_start,
        parameters=(_SERVICE,),
        role=Role.OPERATOR,
        changes="services",
        subject="service",
        command="service start",
        positional=("service",),
        examples=("ingress-rabbitmq", "modem:m0"),
    ),
    Operation(
        name="service_restart",
        title=_("Restart a service"),
        help=_("Stop a service after what it is at, and start it."),
        handler=_restart,
        parameters=(_SERVICE,),
        role=Role.OPERATOR,
        changes="services",
        subject="service",
        command="service restart",
        positional=("service",),
        examples=("modem:m0",),
    ),
    Operation(
        name="restart",
        title=_("Restart the gateway"),
        help=_(
            "Stop the gateway after what it is at, and start it. Queued messages stay, and services that were stopped "
            "are started. Whoever is logged in to the administration has to log in again."
        ),
        handler=_restart_gateway,
        command="restart",
        examples=("",),
    ),
)
