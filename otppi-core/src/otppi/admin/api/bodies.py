"""The bodies of requests: JSON only, which no form of another site can send (ASVS 5.0, 3.5.2)."""

from collections.abc import Sequence
from typing import Any, Final

from otppi.admin.api.problems import INVALID, TOO_LARGE, WRONG_MEDIA_TYPE, Problem
from otppi.admin.api.strict_json import LARGEST, NotJson, load
from otppi.text import _
from otppi.wire.errors import FieldError

JSON: Final = "application/json"


def object_of(content_type: str, body: bytes, members: Sequence[str]) -> dict[str, Any]:
    """Read a body that is an object with some of these members, and no other.

    Raises:
        Problem: It is of another type, too large, or has other members.
        NotJson: It is none, or no object.
    """
    if not _is_json(content_type):
        raise Problem(WRONG_MEDIA_TYPE, headers=(("Accept-Post", JSON),))
    if len(body) > LARGEST:
        raise Problem(TOO_LARGE)
    given = load(body)
    if not isinstance(given, dict):
        raise NotJson(_("must be an object"))
    reason = _("must be one of: {choices}", choices=", ".join(members))
    if unknown := [FieldError(name[:64], reason) for name in given if name not in members]:
        raise Problem(INVALID, errors=unknown)
    return given


def _is_json(content_type: str) -> bool:
    """Return whether a body is declared to be JSON in UTF-8 (RFC 8259 8.1, 11: it has no parameters)."""
    media_type, *parameters = (one.strip().lower() for one in content_type.split(";"))
    return media_type == JSON and all(one in ("charset=utf-8", 'charset="utf-8"') for one in parameters)
