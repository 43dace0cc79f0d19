"""Stopping and starting services, the gateway and the device: each is asked about first, with what it means."""

import secrets
from collections.abc import Mapping
from typing import Any, Final

import cherrypy

from otppi.admin.pages.answers import PageError, drawn, perform, see_other, text_of
from otppi.admin.pages.form_fields import trouble as why_not
from otppi.admin.pages.tried import tried
from otppi.admin.parts import Parts
from otppi.admin.security.guard import form, public
from otppi.api.errors import OtpPiError
from otppi.api.operations import Role
from otppi.text import Text, _

_STOPPED: Final[Mapping[str, Text]] = {
    "modem": _(
        "It finishes the message that it is sending. What waits goes by another modem that may send it, or waits. New "
        "messages that only this modem may send are refused."
    ),
    "mail": _(
        "It finishes the e-mail that it is sending. What waits goes by another account, or waits. New e-mails that "
        "only this account may send are refused."
    ),
    "ingress": _(
        "What has been taken in is answered first. Then nothing comes in by it: applications get no connection, and a "
        "broker keeps messages as far as it keeps any."
    ),
    "internet": _("The modem hangs up. What uses this connection is cut off."),
    "service": _("It ends what it does."),
}
"""What a stop means, by the kind of the service."""
_TITLES: Final[Mapping[str, Text]] = {
    "stop": _("Stop {name}?"),
    "start": _("Start {name}?"),
    "restart": _("Restart {name}?"),
}
_DONE: Final[Mapping[str, Text]] = {
    "stop": _("{name} is stopped."),
    "start": _("{name} is started."),
    "restart": _("{name} is restarted."),
}


_DEVICE: Final[Mapping[str, str]] = {"device_reboot": "/services/reboot", "device_power_off": "/services/off"}
"""Where it is asked whether to do that with the device."""


class ServicePages:
    """`/services/stop`, `/services/start` and `/services/restart` of a `service`, and those of gateway and device."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._run = secrets.token_hex(8)

    @property
    def run(self) -> str:
        """What tells this run of the gateway from the next one."""
        return self._run

    @form(Role.OPERATOR)
    def stop(self, **fields: Any) -> bytes:
        """Stop a service."""
        return self._switched("stop", text_of(fields, "service"))

    @form(Role.OPERATOR)
    def start(self, **fields: Any) -> bytes:
        """Start a service."""
        return self._switched("start", text_of(fields, "service"))

    @form(Role.OPERATOR)
    def restart(self, **fields: Any) -> bytes:
        """Stop a service, and start it."""
        return self._switched("restart", text_of(fields, "service"))

    @form(Role.ADMINISTRATOR)
    def gateway(self, **_fields: Any) -> bytes:
        """Restart the gateway."""
        if cherrypy.request.method != "POST":
            return drawn(self._parts, "gateway_restart.html", trouble="")
        try:
            perform(self._parts, "restart")
        except OtpPiError as error:
            return drawn(self._parts, "gateway_restart.html", 503, trouble=why_not(error))
        return self._restarting(self._run)

    @form(Role.ADMINISTRATOR, fresh=True)
    def reboot(self, **_fields: Any) -> bytes:
        """Have the device start anew."""
        return self._device("device_reboot")

    @form(Role.ADMINISTRATOR, fresh=True)
    def off(self, **_fields: Any) -> bytes:
        """Switch the device off."""
        return self._device("device_power_off")

    def _device(self, operation: str) -> bytes:
        outcome = tried(lambda: perform(self._parts, operation)) if cherrypy.request.method == "POST" else None
        if outcome is not None and not outcome.problems:
            return drawn(self._parts, "device_going.html", operation=operation, run=self._run)
        return drawn(
            self._parts,
            "device_power.html",
            200 if outcome is None else outcome.status,
            operation=operation,
            action=_DEVICE[operation],
            trouble="" if outcome is None else outcome.problems[""],
            waiting=perform(self._parts, "status")["queued"],
        )

    @public("GET", "HEAD")
    def back(self, **fields: Any) -> bytes:
        """Wait for the next run of the gateway; whoever asks before it is there waits at its port, which stays open."""
        run = text_of(fields, "after")
        return self._restarting(run) if run == self._run else see_other("/")

    def _restarting(self, run: str) -> bytes:
        return drawn(self._parts, "restarting.html", again=f"/services/back?after={run}")

    def _switched(self, what: str, key: str) -> bytes:
        services = {one["service"]: one for one in perform(self._parts, "services")}
        if key not in services:
            raise PageError(404, _("There is no such service"), _("It may have another name now, or none."))
        service = services[key]
        if cherrypy.request.method != "POST":
            return self._ask(what, service)
        try:
            perform(self._parts, f"service_{what}", service=key)
        except OtpPiError as error:
            return self._ask(what, service, 503, why_not(error))
        return see_other("/", _said(_DONE[what], service))

    def _ask(self, what: str, service: Mapping[str, Any], status: int = 200, trouble: str = "") -> bytes:
        return drawn(
            self._parts,
            "service.html",
            status,
            what=what,
            service=service,
            title=_said(_TITLES[what], service),
            meaning=_STOPPED[service["kind"]],
            trouble=trouble,
        )


def _said(text: Text, service: Mapping[str, Any]) -> Text:
    return text.filled(name=service["title"])
