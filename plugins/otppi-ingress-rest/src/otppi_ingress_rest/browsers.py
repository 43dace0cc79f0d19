"""Requests that a web page has a browser make: with the password that the browser keeps, and without its user's will.

A browser says so. It names the page with each request that may change something (`Origin`, the Fetch standard 3.1),
and, where the address is https, how far it is from here (`Sec-Fetch-Site`). A program that sends messages names no
page. So the content type does not have to tell them apart, and `curl -d` needs no header field.
"""

from otppi.web.request import Refused, Request

_HARMLESS = frozenset(("GET", "HEAD", "OPTIONS"))
_PAGES = frozenset(("http", "https", "null"))
"""How the origin of a page begins, up to a colon; `null` is that of one which hides it. That of a browser's extension
begins otherwise: what it sends is its user's will."""
_REASON = "commands are not taken from web pages: send them from a server"


def check(request: Request) -> None:
    """Refuse a request of a page, by its method and its header fields.

    That it would come from a page of the same host is no excuse: there is no such page, but whoever owns a name can
    have it lead to this device a moment later (DNS rebinding).

    Raises:
        Refused: It is one.
    """
    if request.method in _HARMLESS:
        return
    if request.field("origin").lower().partition(":")[0] in _PAGES:
        raise Refused(403, "Origin", _REASON)
    if request.field("sec-fetch-site") in ("cross-site", "same-site", "same-origin"):
        raise Refused(403, "Sec-Fetch-Site", _REASON)
