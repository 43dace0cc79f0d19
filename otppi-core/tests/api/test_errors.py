"""The error tree answers "may the message be sent again?"."""

import pytest

from otppi.api import errors
from otppi.api.errors import (
    InvalidSettings,
    ModemBlocked,
    ModemLost,
    ModemUnfit,
    NotSent,
    Rejected,
    Unconfirmed,
    sentence,
)
from otppi.api.message import OutgoingMessage
from otppi.wire.errors import FieldError


def test_what_is_certainly_not_sent_and_what_is_not() -> None:
    assert all(issubclass(one, NotSent) for one in (ModemLost, ModemBlocked, ModemUnfit))
    assert issubclass(ModemBlocked, ModemLost)
    assert not issubclass(ModemUnfit, ModemLost)
    assert not any(issubclass(one, NotSent) for one in (Rejected, Unconfirmed))


def test_causes() -> None:
    error = NotSent("no prompt", code="+CMS ERROR: 38", retry_after=2.0)
    assert (str(error), error.cause, error.code, error.retry_after) == ("no prompt", "no prompt", "+CMS ERROR: 38", 2.0)
    problems = [FieldError("a", "is wrong"), FieldError("b", "is missing")]
    assert str(InvalidSettings(problems)) == "a: is wrong\nb: is missing"
    assert InvalidSettings(problems).problems == tuple(problems)
    assert sentence(InvalidSettings(problems)) == "a: is wrong; b: is missing"


@pytest.mark.parametrize("name", [name for name in dir(errors) if isinstance(getattr(errors, name), type)])
def test_every_error_says_what_it_is(name: str) -> None:
    assert getattr(errors, name).__doc__


def test_a_message_shows_no_text() -> None:
    message = OutgoingMessage("1", "6281200000001", "a secret text", 60.0)
    assert "secret" not in repr(message)
