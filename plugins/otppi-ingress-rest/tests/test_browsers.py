"""A web page makes no browser send messages with the password that it keeps; programs are not asked who they are."""

from typing import Any

import pytest

from otppi.web.request import Refused, Request
from otppi_ingress_rest import browsers

FORM = "Content-Type: application/x-www-form-urlencoded"
PLAIN = "Content-Type: text/plain"
CHROMIUM = (
    "Upgrade-Insecure-Requests: 1",
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8",
)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ((PLAIN, "Origin: http://192.0.2.1", *CHROMIUM), "Origin"),  # a form's POST, plain HTTP: no Sec-Fetch-Site
        ((PLAIN, "Origin: null", *CHROMIUM), "Origin"),  # Referrer-Policy: no-referrer; a sandbox; a file
        ((FORM, "Origin: https://page.example", "Sec-Fetch-Site: cross-site", *CHROMIUM), "Origin"),
        ((PLAIN, "Origin: http://page.example", "Sec-Fetch-Mode: no-cors"), "Origin"),  # fetch, sendBeacon
        ((PLAIN, "Origin: http://sub.domain.tld"), "Origin"),  # a name that leads here now: DNS rebinding
        ((FORM, "Sec-Fetch-Site: same-site"), "Sec-Fetch-Site"),
    ],
)
@pytest.mark.parametrize("path", ["/api/message", "/api/block", "/api/keys/rotate"])
def test_pages_are_refused_before_anybody_looks_at_the_password(
    served: Any, http: Any, fields: tuple[str, ...], named: str, path: str
) -> None:
    status, answer = served.ask(http.post(http.SMS, *fields, path=path))
    assert (status, answer["response_code"]) == (403, "1206")
    assert answer["data"]["errors"][0]["field"] == named
    assert served.gateway.taken == []
    assert served.gateway.rotated == 0
    assert served.ask(http.post(http.SMS, *fields, path=path, auth="Authorization: Basic bm86bm8="))[0] == 403
    assert served.gateway.wrong == 0


@pytest.mark.parametrize(
    "fields",
    [
        (FORM, "User-Agent: curl/8.14.1", "Accept: */*"),  # curl -d
        ("Content-Type: application/json",),
        (PLAIN,),
        (),
        ("Sec-Fetch-Mode: cors", "User-Agent: node", "Accept-Language: *"),  # Node's fetch (undici) sends that
        ("Accept: text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", FORM),  # Java's HttpURLConnection
        ("Origin: chrome-extension://aejoelaoggembcahagimdiliamlcdmfm", "Sec-Fetch-Site: none"),  # a person's tool
        ("Referer: http://page.example/",),
    ],
)
def test_programs_are_taken_whatever_content_type_they_send(served: Any, http: Any, fields: tuple[str, ...]) -> None:
    assert served.ask(http.post(http.SMS, *fields))[0] == 200


def test_a_person_may_look_with_a_browser(served: Any, http: Any) -> None:
    looks = ("Sec-Fetch-Site: cross-site", "Origin: http://page.example", http.BASIC)
    assert served.connect(http.get("/api/health", *looks)).response()[0] == 200
    assert served.connect(http.get("/api/docs", "Sec-Fetch-Site: cross-site")).response()[0] == 200


def test_no_answer_permits_a_page_to_read_it(served: Any, http: Any) -> None:
    origin = "Origin: http://page.example"
    preflight = ("Access-Control-Request-Method: POST", "Access-Control-Request-Headers: authorization", origin)
    for request in (http.get("/api/health", origin), http.get("/api/message", *preflight, method="OPTIONS")):
        _, fields, _ = served.connect(request).response()
        assert [name for name in fields if name.startswith("access-control-")] == []


def test_methods_are_told_apart() -> None:
    browsers.check(Request("GET", "/", "", {"origin": "http://page.example"}))
    with pytest.raises(Refused):
        browsers.check(Request("DELETE", "/", "", {"origin": "http://page.example"}))
