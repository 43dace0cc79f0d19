"""A card becomes a device's own: identity and country are on it, once."""

import json
from pathlib import Path

import pytest

from image.card.boot_partition import CardError
from image.card.card import Card, with_country
from otppi.api.errors import InvalidSettings
from otppi.host.identity.identity import make, read
from tests.image.card.conftest import COMMAND_LINE, MIB, SIZE, got, listed, make_image, put


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"root=a rootwait\n", b"root=a rootwait cfg80211.ieee80211_regdom=SG\n"),
        (b"root=a rootwait", b"root=a rootwait cfg80211.ieee80211_regdom=SG\n"),
        (b"root=a rootwait  \r\n", b"root=a rootwait cfg80211.ieee80211_regdom=SG\n"),
        (b"root=a cfg80211.ieee80211_regdom=ID rootwait\n", b"root=a rootwait cfg80211.ieee80211_regdom=SG\n"),
        (b"cfg80211.ieee80211_regdom=ID root=a cfg80211.ieee80211_regdom=\n", b"root=a cfg80211.ieee80211_regdom=SG\n"),
        (b"root=a x=\xe9\n# a note\n", b"root=a x=\xe9 cfg80211.ieee80211_regdom=SG\n# a note\n"),
    ],
)
def test_the_country_is_said_once_in_the_one_line(before: bytes, after: bytes) -> None:
    assert with_country(before, "SG") == after
    assert with_country(after, "SG") == after


def test_a_card_gets_its_identity(image: Path) -> None:
    identity = make(country="SG", settings={"sms": {"country_code": "65"}})
    card = Card(image)
    card.check_new(again=False)
    card.write(identity)
    assert read(json.loads(got(image, "otppi-device.json"))) == identity
    assert got(image, "cmdline.txt") == f"{COMMAND_LINE.rstrip()} cfg80211.ieee80211_regdom=SG\n"
    assert listed(image) == {"cmdline.txt", "config.txt", "otppi-device.json"}
    assert Card(image).identity() == identity


def test_one_that_has_an_identity_gets_another_one_only_when_told(image: Path) -> None:
    Card(image).write(make(country="SG"))
    with pytest.raises(CardError, match="is personalised already; --again"):
        Card(image).check_new(again=False)
    Card(image).check_new(again=True)
    second = make(country="MY")
    Card(image).write(second)
    assert Card(image).identity() == second
    assert got(image, "cmdline.txt").count("regdom=") == 1


def test_one_that_was_in_a_device_gets_none(image: Path) -> None:
    """Its first boot is over: what came on the card now would be looked at by nobody."""
    put(image, "otppi-this-device.txt", "Wi-Fi …\n")
    for again in (False, True):
        with pytest.raises(CardError, match="was in a device already"):
            Card(image).check_new(again=again)


def test_one_that_a_device_has_taken_gets_none(image: Path) -> None:
    """It got another identity, and a brochure, by which nobody would have got in."""
    put(image, "otppi-in-use.txt", "This card is the device OTP-Pi-ACDE.\n")
    for again in (False, True):
        with pytest.raises(CardError, match="is a device's already"):
            Card(image).check_new(again=again)


def test_an_image_of_something_else_is_refused(image: Path, tmp_path: Path) -> None:
    other = make_image(tmp_path / "other.img", {"config.txt": "arm_64bit=1\n"})
    with pytest.raises(CardError, match=r"its boot partition has no cmdline\.txt"):
        Card(other)
    put(image, "cmdline.txt", "\n")
    with pytest.raises(CardError, match=r"its boot partition has no cmdline\.txt"):
        Card(image)


def test_an_identity_that_cannot_be_read_is_told(image: Path) -> None:
    card = Card(image)
    with pytest.raises(CardError, match="has no identity"):
        card.identity()
    put(image, "otppi-device.json", '{"ssid": "OTP')
    with pytest.raises(CardError, match="is no JSON"):
        Card(image).identity()
    put(image, "otppi-device.json", '{"ssid": "OTP-Pi-ACDE"}')
    with pytest.raises(InvalidSettings, match="passphrase: is missing"):
        Card(image).identity()


def test_a_full_card_is_as_it_was(image: Path) -> None:
    card = Card(image)
    put(image, "big", "x" * (SIZE * MIB - 1_200_000))
    settings = {"blocking": "x" * 2 * MIB}
    with pytest.raises(CardError, match=r"otppi-device\.json cannot be written"):
        card.write(make(settings=settings))
    assert "otppi-device.json" not in listed(image)
    assert got(image, "cmdline.txt").startswith(COMMAND_LINE.rstrip())
