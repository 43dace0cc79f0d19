"""Which language the pages are read in, before there is an account that says so."""

from typing import Any

from otppi.admin.pages.answers import local, see_other, set_cookie, text_of
from otppi.admin.security import cookies
from otppi.admin.security.guard import public
from otppi.text.languages import languages


class LanguagePage:
    """`/language`."""

    @public("POST")
    def index(self, **fields: Any) -> bytes:
        """Remember the choice in the browser."""
        wanted = text_of(fields, "language")
        if wanted in languages():
            set_cookie(cookies.LANGUAGE, wanted)
        return see_other(local(text_of(fields, "next")))
