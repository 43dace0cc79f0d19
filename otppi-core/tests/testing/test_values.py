"""Values of sections for tests."""

import pytest

from otppi.host.inbox.settings import INBOX
from otppi.testing.values import values_of


def test_what_is_not_changed_is_as_nobody_set_it() -> None:
    values = values_of(INBOX, retention="card")
    assert values["retention"] == "card"
    assert {**values, "retention": ""} == INBOX.defaults() | {"retention": ""}
    values["kept_hours"] = -1
    assert values_of(INBOX)["kept_hours"] == INBOX.defaults()["kept_hours"] != -1


def test_a_setting_that_the_section_does_not_have_is_refused() -> None:
    with pytest.raises(KeyError, match="'inbox' has no setting retention_, x"):
        values_of(INBOX, x=1, retention="ram", retention_=2)
