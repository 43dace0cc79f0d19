"""What of diagnostics is hidden: numbers and addresses of people, of modems and SIM cards, and secrets."""

import pytest

from otppi.host.gateway.disguise import Disguise

DISGUISE = Disguise(("867584030123456",), ("rahasia-sekali",))


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("to 6281234567890 by m0", "to 62812******90 by m0"),
        ("+6281234567890", "+6281*******90"),
        ("usb-HUAWEI_MOBILE_867584030123456-if00", "usb-HUAWEI_MOBILE_86758********56-if00"),
        ("x867584030123456y", "x86758********56y"),
        ("ICCID 8962101234567890123F", "ICCID 89621*************3F"),
        ("rina@shop.example wrote", "r*****@shop.example wrote"),
        ("the password rahasia-sekali is wrong", "the password ******** is wrong"),
        ("amqp://guest:geheim@broker.example:5672/", "amqp://…@broker.example:5672/"),
        ("GET https://a.example/hook?token=abc#x", "GET https://a.example/hook?…#x"),
        ("m0: +CMS ERROR: 38 after 1234567 octets", "m0: +CMS ERROR: 38 after 1234567 octets"),
        ("id 01hx3f9912345678901234ab", "id 01hx3f9912345678901234ab"),
        ("at 192.168.0.11:8888 since 2026-11-29", "at 192.168.0.11:8888 since 2026-11-29"),
        ("RabbitMQ @ broker", "RabbitMQ @ broker"),
    ],
)
def test_what_is_hidden(text: str, hidden: str) -> None:
    assert DISGUISE.of_text(text) == hidden


def test_numbers_of_json_are_sizes_and_times_and_its_texts_are_hidden() -> None:
    value = {"free": 16_000_000_000, "who": ["6281234567890", None, True], "6281234567890": 1.5}
    assert DISGUISE.of_value(value) == {
        "free": 16_000_000_000,
        "who": ["62812******90", None, True],
        "62812******90": 1.5,
    }
