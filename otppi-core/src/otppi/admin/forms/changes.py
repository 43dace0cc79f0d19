"""What a change of settings has changed, for whoever made it: from which value to which, and what that does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from otppi.admin.forms.controls import asked_for
from otppi.admin.forms.values import spoken
from otppi.api.settings import REDACTED, Effect, Section, Setting
from otppi.text import _, joined

_MOST: Final = 5
"""Changes that are told one by one."""

EFFECTS: Final[Mapping[Effect, str]] = {
    Effect.AT_ONCE: _("In use now."),
    Effect.RECONNECTS: _("The connection is made anew."),
    Effect.REOPENS: _("The modem or account is opened anew, after the message that it is sending."),
    Effect.RESTARTS: _("It is used after the gateway's next start."),
    Effect.MAY_CUT_OFF: _("Whoever was connected may have been cut off."),
}
"""What has become of a change that was saved."""


@dataclass(frozen=True, slots=True)
class SettingChange:
    """One setting that was changed.

    Attributes:
        label: What people call it, and the object of a list that it is of.
        old: Its value before; empty of a secret.
        new: Its value now; empty of a secret.
        effect: What the change does.
    """

    label: str
    old: str
    new: str
    effect: Effect

    @property
    def sentence(self) -> str:
        """Say it: `Daily quota of m0: 0 → 200`; of a secret only that it was changed."""
        if not self.new:
            return _("{label}: changed", label=self.label)
        return joined("", [self.label, ": ", self.old, " \N{RIGHTWARDS ARROW} ", self.new])


def changes(section: Section, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[SettingChange]:
    """Return what differs between two states of an object, in the order of its form.

    Args:
        section: Its declaration; where objects have types, that of the list.
        before: Its values, redacted or not.
        after: What they are now; those that are missing were not changed.
    """
    declared = section.of({**before, **after})
    name = str(before.get(section.identity, "")) if section.identity else ""
    return [
        _change(declared, setting, name, before.get(setting.key, setting.default), after[setting.key])
        for setting in asked_for(declared)
        if setting.key in after and _differs(setting, before, after[setting.key])
    ]


def _differs(setting: Setting, before: Mapping[str, Any], new: Any) -> bool:
    old = before.get(setting.key, setting.default)
    if setting.hashed_in is not None:
        return bool(new) and new != REDACTED
    if setting.secret and new == REDACTED:
        return not old
    return bool(old != new)


def _change(section: Section, setting: Setting, name: str, old: Any, new: Any) -> SettingChange:
    label = _("{label} of {name}", label=setting.title, name=name) if name else setting.title
    effect = section.effect_of(setting)
    if setting.secret:
        return SettingChange(label, "", "", effect)
    return SettingChange(label, spoken(setting, old), spoken(setting, new), effect)


def saved(made: Sequence[SettingChange]) -> str:
    """Say what was saved and what that does, such as "Saved. Daily quota of m0: 0 → 200. In use now."."""
    if not made:
        return _("Nothing was changed.")
    told = [joined("", [one.sentence, "."]) for one in made[:_MOST]]
    more = len(made) - len(told)
    if more:
        told.append(_.plural("And {count} more change.", "And {count} more changes.", count=more))
    effects = [EFFECTS[effect] for effect in dict.fromkeys(one.effect for one in made)]
    return joined(" ", [_("Saved."), *told, *effects])
