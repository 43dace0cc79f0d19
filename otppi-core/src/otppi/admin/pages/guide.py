"""The guide through the first minutes of a device: a page for each step, each of which can be left and come back to."""

import secrets
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import cherrypy

from otppi.admin.pages.answers import TITLES, PageError, drawn, perform, see_other, text_of, visit
from otppi.admin.pages.backup import sealed
from otppi.admin.pages.curl_line import MADE_UP, curl_line
from otppi.admin.pages.form_fields import trouble
from otppi.admin.pages.guide_steps import TITLES_OF_STEPS, after, goes_on, steps_of
from otppi.admin.pages.needs import CAUSES, cause_of, needs_of_modem, refusal_said
from otppi.admin.pages.new_modem import adopted, can_simulate, free_name, simulated
from otppi.admin.pages.sent_by_hand import beginnings, is_simulated, sent_by_hand, test_text
from otppi.admin.pages.tried import Tried, tried
from otppi.admin.parts import Parts
from otppi.admin.security.guard import action, form, page
from otppi.api.errors import InvalidSettings, NotSupported, OtpPiError
from otppi.api.operations import Role
from otppi.host.administrators.forgotten import is_confirmed
from otppi.host.administrators.settings import ADMINISTRATORS, AdministratorValues
from otppi.host.clock.device_clock import DeviceClock
from otppi.host.clock.settings import CLOCK
from otppi.host.clock.zone_names import INDONESIAN, zones
from otppi.host.messages.settings import SMS
from otppi.host.modems.settings import MODEMS
from otppi.text import Text, _

_AT_FIRST: Final = 0.2
"""Seconds that a test waits for its end before its page is shown, which looks again and again."""
_PASSWORD_OCTETS: Final = 12
_ASK_PIN: Final = ("sim-pin", "sim-pin-refused")
"""The causes that end with the PIN of a SIM card."""
_ADMINISTRATOR: Final = Role.ADMINISTRATOR
ZONES: Final[Mapping[str, Text]] = {
    "Asia/Jakarta": _("WIB: Jakarta, Java, Sumatra"),
    "Asia/Pontianak": _("WIB: Pontianak, West and Central Kalimantan"),
    "Asia/Makassar": _("WITA: Makassar, Bali, Nusa Tenggara"),
    "Asia/Jayapura": _("WIT: Jayapura, Maluku, Papua"),
}
"""What people call the zones that come first."""


class GuidePages:
    """`/guide`, and a page below it for each step."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    @page(_ADMINISTRATOR)
    def index(self, **_fields: Any) -> bytes:
        """Go on where it was left."""
        return see_other(goes_on(steps_of(perform(self._parts, "first_steps"))))

    @action(_ADMINISTRATOR)
    def leave(self, **fields: Any) -> bytes:
        """Pass over a step, or say that it is done; and go on with the next one."""
        step, state = text_of(fields, "step"), text_of(fields, "state")
        if step not in (*TITLES_OF_STEPS, "all") or state not in ("done", "skipped"):
            raise PageError(400, *TITLES[400])
        self._say(step, state)
        return see_other("/" if step == "all" else after(step))

    # -- country and time -------------------------------------------------------------------------------------------

    @form(_ADMINISTRATOR)
    def time(self, **fields: Any) -> bytes:
        """Ask for the country and the time zone."""
        config = self._parts.config
        if cherrypy.request.method != "POST":
            kept = {"country_code": config.one(SMS)["country_code"], "time_zone": config.one(CLOCK)["time_zone"]}
            return self._ask_time(kept, {})
        given = {name: text_of(fields, name).strip() for name in ("country_code", "time_zone")}
        both = [self._set(SMS.key, "country_code", given), self._set(CLOCK.key, "time_zone", given)]
        problems = {key: why for one in both for key, why in one.problems.items()}
        if problems:
            return self._ask_time(given, problems, max(one.status for one in both))
        self._say("time", "done")
        return see_other(after("time"))

    def _set(self, section: str, key: str, given: Mapping[str, str]) -> Tried:
        """Set one of the two; what is wrong with it is told by its own name."""
        outcome = tried(lambda: perform(self._parts, "settings_put", path=section, values={key: given[key]}))
        return replace(outcome, problems={name and key: why for name, why in outcome.problems.items()})

    def _ask_time(self, given: Mapping[str, str], problems: Mapping[str, str], status: int = 200) -> bytes:
        now = time.time()
        others = [one for one in zones() if one not in INDONESIAN]
        zone = time.localtime(now).tm_zone
        clock = {"now": now, "zone": zone, "set_here": self._parts.registry.part(DeviceClock).is_set_here}
        return self._draw("time", status, given=given, problems=problems, first=ZONES, others=others, **clock)

    # -- modem ------------------------------------------------------------------------------------------------------

    @page(_ADMINISTRATOR)
    def modem(self, **_fields: Any) -> bytes:
        """Show the modems that are in use, and those that were found."""
        return self._show_modems({})

    @action(_ADMINISTRATOR)
    def adopt(self, **fields: Any) -> bytes:
        """Take a modem that was found into use."""
        return self._used(adopted(self._parts, text_of(fields, "device"), free_name(self._parts)))

    @action(_ADMINISTRATOR)
    def simulate(self, **_fields: Any) -> bytes:
        """Take a simulated modem into use."""
        return self._used(simulated(self._parts, free_name(self._parts)))

    @action(_ADMINISTRATOR)
    def pin(self, **fields: Any) -> bytes:
        """Keep the PIN of a SIM card that asks for it: the modem tries it at once."""
        path, values = f"{MODEMS.key}.{text_of(fields, 'modem')}", {"sim_card_pin": text_of(fields, "pin").strip()}
        return self._used(tried(lambda: perform(self._parts, "settings_put", path=path, values=values)))

    def _used(self, outcome: Tried) -> bytes:
        """Show what came of it: all that may be wrong is one field."""
        if outcome.problems:
            return self._show_modems({"": "; ".join(outcome.problems.values())}, outcome.status)
        return see_other("/guide/modem")

    def _show_modems(self, problems: Mapping[str, str], status: int = 200) -> bytes:
        kept = {one["name"] for one in self._parts.config.many(MODEMS)}
        modems = [one for one in perform(self._parts, "modems") if one["modem_id"] in kept]
        asks = {one["modem_id"] for one in modems if cause_of(one["detail"]) in _ASK_PIN}
        try:
            devices = [one for one in perform(self._parts, "devices") if one["state"] != "used"]
        except NotSupported:
            devices = []
        return self._draw(
            "modem",
            status,
            modems=modems,
            needs={need.subject: need for one in modems for need in needs_of_modem(one)},
            asks_pin=asks,
            devices=devices,
            problems=problems,
            simulated=can_simulate(self._parts),
        )

    # -- test -------------------------------------------------------------------------------------------------------

    @form(_ADMINISTRATOR)
    def test(self, **fields: Any) -> bytes:
        """Ask for the receiver of a test SMS, send it, and show what becomes of it."""
        given = {name: text_of(fields, name) for name in ("receiver", "message")}
        if cherrypy.request.method == "POST":
            return self._send(given)
        if message_id := text_of(fields, "id"):
            message = tried(lambda: perform(self._parts, "message", message_id=message_id)).result
            if message is not None:  # nobody else sent it, and it is not forgotten
                cause = message.get("cause") or ""
                known = CAUSES.get(cause_of(cause))
                refused, on_screen = refusal_said(cause), is_simulated(self._parts, message)
                return self._draw("test", message=message, refused=refused, advice=known, simulated=on_screen)
        return self._ask_test({"receiver": self._own()["phone"], "message": test_text()}, {})

    def _send(self, given: Mapping[str, str]) -> bytes:
        outcome = sent_by_hand(self._parts, given, _AT_FIRST)
        if outcome.problems:
            return self._ask_test(given, outcome.problems, outcome.status)
        return see_other(f"/guide/test?id={outcome.result}")

    def _ask_test(self, given: Mapping[str, str], problems: Mapping[str, str], status: int = 200) -> bytes:
        without = not self._parts.config.many(MODEMS)
        return self._draw(
            "test", status, message=None, given=given, problems=problems, without=without,
            stands_in=without and bool(perform(self._parts, "modems")), beginnings=beginnings(self._parts),
        )  # fmt: skip

    # -- API --------------------------------------------------------------------------------------------------------

    @form(_ADMINISTRATOR, fresh=True)
    def api(self, **fields: Any) -> bytes:
        """Add a user of the API, and show its password and token, and the line that sends by it."""
        users = [one["username"] for one in perform(self._parts, "users")]
        if cherrypy.request.method != "POST":
            names = ("app", *(f"app{number}" for number in range(2, len(users) + 3)))
            return self._ask_user(next(one for one in names if one not in users), users, {})
        name, password = text_of(fields, "username").strip(), secrets.token_urlsafe(_PASSWORD_OCTETS)
        try:
            added = perform(self._parts, "user_add", username=name, password=password, token=True)
        except InvalidSettings as error:
            return self._ask_user(name, users, {"username": "; ".join(one.reason for one in error.problems)}, 422)
        except (OtpPiError, OSError) as error:
            return self._ask_user(name, users, {"": trouble(error)}, 503)
        phone = self._own()["phone"]
        line = curl_line(self._parts, name, str(added["token"]), phone)
        made_up = "" if phone else MADE_UP
        return self._draw("api", 200, name=name, password=password, token=added["token"], line=line, made_up=made_up)

    def _ask_user(self, name: str, users: list[str], problems: Mapping[str, str], status: int = 200) -> bytes:
        return self._draw("api", status, token="", name=name, users=users, problems=problems)

    # -- make it safe -----------------------------------------------------------------------------------------------

    @page(_ADMINISTRATOR)
    def secure(self, **_fields: Any) -> bytes:
        """Offer what makes the account safe, and a backup."""
        return self._show_secure({})

    @action(_ADMINISTRATOR, fresh=True)
    def backup(self, **fields: Any) -> bytes:
        """Make a backup, which the browser keeps."""
        answer = sealed(self._parts, fields)
        return self._show_secure(answer, 422) if isinstance(answer, Mapping) else answer

    def _show_secure(self, problems: Mapping[str, str], status: int = 200) -> bytes:
        own, made = self._own(), perform(self._parts, "backup_state")["made"]
        return self._draw(
            "secure", status, own=own, confirmed=is_confirmed(own), made=made, tried="create", problems=problems
        )  # fmt: skip

    # -- what they have in common -----------------------------------------------------------------------------------

    def _say(self, step: str, state: str) -> None:
        perform(self._parts, "first_step_say", step=step, state=state)

    def _own(self) -> AdministratorValues:
        name = visit().actor.name
        own = next((one for one in self._parts.config.many(ADMINISTRATORS) if one["username"] == name), None)
        if own is None:
            raise PageError(403, _("You are logged out"), _("Log in, and try it once more."))
        return own

    def _draw(self, step: str, status: int = 200, /, **values: Any) -> bytes:
        steps = steps_of(perform(self._parts, "first_steps"))
        current = next(one for one in steps if one.key == step)
        return drawn(
            self._parts, f"guide_{step}.html", status, steps=steps, current=current, following=after(step), **values
        )
