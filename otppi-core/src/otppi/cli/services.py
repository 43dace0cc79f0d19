"""`otppi service`, `restart` and `device`: how services are listed, and what is said of what was changed."""

from collections.abc import Mapping
from typing import Any

from otppi.cli.arguments import Options
from otppi.cli.exits import Exit
from otppi.cli.generated import Own
from otppi.cli.language import _, spoken
from otppi.cli.output import columns, moment, show
from otppi.text.states import egress_said

_COLUMNS = {"service": "SERVICE", "state": "STATE", "since": "SINCE", "title": "TITLE", "problem": "PROBLEM"}


def _listed(options: Options, services: Any) -> int:
    show(options, services, columns([_shown(one) for one in services], _COLUMNS))
    return Exit.DONE


def _told(options: Options, service: Any) -> int:
    show(options, service, columns([_shown(service)], _COLUMNS))
    return Exit.DONE


def _shown(service: Mapping[str, Any]) -> dict[str, Any]:
    since = moment(service["since"]) if service["since"] else ""
    return {**service, "state": spoken(egress_said(service["state"])), "since": since}


def _restarting(options: Options, answer: Any) -> int:
    show(options, answer, [_("the gateway restarts; queued messages stay")])
    return Exit.DONE


def _rebooting(options: Options, answer: Any) -> int:
    show(options, answer, [_("the device restarts, which takes a minute or two")])
    return Exit.DONE


def _powering_off(options: Options, answer: Any) -> int:
    show(options, answer, [_("the device switches off; it starts again when its power is cut and comes back")])
    return Exit.DONE


OWN = {
    "service list": Own(show=_listed),
    "service stop": Own(show=_told),
    "service start": Own(show=_told),
    "service restart": Own(show=_told),
    "restart": Own(show=_restarting),
    "device reboot": Own(show=_rebooting),
    "device power-off": Own(show=_powering_off),
}
