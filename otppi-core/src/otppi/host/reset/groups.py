"""The parts that can be reset: each setting's section names its own, and some have files, the network or the claim."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from otppi.api.settings import Section
from otppi.text import Text, _

ADMINISTRATOR: Final = "administrator"
NETWORK: Final = ("dhcp", "wlan", "ethernet")
BY_CODE: Final = (ADMINISTRATOR, *NETWORK)
"""What `reset.txt` resets."""


@dataclass(frozen=True, slots=True)
class Beside:
    """What a part has besides settings.

    Attributes:
        says: What it is, to people.
        files: Of the data folder, by patterns of their names; they are removed.
        network: Whether files of the network are brought back to what the brochure says.
    """

    says: Text
    files: tuple[str, ...] = ()
    network: bool = False


BESIDE: Final[Mapping[str, Beside]] = MappingProxyType(
    {
        ADMINISTRATOR: Beside(
            _("the mark that the device has an administrator: whoever has the brochure may create one"),
            ("claimed", "first-steps"),
        ),
        "dhcp": Beside(_("addresses that the access point gives"), network=True),
        "wlan": Beside(_("the access point: name, passphrase and address as on the brochure"), network=True),
        "ethernet": Beside(_("the cable's addresses"), network=True),
        "blocking": Beside(_("the blocking list"), ("blocking-list",)),
        "keystore": Beside(
            _("the certificate of pages and API, and the keys of encrypted messages: new ones are made"),
            ("administration/*", "encryption-keys.json"),
        ),
    }
)

WIPED: Final = (
    _("all settings with their secrets: administrators, users of the API, passwords of brokers and e-mail accounts"),
    _("the keys of encrypted messages, and the certificates"),
    _("messages that came in, those that wait, the report, the blocking list, usage and the audit trail"),
    _("a restore that waits, and the state before the last one"),
    _("the network: as on the brochure"),
)
"""What a wipe removes, to people; docs/reset.md has the files."""
LEFT_BY_WIPE: Final = frozenset({"device-code", "reset.journal", "resets"})
"""Files of the data folder that a wipe leaves: the code is on the brochure, and goes with the box."""


@dataclass(frozen=True, slots=True)
class ResetPlan:
    """What a reset does. With `wipe` all of the data folder goes, and not only what the others say.

    Attributes:
        groups: The parts, for people.
        sections: The keys of settings that have their defaults again.
        files: Patterns of files that are removed.
        network: Whether the network is brought back.
        wipe: Whether secrets are wiped.
    """

    groups: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    network: bool = False
    wipe: bool = False

    @property
    def steps(self) -> tuple[str, ...]:
        """Return the steps in their order: the mark of the claim goes after the accounts, so that nothing opens early.

        Each may be done again where it is not known whether it was.
        """
        if self.wipe:
            return ("wipe", "network")
        parts = (*(f"section:{key}" for key in self.sections), *(f"files:{one}" for one in self.files))
        return (*parts, *(["network"] if self.network else []))


class Groups:
    """All parts.

    Args:
        sections: What there is to be set, also by plugins.
    """

    def __init__(self, sections: Iterable[Section]) -> None:
        self._sections: dict[str, list[Section]] = {key: [] for key in BESIDE}
        for one in sections:
            self._sections.setdefault(one.reset_group, []).append(one)

    @property
    def keys(self) -> tuple[str, ...]:
        """The names of the parts."""
        return tuple(sorted(self._sections))

    def unknown(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return which of some names are none of a part."""
        return tuple(one for one in names if one not in self._sections)

    def about(self, key: str) -> Sequence[str]:
        """Return what is reset with a part, for people."""
        titles: list[str] = [one.title for one in self._sections[key]]
        return [*titles, *([BESIDE[key].says] if key in BESIDE else [])]

    def plan(self, names: Iterable[str], *, wipe: bool = False) -> ResetPlan:
        """Return what resetting some parts does; names that are none of a part are passed over."""
        groups = tuple(one for one in dict.fromkeys(names) if one in self._sections)
        beside = [BESIDE[one] for one in groups if one in BESIDE]
        return ResetPlan(
            groups,
            tuple(one.key for group in groups for one in self._sections[group]),
            tuple(pattern for one in beside for pattern in one.files),
            any(one.network for one in beside),
            wipe,
        )
