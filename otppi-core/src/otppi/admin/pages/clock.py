"""The clock: how it is, setting it by the browser's time, and its settings; and the time that a stranger offers."""

from typing import Any, Final

from otppi.admin.pages.answers import drawn, local, perform, see_other, text_of, visit
from otppi.admin.pages.clock_offer import TRUSTS
from otppi.admin.pages.sections import SectionPages
from otppi.admin.pages.tried import Tried, tried
from otppi.admin.parts import Parts
from otppi.admin.security.guard import action, page, public
from otppi.api.operations import Actor, Role
from otppi.host.administrators.administrators import ORIGIN
from otppi.host.clock.settings import CLOCK
from otppi.text import _

_WHO: Final = "nobody"
_SET: Final = _("The clock is set.")


class ClockPages:
    """`/clock`, and what is done there.

    Args:
        parts: The gateway.
        sections: The pages of settings, one of which has the clock's.
    """

    def __init__(self, parts: Parts, sections: SectionPages) -> None:
        self._parts = parts
        self._sections = sections

    @page()
    def index(self, **_fields: Any) -> bytes:
        """Show how the clock is."""
        return self._show(Tried())

    @action(Role.ADMINISTRATOR)
    def set(self, **fields: Any) -> bytes:
        """Set it by the time of the browser; go back to the page that it was asked on."""
        outcome = tried(lambda: perform(self._parts, "clock_set", time=text_of(fields, "time")))
        back = local(text_of(fields, "next"))
        return self._show(outcome) if outcome.problems else see_other("/clock" if back == "/" else back, _SET)

    @action(Role.OPERATOR)
    def sync(self, **_fields: Any) -> bytes:
        """Have the time servers be asked."""
        outcome = tried(lambda: perform(self._parts, "clock_sync"))
        asked = _("The time servers are being asked. Look again in some seconds.")
        return self._show(outcome) if outcome.problems else see_other("/clock", asked)

    @public("POST")
    def offer(self, **fields: Any) -> bytes:
        """Take the time of a browser in which nobody is logged in, where it is taken; then go on to the login.

        Where it is not taken a page says why, and leads on.
        """
        actor = Actor(_WHO, ORIGIN, Role.VIEWER, visit().address)
        outcome = tried(lambda: self._parts.registry.call("clock_offer", {"time": text_of(fields, "time")}, actor))
        if outcome.problems:
            return drawn(self._parts, "clock_offered.html", outcome.status, problems=outcome.problems)
        return see_other(local(text_of(fields, "next")))

    def _show(self, outcome: Tried) -> bytes:
        told = perform(self._parts, "clock")
        form, hidden = self._sections.embedded(CLOCK, "clock", "/clock")
        return drawn(
            self._parts,
            "clock.html",
            outcome.status,
            told=told,
            trust=TRUSTS[told["trust"]],
            problems=outcome.problems,
            view=form,
            hidden=hidden,
        )
