"""In which language a page is written: as the administrator has set it, else as the browser asks, else Indonesian."""

from collections.abc import Iterator
from typing import Final

from otppi.text.languages import languages

OTHERWISE: Final = "id"


def chosen(*wishes: str, accepted: str) -> str:
    """Return the first wish that we have, else what an Accept-Language field (RFC 9110 12.5.4) likes best."""
    known = languages()
    return next((one for one in (*wishes, *_accepted(accepted)) if one in known), OTHERWISE)


def _accepted(field: str) -> Iterator[str]:
    ranked = []
    for place, part in enumerate(field[:500].split(",")):
        name, _, weight = part.strip().partition(";")
        try:
            liked = float(weight.partition("q=")[2] or 1)
        except ValueError:
            liked = 0.0
        if liked > 0:
            ranked.append((-liked, place, name.partition("-")[0].strip().lower()))
    yield from (name for _liked, _place, name in sorted(ranked))
