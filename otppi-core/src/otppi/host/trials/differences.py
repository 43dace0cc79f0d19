"""Where the settings that are kept are not those in use: after a backup of another device or day was put back."""

from collections.abc import Callable, Mapping
from typing import Any

from otppi.api.trials import CannotWrite, Values, WriterType
from otppi.host.settings.config import Config
from otppi.text import Text, _


class Differences:
    """Compares both; nothing is changed. Any thread.

    Only what somebody has set is compared: until then a section has its defaults, and the device is as the brochure
    says.

    Args:
        types: The writers' types by the keys of their sections.
        config: What is kept.
        in_use: Returns what is in use of a section; raises CannotWrite where it cannot be read.
    """

    def __init__(self, types: Mapping[str, WriterType], config: Config, in_use: Callable[[str], Values]) -> None:
        self._types = types
        self._config = config
        self._in_use = in_use
        self.found: Mapping[str, list[str]] = {}
        """The keys of the settings that differ, by the section's key, when it was looked last."""
        self.unknown = False
        """Whether something could not be read when it was looked last."""

    def look(self) -> Mapping[str, list[str]]:
        """Compare all sections, and return the keys of the settings that differ, by the section's key."""
        used: dict[str, Values] = {}
        self.unknown = False
        if any(map(self._config.is_kept, self._types)):
            for key in self._types:
                try:
                    used[key] = self._in_use(key)
                except CannotWrite:
                    self.unknown = True
        found = {key: self._differing(key, used) for key in used if self._config.is_kept(key)}
        self.found = {key: settings for key, settings in found.items() if settings}
        return self.found

    def kept(self, section: str) -> dict[str, Any]:
        """Return what is kept, with secrets, of the settings of a section that differ now."""
        values = self._config.one(section)
        return {key: values[key] for key in self.look().get(section, ())}

    def problems(self) -> list[Text]:
        """Say what differed when it was looked last, and what to do."""
        return [
            _(
                "{section}: what is kept is not what is in use ({settings}), as after a restore: use it, or keep what "
                "is in use (System, Network; otppi network apply {key}, otppi network adopt {key})",
                section=self._types[key].section.title,
                settings=", ".join(str(self._types[key].section[one].title) for one in settings),
                key=key,
            )
            for key, settings in self.found.items()
        ]

    def _differing(self, section: str, used: Mapping[str, Values]) -> list[str]:
        others = {key: values for key, values in used.items() if key != section}
        expected = self._types[section].expected(self._config.one(section), others)
        if expected is None:
            return []
        return [
            one.key
            for one in self._types[section].section.settings
            if expected[one.key] != used[section].get(one.key) and not (one.secret and not expected[one.key])
        ]
