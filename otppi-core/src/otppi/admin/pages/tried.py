"""What came of an operation that a person asked for, so that its form can be shown again with the reason."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from otppi.admin.pages.answers import problems_of
from otppi.admin.pages.form_fields import trouble
from otppi.api.errors import InvalidSettings, NotDone, OtpPiError
from otppi.text import words


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of it.

    Attributes:
        result: What the operation returned; None where it was not done.
        problems: Why it was not: by the names of the fields, or of none.
        status: The HTTP status that says so.
    """

    result: Any = None
    problems: Mapping[str, str] = field(default_factory=dict)
    status: int = 200


def tried(ask: Callable[[], Any]) -> Tried:
    """Carry out what a person asks for, and return also why it could not be done."""
    try:
        return Tried(ask())
    except InvalidSettings as error:
        return Tried(problems=problems_of(error), status=422)
    except NotDone as error:  # the SIM card or the network refuses what was typed
        return Tried(problems={"": words(error)}, status=422)
    except (OtpPiError, OSError) as error:
        return Tried(problems={"": trouble(error)}, status=503)
