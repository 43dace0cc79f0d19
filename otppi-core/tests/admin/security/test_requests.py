"""What is checked of every request: the device's name, the origin, the cookies, the tokens of forms."""

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otppi.admin.security import cookies, origins
from otppi.admin.security.form_tokens import FormTokens, new_browser
from otppi.admin.security.hosts import HostNames
from otppi.web.request import Refused, Request


def request(method: str = "POST", *, secure: bool = False, **fields: str) -> Request:
    made = Request(method, "/", "", {name.replace("_", "-"): value for name, value in fields.items()})
    made.secure = secure
    return made


# -- names -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [
        "192.168.0.11:8888",
        "192.168.0.11",
        "127.0.0.1:1",
        "[::1]:8888",
        "[fe80::1]",
        "localhost:8888",
        "LOCALHOST",
        "localhost.",
        "otp.example:8888",
        "OTP.Example",
        socket.gethostname(),
        f"{socket.gethostname().partition('.')[0]}.local:8888",
    ],
)
def test_addresses_and_own_names_are_served(host: str) -> None:
    HostNames(["otp.example"]).check(request(host=host))


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "evil.example:8888",
        "192.168.0.11.evil.example",
        "localhost.evil.example",
        "evil.example#localhost",
        "[::1",
        "[evil.example]",
        "0x7f000001",
        "127.1",
        "127.0.0.1@evil.example",
        "otp.example.",
        "\x00localhost",
    ],
)
def test_any_other_name_is_refused(host: str) -> None:
    names = HostNames() if host == "otp.example." else HostNames(["otp.example"])
    with pytest.raises(Refused) as refused:
        names.check(request(host=host))
    assert refused.value.refusal.status == 421


# -- origins -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "secure"),
    [
        ({}, False),
        ({"origin": "http://192.0.2.1:8888"}, False),
        ({"origin": "https://192.0.2.1:8888"}, True),
        ({"origin": "http://192.0.2.1:8888", "sec_fetch_site": "same-origin"}, False),
        ({"sec_fetch_site": "none"}, False),
    ],
)
def test_forms_of_our_own_pages_are_taken(fields: dict[str, str], secure: bool) -> None:
    origins.check(request(host="192.0.2.1:8888", secure=secure, **fields))


@pytest.mark.parametrize(
    "fields",
    [
        {"origin": "null"},
        {"origin": "http://192.0.2.1:8899"},
        {"origin": "http://192.0.2.1"},
        {"origin": "https://192.0.2.1:8888"},
        {"origin": "http://evil.example"},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": "cross-site"},
        {"origin": "http://192.0.2.1:8888", "sec_fetch_site": "cross-site"},
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_what_comes_from_elsewhere_changes_nothing(fields: dict[str, str], method: str) -> None:
    with pytest.raises(Refused) as refused:
        origins.check(request(method, secure=False, host="192.0.2.1:8888", **fields))
    assert refused.value.refusal.status == 403
    origins.check(request("GET", secure=False, host="192.0.2.1:8888", **fields))


# -- cookies -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("secure", [True, False])
def test_a_cookie_is_read_by_its_own_scheme_only(secure: bool) -> None:
    line = cookies.written(cookies.SESSION, "token", secure=secure)
    sent = line.partition(";")[0]
    assert cookies.read(sent, cookies.SESSION, secure=secure) == "token"
    assert cookies.read(sent, cookies.SESSION, secure=not secure) == ""
    assert {"Path=/", "HttpOnly", "SameSite=Strict"} <= set(line.split("; "))
    assert ("Secure" in line.split("; ")) is secure
    assert line.startswith("__Host-otppi=") is secure
    assert "expires" not in line.lower()
    assert "max-age" not in line.lower()
    assert "Max-Age=0" in cookies.written(cookies.SESSION, "", secure=secure)


def test_what_another_page_has_set_hides_none_of_ours() -> None:
    for other in ("a b c=d e", "=", 'x="', "\x7f=1", "otppi", "otppi-browser=x"):
        assert cookies.read(f"{other}; otppi=token", cookies.SESSION, secure=False) == "token"


@given(st.text(max_size=200))
def test_whatever_a_cookie_field_holds_is_no_fault(field: str) -> None:
    assert isinstance(cookies.read(field, cookies.SESSION, secure=False), str)


# -- tokens of forms ---------------------------------------------------------------------------------------------------


def test_a_form_is_taken_from_the_browser_that_it_was_made_for() -> None:
    tokens, browser, other = FormTokens(), new_browser(), new_browser()
    assert tokens.is_right(tokens.of(browser), browser)
    assert not tokens.is_right(tokens.of(browser), other)
    assert not tokens.is_right("", browser)
    assert not tokens.is_right(tokens.of(""), "")
    assert not FormTokens().is_right(tokens.of(browser), browser), "of another start of the device"


@given(st.text(max_size=100))
def test_no_guess_is_a_token(guess: str) -> None:
    assert not FormTokens().is_right(guess, "browser")
