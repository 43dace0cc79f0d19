"""A form that came too late: its login had ended, the gateway had begun anew, or the password is wanted once more.

What was typed is not lost, and not carried out as it comes: of the first two nothing shows that this browser was shown
the form. It goes along in the answer, through the login or the password, and whoever typed it sends it once more.
Nothing of it is kept here, and no secret goes along.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from otppi.admin.pages.answers import drawn, local, visit
from otppi.admin.parts import Parts

AGAIN: Final = "_again"
"""The field of a form that is to be shown with what was typed, and not to be carried out."""
LACKS: Final = "lacks"
"""Its value where a secret has to be typed anew."""
_SETTINGS: Final = "/settings/"
_NOT_SENT: Final = ("/login", "/logout", "/confirm", "/claim", "/forgotten", "/account", "/language")
"""Pages whose forms are not sent once more: they are of the login itself."""
_SECRET: Final = ("password", "passphrase", "pin", "puk", "secret", "token", "code", "private_key", "certificate")
"""What is part of the names of fields that hold secrets, where no declaration says it."""
_LONGEST: Final = 60_000


@dataclass(frozen=True, slots=True)
class OldForm:
    """What was typed.

    Attributes:
        path: Where it is sent to.
        fields: Each with its name; a name may come several times.
        lacks: Whether a secret was typed, too, which is left out.
    """

    path: str
    fields: tuple[tuple[str, str], ...]
    lacks: bool = False

    @property
    def is_shown(self) -> bool:
        """Whether its page shows what was typed before it takes it."""
        return self.path.startswith(_SETTINGS) and not self.path.endswith("/remove")


def packed(parts: Parts, path: str, fields: Mapping[str, Any]) -> str:
    """Write what was typed into one hidden field; empty where it cannot be sent once more."""
    path = path.partition("?")[0]
    if path.startswith(_NOT_SENT) or local(path) != path:
        return ""
    each = [(name, one) for name, value in fields.items() for one in (value if isinstance(value, list) else [value])]
    if not all(isinstance(one, str) for _name, one in each):
        return ""  # a file has to be chosen once more, in its own form
    secret = _secrets_of(parts, path)
    lacks = any(one and secret(name) for name, one in each)
    old = OldForm(path, tuple((name, one) for name, one in each if not secret(name)), lacks)
    if lacks and not old.is_shown:
        return ""  # without it the form would be another one, and its page does not show what is missing
    written = json.dumps([path, old.fields, lacks], ensure_ascii=False)
    return written if len(written) <= _LONGEST else ""


def unpacked(written: str) -> OldForm | None:
    """Read what `packed` wrote; None where that is nothing."""
    try:
        path, fields, lacks = json.loads(written)
        old = OldForm(str(path), tuple((str(name), str(value)) for name, value in fields), bool(lacks))
    except (ValueError, TypeError, RecursionError):
        return None
    return old if local(old.path) == old.path and not old.path.startswith(_NOT_SENT) else None


def send_again(parts: Parts, old: OldForm, status: int = 200, *, in_time: bool = False) -> bytes:
    """Ask whether what was typed is to be sent once more; with a token of this session.

    Args:
        parts: What pages work on.
        old: What was typed.
        status: The HTTP status.
        in_time: Whether the form was not too old: only the password came in between.
    """
    again = {"form_token": visit().token} | ({AGAIN: LACKS if old.lacks else "1"} if old.is_shown else {})
    return drawn(parts, "old_form.html", status, old=old, again=again, in_time=in_time)


def _secrets_of(parts: Parts, path: str) -> Callable[[str], bool]:
    """Return what tells whether a field holds a secret: by the declaration of a section, elsewhere by its name."""
    section = parts.config.sections.get(path.removeprefix(_SETTINGS).partition("/")[0])
    if not path.startswith(_SETTINGS) or section is None:
        return lambda name: any(word in name.lower() for word in _SECRET)
    declared = (section, *(section.types or {}).values())
    secret = {one.key for part in declared for one in part.settings if one.secret}
    return lambda name: re.split("[.:]", name)[0] in secret
