"""What a person at the device can ask for, by the command line now and by the admin pages later: one method each.

Arguments and results are plain JSON values, so that they cross the control socket as they are.
"""

from collections.abc import Callable, Mapping
from typing import Any, get_args, get_origin, get_type_hints

from otppi.api.errors import InvalidSettings
from otppi.host.encryption.operations import KeysOperations
from otppi.host.inbox.operations import InboxOperations
from otppi.host.modems.device_operations import DeviceOperations
from otppi.host.modems.sim_check import number_of, sim_problem
from otppi.host.modems.worker import modem_workers
from otppi.host.numbering.numbers import numbers_of
from otppi.host.numbering.receivers import receiver_of
from otppi.host.runtime.operations import CLI
from otppi.wire.errors import FieldError, WireError

_BY = f"{CLI.ingress}/{CLI.sender.name}"
_IDENTITY = ("manufacturer", "model", "revision", "imsi", "iccid", "smsc")


class Operations(InboxOperations, KeysOperations, DeviceOperations):
    """All of them; some need the running gateway."""

    def call(self, name: str, arguments: Mapping[str, Any]) -> Any:
        """Carry out one operation by its name.

        Raises:
            OtpPiError: What the operation raises; LookupError where there is no such operation.
        """
        method = None if str(name).startswith("_") or name == "call" else getattr(self, str(name), None)
        if not callable(method):
            raise LookupError(f"there is no operation {name!r}")  # noqa: TRY004 - not a wrong type: a wrong name
        _check_types(method, arguments)
        return method(**arguments)

    # -- the running gateway ----------------------------------------------------------------------------------------

    def status(self) -> dict[str, Any]:
        """Say how the gateway, its modems and its ways in are."""
        host = self._running()
        return {
            **host.gateway.health(),
            "started": round(host.started),
            "power_supply": host.power_supply.hint(),
            "ingresses": host.ways_in.describe(),
            "inbox": host.inbox.describe(),
            "webhook": host.webhook.describe(),
            "internet": host.internet.status(),
            "logins": host.accounts.log.describe(),
            "problems": [*self.settings_problems(), *host.inbox.problems()],
        }

    def modems(self) -> list[dict[str, Any]]:
        """List the modems with all that is known of each."""
        modems = []
        for worker in modem_workers(self._running().dispatch.workers()):
            identity = worker.modem.identity()
            known = {name: getattr(identity, name) for name in _IDENTITY}
            settings = self._running().settings_of(worker.name)
            known |= {"msisdn": number_of(settings, identity), "sim_problem": sim_problem(settings, identity)}
            modems.append(
                self._running().gateway.overview.describe(worker) | known | {"usage": worker.account.describe()}
            )
        return modems

    def usage(self) -> list[dict[str, Any]]:
        """Say what each modem has sent and spent, and what its limits leave."""
        workers = modem_workers(self._running().dispatch.workers())
        return [{"modem_id": worker.name, **worker.account.describe()} for worker in workers]

    def internet(self) -> list[dict[str, Any]]:
        """Say how the modems' connections to the internet are."""
        return self._running().internet.status()

    def phone(self, after: float = 0.0) -> list[dict[str, Any]]:
        """Show what arrived on the phones of simulated modems after some Unix time, oldest first."""
        shown = [
            {"arrived": message.arrived, "modem": message.modem, "to": message.destination, "text": message.text}
            for worker in modem_workers(self._running().dispatch.workers())
            for message in worker.modem.phone()
            if message.arrived > after
        ]
        return sorted(shown, key=lambda message: message["arrived"])

    # -- blocking list ----------------------------------------------------------------------------------------------

    def blocked(self) -> list[dict[str, Any]]:
        """List the blocked receivers, since when (Unix seconds), and who blocked each."""
        return [
            {"receiver": number, "since": entry.since, "by": entry.by}
            for number, entry in self._data.blocklist.entries().items()
        ]

    def block_add(self, receiver: str) -> dict[str, Any]:
        """Block a receiver."""
        number = self._msisdn(receiver)
        return {"receiver": number, "changed": self._data.blocklist.block(number, _BY)}

    def block_remove(self, receiver: str) -> dict[str, Any]:
        """Unblock a receiver."""
        number = self._msisdn(receiver)
        return {"receiver": number, "changed": self._data.blocklist.unblock(number)}

    # -- plugins ----------------------------------------------------------------------------------------------------

    def plugins(self) -> list[dict[str, Any]]:
        """List the plugins that were found, with what each offers or why it is left out."""
        return [
            {"name": one.name, "distribution": one.distribution, "version": one.version, "error": one.error}
            for one in self._data.plugins.status
        ]

    def _msisdn(self, receiver: str) -> str:
        try:
            return receiver_of(receiver, numbers_of(self._data.config.one("sms"))).key
        except WireError as error:
            raise InvalidSettings([FieldError("receiver", str(error))]) from error


def _check_types(method: Callable[..., Any], arguments: Mapping[str, Any]) -> None:
    """Hold what came over the socket against the operation's signature, before it has done a part of its work."""
    if not isinstance(arguments, Mapping):
        raise InvalidSettings([FieldError("arguments", "must be an object")])
    hints = get_type_hints(method)
    problems = [
        FieldError(name, "has the wrong type")
        for name, value in arguments.items()
        if name in hints and not _is(value, hints[name])
    ]
    if problems:
        raise InvalidSettings(problems)


def _is(value: object, hint: Any) -> bool:
    if hint is Any:
        return True
    if hint is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if get_origin(hint) is list:
        return isinstance(value, list) and all(_is(one, get_args(hint)[0]) for one in value)
    return isinstance(value, hint)
