"""What a person can do with the settings and the API users: a part of `otppi.host.control.operations.Operations`."""

from collections.abc import Mapping
from typing import Any

from otppi.api.errors import InvalidSettings
from otppi.api.settings import Section, Setting
from otppi.host.modems.settings import MODEMS
from otppi.host.runtime.operations import Operating
from otppi.host.users.api_users import new_token
from otppi.wire.errors import FieldError


class SettingsOperations(Operating):
    """On the settings that are kept; a gateway that runs uses what was changed at once."""

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
        """Tell what is kept but cannot be used, so that something safe is; a change of the section ends it."""
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
        try:
            return self.settings_import({section_key: items})
        except InvalidSettings as error:  # told as it was typed: nobody who sets m0.port knows that m0 is modems[0]
            place, typed = f"{section_key}[{index}].", f"{section_key}.{item_name}."
            problems = [FieldError(one.field.replace(place, typed, 1), one.reason) for one in error.problems]
            raise InvalidSettings(problems) from error

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


def _setting(section: Section, key: str, path: str) -> Setting:
    for setting in section.settings:
        if key in (setting.key, *setting.aliases):
            return setting
    raise InvalidSettings([FieldError(path, "is not a setting")])
