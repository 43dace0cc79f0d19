"""What the files of a stick ask for, however they were written."""

import base64
import os

import pytest

from otppi.api.media import CODE_FILE, KEYS_FILE
from otppi.host.reset.groups import BY_CODE
from otppi.host.reset.request import ResetRequest, requests_of

CODE = "ACDE-FHJK-MNPQ-RTUW"
PUBLIC = base64.b64encode(b'{"deviceType":"RPi", "baseName":"reset-config.ini"}').decode()
EVERY = [
    "DHCP",
    "WLAN",
    "ETHERNET",
    "USER",
    "API",
    "API_USER",
    "BLOCKING",
    "DDNS",
    "EMAIL",
    "SUBSCRIBER_AMQP",
    "SUBSCRIBER_REDIS",
    "SUBSCRIBER_MQTT",
    "SUBSCRIBER_WS",
    "SUBSCRIBER_ACTIVEMQ",
    "SUBSCRIBER_STOMP",
    "FIREWALL",
    "KEYSTORE",
    "MODEM",
    "SMS",
    "SMTP",
    "VENDOR_AFRAID",
    "VENDOR_CLOUDFLARE",
    "VENDOR_DYNU",
    "VENDOR_NOIP",
]
"""The keys of earlier devices."""


@pytest.mark.parametrize(
    "content",
    [
        CODE.encode(),
        f"{CODE}\r\n".encode(),
        f"\ufeff{CODE}\n".encode(),
        CODE.encode("utf-16"),
        f"  {CODE}  \n\n".encode(),
    ],
)
def test_the_code_as_editors_write_it(content: bytes) -> None:
    assert requests_of({CODE_FILE: content}) == [ResetRequest(CODE_FILE, CODE, BY_CODE)]


@pytest.mark.parametrize("content", [b"", b"\n", b"x" * 65, b"\0" * 65_536, b"\xff\xfe", b"?" * 100])
def test_what_is_no_code_asks_for_nothing(content: bytes) -> None:
    assert requests_of({CODE_FILE: content}) == []


def _keys(*lines: str) -> list[ResetRequest]:
    return requests_of({KEYS_FILE: "\n".join(lines).encode()})


def test_every_key_of_earlier_devices() -> None:
    (asked,) = _keys(f"VERIFY={CODE}", *(f"RESET_{one}=true" for one in EVERY))
    assert asked.code == CODE
    assert not asked.is_public
    assert asked.groups == (
        "dhcp", "wlan", "ethernet", "administrator", "api", "api_user", "blocking", "ddns", "mail", "subscriber_amqp",
        "subscriber_redis", "subscriber_mqtt", "subscriber_ws", "subscriber_stomp", "firewall", "keystore", "modem",
        "sms", "vendor_afraid", "vendor_cloudflare", "vendor_dynu", "vendor_noip",
    )  # fmt: skip


def test_only_true_is_true() -> None:
    (asked,) = _keys(
        f"VERIFY = {CODE}", "RESET_SMS = TRUE ", "RESET_API=false", "RESET_MODEM=1", "RESET_WLAN=", "OTHER=true"
    )
    assert asked.groups == ("sms",)
    assert not asked.wipe


def test_wipe() -> None:
    (asked,) = _keys(f"VERIFY={CODE}", "WIPE_SECRETS=true")
    assert (asked.groups, asked.wipe) == ((), True)


def test_what_asks_for_nothing_is_none() -> None:
    assert _keys(f"VERIFY={CODE}", "RESET_SMS=false") == []
    assert _keys("") == []
    assert requests_of({KEYS_FILE: b"RESET_SMS=true\0"}) == []


def test_the_word_that_everybody_knows() -> None:
    (asked,) = _keys(f"VERIFY={PUBLIC}", "RESET_SMS=true")
    assert asked.is_public
    assert asked.code == "" or len(asked.code) <= 64


@pytest.mark.parametrize("shown", ["", "x", "e30=", base64.b64encode(b"[" * 50_000).decode(), "W10="])
def test_another_word(shown: str) -> None:
    (asked,) = _keys(f"VERIFY={shown}", "RESET_SMS=true")
    assert not asked.is_public


def test_noise_asks_for_nothing_or_little() -> None:
    for _ in range(200):
        for one in requests_of({CODE_FILE: os.urandom(60), KEYS_FILE: b"RESET_SMS=true\n" + os.urandom(400)}):
            assert len(one.code) <= 64
            assert len(one.groups) <= 64


def test_other_files_are_not_looked_at() -> None:
    assert requests_of({"etc/passwd": CODE.encode()}) == []
