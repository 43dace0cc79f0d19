"""The steps of the guide through the first minutes: what each is called, where it is, and how far it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from otppi.admin.pages.answers import perform, visit
from otppi.admin.parts import Parts
from otppi.api.operations import Role
from otppi.text import Text, _

TITLES_OF_STEPS: Final[Mapping[str, Text]] = {
    "time": _("Country and time"),
    "modem": _("Take a modem into use"),
    "test": _("Send a test SMS"),
    "api": _("Say who sends through the API"),
    "secure": _("Make it safe"),
}
_DONE: Final = "done"


@dataclass(frozen=True, slots=True)
class GuideStep:
    """One step.

    Attributes:
        key: What it is called in addresses.
        number: Its place; the first one is the claim.
        title: What is to be done.
        state: `done`, `skipped` or `open`.
    """

    key: str
    number: int
    title: Text
    state: str

    @property
    def link(self) -> str:
        """Its page."""
        return f"/guide/{self.key}"

    @property
    def done(self) -> bool:
        """Whether it has been done."""
        return self.state == _DONE


@dataclass(frozen=True, slots=True)
class GuideCard:
    """What the first page says of the guide.

    Attributes:
        steps: Those after the claim.
        link: Where the guide goes on.
    """

    steps: list[GuideStep]
    link: str

    @property
    def done(self) -> int:
        """How many steps are done, the claim among them."""
        return 1 + sum(one.done for one in self.steps)

    @property
    def all(self) -> int:
        """How many there are."""
        return 1 + len(self.steps)


def steps_of(told: Mapping[str, Any]) -> list[GuideStep]:
    """Return the steps by what the operation `first_steps` tells."""
    return [
        GuideStep(key, number, TITLES_OF_STEPS[key], state)
        for number, (key, state) in enumerate(told["steps"].items(), 2)
    ]


def after(step: str) -> str:
    """Return the page that comes after a step; after the last one the first page of all."""
    keys = list(TITLES_OF_STEPS)
    rest = keys[keys.index(step) + 1 :]
    return f"/guide/{rest[0]}" if rest else "/"


def goes_on(steps: list[GuideStep]) -> str:
    """Return the page of the first step that is open; the first page of all where none is."""
    return next((one.link for one in steps if one.state == "open"), "/")


def guide_card(parts: Parts) -> GuideCard | None:
    """Return what the first page says of it; None where all is done or passed over, and for whom it is not."""
    if not visit().may(Role.ADMINISTRATOR):
        return None
    told = perform(parts, "first_steps")
    steps = steps_of(told)
    return None if told["finished"] else GuideCard(steps, goes_on(steps))
