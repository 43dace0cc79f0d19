"""What a change has changed is said: from which value to which, and what that does."""

from typing import Any

from otppi.admin.forms import changes, saved
from otppi.api.settings import REDACTED
from otppi.host.core import load_plugins
from otppi.text.languages import translated

SECTIONS = {one.key: one for one in load_plugins().sections}
SMS = SECTIONS["sms"].defaults()


def modem(**values: Any) -> dict[str, Any]:
    return SECTIONS["modems"].of({"type": "at"}).defaults() | {"name": "m0", "type": "at"} | values


def test_a_change_is_said_with_what_it_does() -> None:
    made = changes(SECTIONS["sms"], SMS, SMS | {"attempts": 5, "fail_over": False})
    assert str(saved(made)) == "Saved. Attempts: 3 → 5. Fail-over: yes → no. In use now."
    assert translated(saved(made), "id").startswith("Disimpan. ")
    assert translated(saved(made), "id").endswith("ya → tidak. Berlaku langsung.")


def test_the_object_of_a_list_is_named() -> None:
    made = changes(SECTIONS["modems"], modem(), {"daily_quota": 200})
    assert translated(saved(made), "id").startswith("Disimpan. Kuota Harian m0: 0 segmen → 200 segmen. Modem")


def test_numbers_are_said_as_the_language_writes_them() -> None:
    (made,) = changes(SECTIONS["modems"], modem(), modem(result_timeout=2.5))
    assert str(made.sentence) == "Result time-out of m0: 90 s → 2.5 s"
    assert translated(made.sentence, "id").endswith("90 detik → 2,5 detik") or translated(made.sentence, "id").endswith(
        "90 s → 2,5 s"
    )


def test_of_secrets_only_that_they_changed() -> None:
    made = changes(SECTIONS["modems"], modem(sim_card_pin="1111"), modem(sim_card_pin="2222"))
    assert [str(one.sentence) for one in made] == ["SIM Card PIN of m0: changed"]
    assert "2222" not in repr(made)
    assert changes(SECTIONS["modems"], modem(sim_card_pin=REDACTED), modem(sim_card_pin=REDACTED)) == []
    assert changes(SECTIONS["api_users"], {"username": "a"}, {"password": ""}) == []
    assert [str(one.sentence) for one in changes(SECTIONS["api_users"], {"username": "a"}, {"password": "x"})] == [
        "Password of a: changed"
    ]


def test_lists_rows_and_long_texts_are_said_shortly() -> None:
    prices = [{"prefix": "62", "price": 1.0}]
    changed = modem(recipient_prefixes=["62812", "62813"], prices=prices, apn="a" * 90)
    told = [str(one.sentence) for one in changes(SECTIONS["modems"], modem(), changed)]
    assert told[0] == "Recipient Prefix of m0: none → 62812, 62813"
    assert told[1] == "Prices by Prefix of m0: none → 1 row"
    assert told[2] == f"APN of m0: empty → {'a' * 59}…"


def test_many_are_counted_and_none_is_said() -> None:
    every = {key: value + 1 for key, value in SMS.items() if isinstance(value, int) and not isinstance(value, bool)}
    assert len(every) >= 6
    assert f"And {len(every) - 5} more change" in str(saved(changes(SECTIONS["sms"], SMS, every)))
    assert str(saved(changes(SECTIONS["sms"], SMS, SMS))) == "Nothing was changed."
