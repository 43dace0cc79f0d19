"""Which language the pages are read in: kept in the browser, and in the account where that says one."""

from typing import Any

from otppi.admin.pages.answers import local, perform, see_other, set_cookie, text_of, visit
from otppi.admin.parts import Parts
from otppi.admin.security import cookies
from otppi.admin.security.guard import public
from otppi.text.languages import languages


class LanguagePage:
    """`/language`."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    @public("POST")
    def index(self, **fields: Any) -> bytes:
        """Remember the choice in the browser."""
        wanted = text_of(fields, "language")
        if wanted in languages():
            set_cookie(cookies.LANGUAGE, wanted)
            session = visit().session
            own = None if session is None else self._parts.administrators.find(session.name)
            if own is not None and own.language:  # it would come before that of the browser
                perform(self._parts, "account_edit", preferred_language=wanted)
        return see_other(local(text_of(fields, "next")))
