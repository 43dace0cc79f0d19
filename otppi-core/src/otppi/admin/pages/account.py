"""The own account: how to be reached, the password, the two-step login, and where one is logged in."""

from collections.abc import Mapping
from typing import Any

import cherrypy

from otppi.admin.pages.answers import (
    TITLES,
    PageError,
    drawn,
    local,
    perform,
    problems_of,
    see_other,
    set_cookie,
    text_of,
    visit,
)
from otppi.admin.pages.login import clock_problem, enter
from otppi.admin.parts import Parts
from otppi.admin.security import cookies
from otppi.admin.security.guard import action, form, page
from otppi.api.errors import InvalidSettings, OtpPiError
from otppi.api.operations import Role
from otppi.host.administrators.administrators import Administrator
from otppi.host.administrators.forgotten import is_confirmed
from otppi.host.administrators.settings import ADMINISTRATORS
from otppi.text import _, words

_OWN = "/account"
_QR_SCALE = 5
_LONGEST_URI = 500
"""Characters of the address that an authenticator app reads; a QR code has room for some more."""


class AccountPages:
    """`/account`."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    @page()
    def index(self, **_fields: Any) -> bytes:
        """Show the own account."""
        return self._show("", {}, {})

    @action(Role.VIEWER, fresh=True)
    def about(self, **fields: Any) -> bytes:
        """Change language, telephone number and e-mail address."""
        return self._save(fields) or see_other("/account", _("Saved."))

    @action(Role.VIEWER)
    def password(self, **fields: Any) -> bytes:
        """Change the password; all other sessions end."""
        given = {name: text_of(fields, name) for name in ("old_password", "new_password")}
        try:
            perform(self._parts, "account_password", **given)
        except InvalidSettings as error:
            return self._show("password", {}, problems_of(error), 422)
        except OtpPiError as error:
            return self._show("password", {}, {"": words(error)}, 503)
        return self._again(_("The password is changed. All other sessions have ended."))

    @action(Role.VIEWER, fresh=True)
    def phone(self, **fields: Any) -> bytes:
        """Save that, and have a code sent to the number, to see whether it is right."""
        if wrong := self._save(fields):
            return wrong
        try:
            told = perform(self._parts, "account_phone_code", preferred_language=visit().language)
        except InvalidSettings as error:  # about the receiver of the SMS, which is the own number
            return self._show("about", {}, {"phone": "; ".join(one.reason for one in error.problems)}, 422)
        except OtpPiError as error:
            return self._show("about", {}, {"": words(error)}, 503)
        return self._ask_phone_code(told["ticket"], {})

    @action(Role.VIEWER)
    def phone_confirm(self, **fields: Any) -> bytes:
        """Take the code: the number serves from now on if the password is forgotten.

        The password was given before the code was sent. To ask for it once more would throw the code away.
        """
        given = {name: text_of(fields, name).strip() for name in ("ticket", "code")}
        try:
            perform(self._parts, "account_phone_confirm", **given)
        except InvalidSettings as error:
            return self._ask_phone_code(given["ticket"], problems_of(error), 422)
        return see_other("/account", _("The number is confirmed."))

    @form(Role.VIEWER, fresh=True)
    def totp(self, **fields: Any) -> bytes:
        """Show a new secret for an authenticator app, and switch two-step login on with a code of it."""
        secret, goes_to = text_of(fields, "secret"), local(text_of(fields, "next") or _OWN)
        if cherrypy.request.method != "POST":
            made = perform(self._parts, "totp_new", username=self._own().name)
            return self._ask_code(made["secret"], made["uri"], goes_to, {})
        try:
            codes = perform(self._parts, "account_totp_on", secret=secret, code=text_of(fields, "code").strip())
        except InvalidSettings as error:
            return self._ask_code(secret, text_of(fields, "uri"), goes_to, problems_of(error), 422)
        self._renew()
        return drawn(self._parts, "recovery_codes.html", codes=codes["recovery_codes"], goes_to=goes_to)

    @form(Role.VIEWER, fresh=True)
    def totp_off(self, **fields: Any) -> bytes:
        """Switch two-step login off, with a code once more."""
        if cherrypy.request.method != "POST":
            return drawn(self._parts, "totp_off.html", problems={})
        try:
            perform(self._parts, "account_totp_off", code=text_of(fields, "code").strip())
        except InvalidSettings as error:
            return drawn(self._parts, "totp_off.html", 422, problems=problems_of(error))
        except OtpPiError as error:
            return drawn(self._parts, "totp_off.html", 503, problems={"": words(error)})
        return self._again(_("Two-step login is switched off."))

    @action(Role.VIEWER, fresh=True)
    def recovery(self, **_fields: Any) -> bytes:
        """Make new recovery codes."""
        codes = perform(self._parts, "account_recovery_codes")
        self._renew()
        return drawn(self._parts, "recovery_codes.html", codes=codes["recovery_codes"], goes_to=_OWN)

    @action(Role.VIEWER)
    def end(self, **fields: Any) -> bytes:
        """End one of the own sessions."""
        wanted, now = text_of(fields, "session"), visit()
        ended = [one for one in self._parts.sessions.of(self._own().name) if one.shown_id == wanted]
        self._parts.sessions.end(*(one for one in ended if one is not now.session))
        return see_other("/account", _("The session has ended."))

    # -- steps ------------------------------------------------------------------------------------------------------

    def _save(self, fields: Mapping[str, Any]) -> bytes:
        """Keep how the account's owner is reached; return the page that says what is wrong, empty where nothing is."""
        names = [one for one in ("preferred_language", "phone", "email") if one in fields]
        given = {name: text_of(fields, name).strip() for name in names}
        try:
            perform(self._parts, "account_edit", **given)
        except InvalidSettings as error:
            return self._show("about", given, problems_of(error), 422)
        if given.get("preferred_language"):
            set_cookie(cookies.LANGUAGE, "")  # what was chosen before is no longer asked
        return b""

    def _own(self) -> Administrator:
        session = visit().session
        found = None if session is None else self._parts.administrators.find(session.name)
        if found is None:
            raise PageError(403, _("You are logged out"), _("Log in, and try it once more."))
        return found

    def _ask_phone_code(self, ticket: str, problems: Mapping[str, str], status: int = 200) -> bytes:
        number = self._own().phone
        return drawn(self._parts, "phone_code.html", status, ticket=ticket, number=number, problems=problems)

    def _renew(self) -> None:
        """Go on in a new session, after what ended all of them (ASVS 5.0, 7.4.3)."""
        enter(self._parts, self._own())

    def _again(self, notice: str) -> bytes:
        self._renew()
        return see_other("/account", notice)

    def _show(self, tried: str, given: Mapping[str, str], problems: Mapping[str, str], status: int = 200) -> bytes:
        own = self._own()
        about = {"preferred_language": own.language, "phone": own.phone, "email": own.email} | dict(given)
        sessions = self._parts.sessions.of(own.name)
        kept = next(one for one in self._parts.config.many(ADMINISTRATORS) if one["username"] == own.name)
        return drawn(
            self._parts,
            "account.html",
            status,
            own=own,
            about=about,
            tried=tried,
            problems=problems,
            sessions=sessions,
            confirmed=is_confirmed(kept),
        )

    def _ask_code(self, secret: str, uri: str, goes_to: str, problems: Mapping[str, str], status: int = 200) -> bytes:
        if len(uri) > _LONGEST_URI:  # it comes back from the form
            raise PageError(400, *TITLES[400])
        import segno  # half a megabyte, for a page that each administrator opens once

        picture = segno.make(uri, error="l", boost_error=False).svg_inline(
            scale=_QR_SCALE, border=4, dark="#000", light="#fff"
        )
        return drawn(
            self._parts,
            "totp.html",
            status,
            secret=secret,
            uri=uri,
            goes_to=goes_to,
            picture=picture,
            problems=problems,
            clock=clock_problem(self._parts),
        )
