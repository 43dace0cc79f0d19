"""What a browser calls itself, in a few words: for the list of places where one is logged in."""

from typing import Final

_BROWSERS: Final = ("Firefox", "Edg", "OPR", "SamsungBrowser", "Chrome", "Safari")
"""In this order: most name those that come later as well."""
_SYSTEMS: Final = ("Android", "iPhone", "iPad", "Windows", "Mac OS", "CrOS", "Linux")
_NAMES: Final = {"Edg": "Edge", "OPR": "Opera", "SamsungBrowser": "Samsung Internet", "CrOS": "ChromeOS"}


def browser_said(field: str) -> str:
    """Return browser and system of a User-Agent field (RFC 9110 10.1.5), such as `Firefox, Android`.

    Of one that is not known, its beginning.
    """
    found = [next((one for one in known if one in field), "") for known in (_BROWSERS, _SYSTEMS)]
    return ", ".join(_NAMES.get(one, one) for one in found if one) or field[:40]
