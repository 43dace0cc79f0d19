"""What a person at the device can ask for, by the command line now and by the admin pages later: one method each.

Arguments and results are plain JSON values, so that they cross the control socket as they are.
"""

import time
from collections.abc import Mapping
from typing import Any

from otppi.api.errors import InvalidSettings, OtpPiError
from otppi.wire.errors import FieldError
from otppi.api.ingress import Origin, Sender
from otppi.host.accounts import new_token
from otppi.host.answers import of_record
from otppi.host.dispatch import Refused
from otppi.host.gateway import describe_modem
from otppi.host.host import DataFolder, Host
from otppi.host.lifecycle import Record
from otppi.wire.errors import WireError
from otppi.wire.msisdn import mask, normalise

_CLI = Origin("command-line", Sender("administrator"))


class NotRunning(OtpPiError):  # noqa: N818
    """This needs a gateway that runs, and none does."""


class Operations:
    """All of them, on a data folder that this process has open; some also need the running gateway."""

    def __init__(self, data: DataFolder, host: Host | None = None) -> None:
        self._data = data
        self._host = host

    def call(self, name: str, arguments: Mapping[str, Any]) -> Any:
        """Carry out one operation by its name.

        Raises:
            OtpPiError: What the operation raises; LookupError where there is no such operation.
        """
        if name.startswith("_") or name == "call" or not callable(method := getattr(self, name, None)):
            raise LookupError(f"there is no operation {name!r}")
        return method(**arguments)

    # -- the running gateway ----------------------------------------------------------------------------------------

    def status(self) -> dict[str, Any]:
        """Say how the gateway, its modems and its ways in are."""
        host = self._running()
        return {
            **host.gateway.health(),
            "started": round(host.started),
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
            "problems": [str(problem) for problem in self._data.config.problems],
        }

    def modems(self) -> list[dict[str, Any]]:
        """List the modems with all that is known of each."""
        modems = []
        for worker in self._running().dispatch.workers():
            identity = worker.modem.identity()
            read = {name: getattr(identity, name) for name in ("manufacturer", "model", "revision", "imsi", "iccid", "smsc")}
            modems.append(describe_modem(worker) | read)
        return modems

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
            InvalidSettings: The number or the modem's name is not valid.
            Refused: It was not taken in.
        """
        host = self._running()
        if modem is not None and modem not in (worker.name for worker in host.dispatch.workers()):
            raise InvalidSettings([FieldError("modem", "there is no active modem of this name")])
        number = self._msisdn(receiver)
        if not message:
            raise InvalidSettings([FieldError("message", "is empty")])
        lifetime = self._data.config.one("sms")["default_lifetime"]
        record = Record(_CLI, None, number, message, time.time() + lifetime)
        record.only = modem
        if self._data.config.one("sms")["mask_receivers"]:
            record.receiver_shown = mask(number)
        try:
            host.dispatch.take(record)
        except Refused as refused:
            return {"response_code": refused.code.value, "state": "failed", "cause": refused.cause}
        host.dispatch.wait(record, min(wait, 120.0))
        outcome = of_record(record)
        return {"response_code": outcome.code.value, **outcome.data}

    # -- settings ---------------------------------------------------------------------------------------------------

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
            raise InvalidSettings([FieldError(section_key, f"is not a section; there are {', '.join(config.sections)}")])
        if section.identity is None:
            setting = _setting(section.settings, rest, path)
            return self.settings_import({section_key: config.one(section_key) | {setting.key: setting.from_text(value)}})
        item_name, _, key = rest.rpartition(".")
        items = [dict(item) for item in config.many(section_key)]
        item = next((item for item in items if item[section.identity] == item_name), None)
        if item is None:
            raise InvalidSettings([FieldError(path, f"there is no {section.identity} {item_name!r}")])
        own = config.section_of_modem(item["type"]) if section_key == "modems" else section
        setting = _setting(own.settings, key, path)
        item[setting.key] = setting.from_text(value)
        return self.settings_import({section_key: items})

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


def _setting(settings: Any, key: str, path: str) -> Any:
    for setting in settings:
        if key in (setting.key, *setting.aliases):
            return setting
    raise InvalidSettings([FieldError(path, "is not a setting")])
