"""The operations on the gateway as a whole: send, how it is, what its modems do, the blocking list, its plugins."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, cast

from otppi.api.errors import InvalidSettings
from otppi.api.operations import Offline, Operation, Role
from otppi.api.settings import number, text
from otppi.host.gateway.gateway import HostGateway
from otppi.host.inbox.inbox import Inbox
from otppi.host.inbox.operations import WAIT
from otppi.host.ingresses.ingresses import Ingresses
from otppi.host.messages.blocklist import Blocklist
from otppi.host.messages.settings import SMS
from otppi.host.modems.internet import InternetLinks
from otppi.host.modems.operations import workers_of
from otppi.host.modems.power_supply import PowerSupply
from otppi.host.modems.sim_check import number_of, sim_problem
from otppi.host.modems.values import ModemValues
from otppi.host.numbering.numbers import numbers_of
from otppi.host.numbering.receivers import receiver_of
from otppi.host.runtime.plugins import Plugins
from otppi.host.runtime.registry import HostCall, origin_of
from otppi.host.runtime.services import Services
from otppi.host.settings.config import Config
from otppi.host.users.api_users import Accounts
from otppi.host.webhook.webhook import Webhook
from otppi.text import _, words
from otppi.wire.errors import FieldError, WireError

_IDENTITY = ("manufacturer", "model", "revision", "imsi", "iccid", "smsc")
_LIST = "blocking list"
_RECEIVER = text("receiver", _("Number"), _("telephone number: 0812…, 62812… or +62812…"), required=True)


@dataclass(frozen=True, slots=True)
class Running:
    """What is known of a gateway that runs by nobody but its composition.

    Attributes:
        started: When it started, in Unix seconds.
        settings_of: Returns the settings by which a modem runs, by its name; None where there is none.
    """

    started: float
    settings_of: Callable[[str], ModemValues | None]


def _send(call: HostCall, receiver: str, message: str, modem: str, wait: float) -> dict[str, Any]:
    """Send an SMS by hand, by a chosen modem if one is named; return its state after at most `wait` seconds.

    Raises:
        InvalidSettings: The number, the text or the modem's name is not valid.
    """
    ticket = call.part(HostGateway).send_by_hand(receiver, message, modem or None, origin_of(call.actor))
    answer = ticket.answer(wait)
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
        "problems": [*(str(problem) for problem in call.part(Config).problems), *services.problems()],
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


def _usage(call: HostCall) -> list[dict[str, Any]]:
    """Return what each modem has sent and spent, and what its limits leave."""
    return [{"modem_id": worker.name, **worker.account.describe()} for worker in workers_of(call)]


def _phone(call: HostCall, after: float) -> list[dict[str, Any]]:
    """Show what arrived on the phones of simulated modems after some Unix time, oldest first."""
    shown = [
        {"arrived": message.arrived, "modem": message.modem, "to": message.destination, "text": message.text}
        for worker in workers_of(call)
        for message in worker.modem.phone()
        if message.arrived > after
    ]
    return sorted(shown, key=lambda message: message["arrived"])


def _blocked(call: HostCall) -> list[dict[str, Any]]:
    """List the blocked receivers, since when (Unix seconds), and who blocked each."""
    return [
        {"receiver": number, "since": entry.since, "by": entry.by}
        for number, entry in call.part(Blocklist).entries().items()
    ]


def _block(call: HostCall, receiver: str) -> dict[str, Any]:
    number = _msisdn(call, receiver)
    return {"receiver": number, "changed": call.part(Blocklist).block(number, str(call.actor))}


def _unblock(call: HostCall, receiver: str) -> dict[str, Any]:
    number = _msisdn(call, receiver)
    return {"receiver": number, "changed": call.part(Blocklist).unblock(number)}


def _msisdn(call: HostCall, receiver: str) -> str:
    sms = call.part(Config).one(SMS)
    try:
        return receiver_of(receiver, numbers_of(sms)).key
    except WireError as error:
        raise InvalidSettings([FieldError("receiver", words(error))]) from error


def _plugins(call: HostCall) -> list[dict[str, Any]]:
    """List the plugins that were found, with what each offers or why it is left out."""
    return [asdict(one) | {"offers": list(one.offers)} for one in call.part(Plugins).status]


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
            WAIT,
        ),
        role=Role.OPERATOR,
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
        name="usage",
        title=_("Usage"),
        help=_("Say how many segments each modem has sent today and this month, of which quota, and what they cost."),
        handler=_usage,
        role=Role.VIEWER,
        reads_only=True,
        command="usage",
        examples=("", "--json | jq '.[].this_month.spent'"),
    ),
    Operation(
        name="phone",
        title=_("Phones of simulated modems"),
        help=_("Show what arrived on the phones of simulated modems. The texts are in the memory of the gateway only."),
        handler=_phone,
        parameters=(number("after", _("After"), _("only what arrived after this Unix time"), 0.0, unit=_("s")),),
        role=Role.OPERATOR,
        reads_only=True,
        command="phone",
        examples=("", "--follow", "--follow --json | jq -r .text"),
    ),
    Operation(
        name="blocked",
        title=_("Blocking list"),
        help=_("List the blocked numbers."),
        handler=_blocked,
        role=Role.OPERATOR,
        reads_only=True,
        command="block list",
        examples=("--json",),
        offline=Offline.YES,
    ),
    Operation(
        name="block_add",
        title=_("Block a number"),
        help=_("Block a number."),
        handler=_block,
        parameters=(_RECEIVER,),
        role=Role.OPERATOR,
        changes=_LIST,
        command="block add",
        positional=("receiver",),
        examples=("081234567890",),
        offline=Offline.CREATES,
    ),
    Operation(
        name="block_remove",
        title=_("Unblock a number"),
        help=_("Unblock a number."),
        handler=_unblock,
        parameters=(_RECEIVER,),
        role=Role.OPERATOR,
        changes=_LIST,
        command="block remove",
        positional=("receiver",),
        examples=("081234567890",),
        offline=Offline.YES,
    ),
    Operation(
        name="plugins",
        title=_("Plugins"),
        help=_("List the plugins that were found, with what each offers or why it is left out."),
        handler=_plugins,
        role=Role.VIEWER,
        reads_only=True,
        offline=Offline.YES,
    ),
)
