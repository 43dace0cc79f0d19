"""Requests that change something come from a page of ours, and from no other (ASVS 5.0, 3.5.1 and 3.5.3).

Cookies and "same site" overlook ports, so a page on another port of this device would be sent with our cookie: the
origin has to be the very one that the request is for. Not all browsers name it where the address is not secure: what
names none is left to the token that each form has (`otppi.admin.security.form_tokens`).
"""

from otppi.web.request import Refused, Request

HARMLESS = frozenset(("GET", "HEAD"))
_OURS = frozenset(("", "same-origin", "none"))


def check(request: Request) -> None:
    """Refuse a request that would change something, and comes from elsewhere.

    Raises:
        Refused: It names another origin (`Origin`, RFC 6454 7; `null` is that of a page which hides it), or the browser
            says that it is not of the same one (`Sec-Fetch-Site`, the Fetch Metadata standard).
    """
    if request.method in HARMLESS:
        return
    origin = request.field("origin").lower()
    if origin and origin != own_origin(request):
        raise Refused(403, "Origin", "is another one than that of the page")
    if request.field("sec-fetch-site").lower() not in _OURS:
        raise Refused(403, "Sec-Fetch-Site", "must be same-origin")


def own_origin(request: Request) -> str:
    """Return the origin under which this request calls the device, such as `http://192.168.0.11:8888`."""
    return f"{'https' if request.secure else 'http'}://{request.field('host').strip().lower()}"
