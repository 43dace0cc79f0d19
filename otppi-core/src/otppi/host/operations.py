"""What a person at the device can ask for, by the command line now and by the admin pages later: one method each.

Arguments and results are plain JSON values, so that they cross the control socket as they are.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any, get_args, get_origin, get_type_hints

from otppi.api.errors import InvalidSettings, OtpPiError
from otppi.api.message import State
from otppi.api.settings import Section, Setting
from otppi.host.accounts import new_token
from otppi.host.answers import Outcome, of_record, of_refusal
from otppi.host.device_operations import DeviceOperations
from otppi.host.dispatch import Refused
from otppi.host.host import DataFolder, Host
from otppi.host.inbox_operations import InboxOperations
from otppi.host.lifecycle import Record
from otppi.host.settings import MODEMS
from otppi.host.ussd_operations import CLI, ModemOperations
from otppi.wire.envelope import ResponseCode
from otppi.wire.errors import FieldError, WireError
from otppi.wire.msisdn import mask, normalise
from otppi.wire.segment import segment

_IDENTITY = ("manufacturer", "model", "revision", "imsi", "iccid", "smsc")


class NotRunning(OtpPiError):  # noqa: N818
    """This needs a gateway that runs, and none does."""


class Operations(InboxOperations, ModemOperations, DeviceOperations):
    """All of them, on a data folder that this process has open; some also need the running gateway."""

    def __init__(self, data: DataFolder, host: Host | None = None) -> None:
        self._data = data
        self._host = host

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
            "ingresses": [
                {
                    "name": name,
                    "state": supervised.supervision.state.value,
                    "failures": supervised.supervision.failures,
                    "last_error": supervised.supervision.last_error,
                    **ingress.describe(),
                }
                for name, (supervised, ingress) in host.ingresses.items()
            ],
            "inbox": host.inbox.describe(),
            "webhook": host.webhook.describe(),
            "internet": host.internet.status(),
            "problems": [*self.settings_problems(), *host.inbox.problems()],
        }

    def modems(self) -> list[dict[str, Any]]:
        """List the modems with all that is known of each."""
        modems = []
        for worker in self._running().dispatch.workers():
            identity = worker.modem.identity()
            known = {name: getattr(identity, name) for name in _IDENTITY}
            modems.append(self._running().gateway.describe(worker) | known | {"usage": worker.account.describe()})
        return modems

    def usage(self) -> list[dict[str, Any]]:
        """Say what each modem has sent and spent, and what its limits leave."""
        return [{"modem_id": worker.name, **worker.account.describe()} for worker in self._running().dispatch.workers()]

    def internet(self) -> list[dict[str, Any]]:
        """Say how the modems' connections to the internet are."""
        return self._running().internet.status()

    def phone(self, after: float = 0.0) -> list[dict[str, Any]]:
        """Show what arrived on the phones of simulated modems after some Unix time, oldest first."""
        shown = [
            {"arrived": message.arrived, "modem": message.modem, "to": message.destination, "text": message.text}
            for worker in self._running().dispatch.workers()
            for message in worker.modem.phone()
            if message.arrived > after
        ]
        return sorted(shown, key=lambda message: message["arrived"])

    def send(self, receiver: str, message: str, modem: str | None = None, wait: float = 15.0) -> dict[str, Any]:
        """Send an SMS by hand, by a chosen modem if one is named; give its state after at most `wait` seconds.

        Raises:
            InvalidSettings: The number, the text or the modem's name is not valid.
        """
        host = self._running()
        sms = self._data.config.one("sms")
        number = self._checked(receiver, message, modem)
        record = Record(CLI, None, number, message, time.time() + sms["default_lifetime"])
        record.only = modem
        if sms["mask_receivers"]:
            record.receiver_shown = mask(number)
        if number in self._data.blocklist:
            refused = Refused(ResponseCode.BLOCKED, "the receiver is on the blocking list")
            return _outcome(of_refusal(refused, None, State.BLOCKED))
        try:
            host.dispatch.take(record)
        except Refused as refused:
            return _outcome(of_refusal(refused, None))
        host.dispatch.wait(record, min(wait, 120.0))
        return _outcome(of_record(record))

    def _checked(self, receiver: str, message: str, modem: str | None) -> str:
        """Give the receiver's MSISDN, or tell all that is wrong at once."""
        sms = self._data.config.one("sms")
        problems, number = [], ""
        try:
            number = normalise(receiver, sms["country_code"])
        except WireError as error:
            problems.append(FieldError("receiver", str(error)))
        try:
            segment(message, max_parts=sms["max_segments"])
        except WireError as error:
            problems.append(FieldError("message", str(error)))
        if not message:
            problems.append(FieldError("message", "is empty"))
        names = [worker.name for worker in self._running().dispatch.workers()]
        if modem is not None and modem not in names:
            problems.append(FieldError("modem", f"there is no active modem of this name; there are {', '.join(names)}"))
        if problems:
            raise InvalidSettings(problems)
        return number

    # -- settings ---------------------------------------------------------------------------------------------------

    def settings_show(self) -> dict[str, Any]:
        """Give all settings for the eyes of a person: asterisks where a secret is set."""
        config = self._data.config
        return {
            key: section.redact(config.one(key))
            if section.identity is None
            else [self._section_of(section, item).redact(item) for item in config.many(key)]
            for key, section in config.sections.items()
        }

    def settings_problems(self) -> list[str]:
        """Tell what is kept but cannot be used, so that its default is; a change of the section ends it."""
        return [str(problem) for problem in self._data.config.problems]

    def settings_export(self, secrets: bool = False) -> dict[str, Any]:
        """Give all settings as a document that `settings_import` takes."""
        return self._data.config.export(secrets=secrets)

    def settings_import(self, document: Any) -> list[str]:
        """Take a document of settings, all or nothing; give the keys of the sections that it changed."""
        changed = self._data.config.update(document)
        if self._host is not None:
            self._host.apply(changed)
        return changed

    def settings_set(self, path: str, value: str) -> list[str]:
        """Set one setting, `section.key` or `section.item.key`, from a text as a person types it."""
        config = self._data.config
        section_key, _, rest = path.partition(".")
        section = config.sections.get(section_key)
        if section is None:
            known = ", ".join(config.sections)
            raise InvalidSettings([FieldError(section_key, f"is not a section; there are {known}")])
        if section.identity is None:
            setting = _setting(section, rest, path)
            changed = config.one(section_key) | {setting.key: setting.from_text(value)}
            return self.settings_import({section_key: changed})
        item_name, _, key = rest.rpartition(".")
        items = [dict(item) for item in config.many(section_key)]
        index = next((index for index, item in enumerate(items) if item[section.identity] == item_name), None)
        if index is None:
            raise InvalidSettings([FieldError(path, f"there is no {section.identity} {item_name!r}")])
        setting = _setting(self._section_of(section, items[index]), key, path)
        changed = items[index] | {setting.key: setting.from_text(value)}
        # A modem of another type leaves the settings of its old type behind.
        own = {one.key for one in self._section_of(section, changed).settings}
        items[index] = {name: kept for name, kept in changed.items() if name in own}
        return self.settings_import({section_key: items})

    def _section_of(self, section: Section, item: Mapping[str, Any]) -> Section:
        """Give the declaration of an object of a list: a modem also has the settings of its type."""
        if section.key == MODEMS.key and item["type"] in self._data.plugins.modem_types:
            return self._data.config.section_of_modem(item["type"])
        return section

    # -- API users --------------------------------------------------------------------------------------------------

    def users(self) -> list[dict[str, Any]]:
        """List the API users, without their secrets."""
        return [
            {
                "username": user["username"],
                "active": user["active"],
                "blocked": user["blocked"],
                "password": bool(user["password_hash"]),
                "tokens": len(user["token_hashes"]),
                "phone": user["phone"],
                "email": user["email"],
            }
            for user in self._data.config.many("api_users")
        ]

    def user_add(
        self, username: str, password: str | None = None, token: bool = False, phone: str = "", email: str = ""
    ) -> dict[str, Any]:
        """Add an API user with a password, a bearer token or both; the token is given this once."""
        users = [dict(user) for user in self._data.config.many("api_users")]
        if any(user["username"] == username for user in users):
            raise InvalidSettings([FieldError("username", "is used already")])
        user: dict[str, Any] = {"username": username, "phone": phone, "email": email}
        answer: dict[str, Any] = {"username": username}
        if password:
            user["password"] = password
        if token:
            answer["token"], kept = new_token()
            user["token_hashes"] = [kept]
        self.settings_import({"api_users": [*users, user]})
        return answer

    def user_remove(self, username: str) -> bool:
        """Remove an API user; False where there was none."""
        users = self._data.config.many("api_users")
        left = [user for user in users if user["username"] != username]
        self.settings_import({"api_users": left})
        return len(left) < len(users)

    # -- blocking list ----------------------------------------------------------------------------------------------

    def blocked(self) -> list[dict[str, Any]]:
        """List the blocked receivers, and since when (Unix seconds)."""
        return [{"receiver": number, "since": since} for number, since in self._data.blocklist.entries().items()]

    def block_add(self, receiver: str) -> dict[str, Any]:
        """Block a receiver."""
        number = self._msisdn(receiver)
        return {"receiver": number, "changed": self._data.blocklist.block(number)}

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

    def _running(self) -> Host:
        if self._host is None:
            raise NotRunning("the gateway is not running (start it with: otppi run)")
        return self._host

    def _msisdn(self, receiver: str) -> str:
        try:
            return normalise(receiver, self._data.config.one("sms")["country_code"])
        except WireError as error:
            raise InvalidSettings([FieldError("receiver", str(error))]) from error


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {"response_code": outcome.code.value, **outcome.data}


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


def _setting(section: Section, key: str, path: str) -> Setting:
    for setting in section.settings:
        if key in (setting.key, *setting.aliases):
            return setting
    raise InvalidSettings([FieldError(path, "is not a setting")])
