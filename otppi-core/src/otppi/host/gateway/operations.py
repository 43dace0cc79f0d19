"""The operations that need the gateway: send, how it is, what is known of its modems."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from otppi.api.errors import InvalidSettings
from otppi.api.operations import Operation, Role
from otppi.api.settings import boolean, text
from otppi.host.administrators.administrators import Administrators
from otppi.host.gateway.gateway import HostGateway
from otppi.host.gateway.machine import machine
from otppi.host.inbox.inbox import Inbox
from otppi.host.inbox.operations import WAIT
from otppi.host.ingresses.ingresses import Ingresses
from otppi.host.modems.internet import InternetLinks
from otppi.host.modems.operations import workers_of
from otppi.host.modems.power_supply import PowerSupply
from otppi.host.modems.sim_check import number_of, sim_problem
from otppi.host.modems.values import ModemValues
from otppi.host.runtime.registry import HostCall, origin_of
from otppi.host.runtime.services import Services
from otppi.host.settings.config import Config
from otppi.host.users.api_users import Accounts
from otppi.host.webhook.webhook import Webhook
from otppi.text import _, labelled
from otppi.wire.errors import FieldError

_IDENTITY = ("manufacturer", "model", "revision", "imsi", "iccid", "smsc")


@dataclass(frozen=True, slots=True)
class Running:
    """What is known of a gateway that runs by nobody but its composition.

    Attributes:
        started: When it started, in Unix seconds.
        settings_of: Returns the settings by which a modem runs, by its name; None where there is none.
        folder: The data folder.
    """

    started: float
    settings_of: Callable[[str], ModemValues | None]
    folder: Path


def _send(call: HostCall, receiver: str, message: str, modem: str, flash: bool, wait: float) -> dict[str, Any]:
    """Send an SMS by hand, by a chosen modem if one is named; return its state after at most `wait` seconds.

    Raises:
        InvalidSettings: The number, the text or the modem's name is not valid.
    """
    ticket = call.part(HostGateway).send_by_hand(receiver, message, modem or None, origin_of(call.actor), flash=flash)
    answer = ticket.answer(wait)
    return {"response_code": answer.code.value, **cast("Mapping[str, Any]", answer.data)}


def _message(call: HostCall, message_id: str) -> dict[str, Any]:
    """Return the state of a message that the actor sent.

    Raises:
        InvalidSettings: There is none of this id, or somebody else sent it.
    """
    answer = call.part(HostGateway).message(message_id, origin_of(call.actor).sender)
    if answer is None:
        raise InvalidSettings([FieldError("message_id", _("there is no message of this id that you have sent"))])
    return {"response_code": answer.code.value, **cast("Mapping[str, Any]", answer.data)}


def _status(call: HostCall) -> dict[str, Any]:
    """Return how the gateway, its modems and its ingresses are."""
    services = call.part(Services)
    return {
        **call.part(HostGateway).health(),
        "started": round(call.part(Running).started),
        "power_supply": call.part(PowerSupply).hint(),
        "ingresses": call.part(Ingresses).describe(),
        "inbox": call.part(Inbox).describe(),
        "webhook": call.part(Webhook).describe(),
        "internet": call.part(InternetLinks).status(),
        "services": [{"name": name, **about} for name, about in services.describe().items() if "state" in about],
        "logins": call.part(Accounts).log.describe(),
        "administrator_logins": call.part(Administrators).log.describe(),
        "problems": [*(labelled(one.field, one.reason) for one in call.part(Config).problems), *services.problems()],
    }


def _modems(call: HostCall) -> list[dict[str, Any]]:
    """List the modems with all that is known of each."""
    overview, modems = call.part(HostGateway).overview, []
    for worker in workers_of(call):
        identity = worker.modem.identity()
        settings = call.part(Running).settings_of(worker.name)
        known = {name: getattr(identity, name) for name in _IDENTITY}
        known |= {"msisdn": number_of(settings, identity), "sim_problem": sim_problem(settings, identity)}
        modems.append(overview.describe(worker) | known | {"usage": worker.account.describe()})
    return modems


def _machine(call: HostCall) -> dict[str, Any]:
    """Return how the device itself is: sizes in octets, degrees Celsius, volts; null for what it does not tell."""
    return machine(call.part(Running).folder)


OPERATIONS = (
    Operation(
        name="send",
        title=_("Send an SMS"),
        help=_(
            "Send an SMS through the running gateway, and say what became of it.\n\n"
            "Other users of this computer can see the arguments of a command: a secret text had better come from stdin."
        ),
        handler=_send,
        parameters=(
            text(
                "receiver",
                _("Receiver"),
                _("telephone number: 0812…, 62812… or +62812…, or a service number of the operator: 4444, '*888#'"),
                required=True,
            ),
            text("message", _("Text"), _("the text; - or nothing reads it from stdin")),
            text("modem", _("Modem"), _("the modem that is to send it (default: as the routes say)")),
            boolean("flash", _("Flash SMS"), _("shown at once, and kept by no telephone"), False),
            WAIT,
        ),
        role=Role.OPERATOR,
        waits=True,
        subject="modem",
        command="send",
        positional=("receiver", "message"),
        examples=(
            "081234567890 'Your table is ready'",
            "--modem m0 4444 'REG'",
            'printf %s "$CODE" | otppi send +6281234567890 - --modem m0 --wait 30',
        ),
    ),
    Operation(
        name="message",
        title=_("State of a message"),
        help=_("Tell what has become of a message that you have sent."),
        handler=_message,
        parameters=(text("message_id", _("Message"), _("id as send told it"), required=True),),
        role=Role.OPERATOR,
        reads_only=True,
    ),
    Operation(
        name="status",
        title=_("Status"),
        help=_("Say how the running gateway is."),
        handler=_status,
        role=Role.VIEWER,
        reads_only=True,
        command="status",
        examples=("", "--json | jq -r .status"),
    ),
    Operation(
        name="modems",
        title=_("Modems"),
        help=_("List the modems of the running gateway, with all that is known of each."),
        handler=_modems,
        role=Role.VIEWER,
        reads_only=True,
        command="modem list",
        examples=("",),
    ),
    Operation(
        name="machine",
        title=_("Device"),
        help=_("Say how the device itself is: memory, storage, processor, temperature, voltage."),
        handler=_machine,
        role=Role.VIEWER,
        reads_only=True,
    ),
)
