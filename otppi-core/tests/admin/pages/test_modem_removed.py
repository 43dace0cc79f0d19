"""A modem is deleted while messages wait for it: the page tells before, and none of them is lost or called sent."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from otppi.api.operations import Role
from otppi.simulator import ModemProfile, ModemRack
from otppi.testing.site import Site
from otppi.testing.waiting import until

RECEIVER = "0811000000"


def state(site: Site, name: str) -> str:
    return str(next((one["state"] for one in site.call("modems") if one["modem_id"] == name), ""))


@pytest.fixture
def rack(tmp_path: Path) -> Iterator[ModemRack]:
    with ModemRack(profiles=[ModemProfile(name="slow", network_time=3.0)], directory=tmp_path) as one:
        yield one


@pytest.fixture
def slow(site: Site, rack: ModemRack) -> Site:
    """A site with a modem m1 for the receivers of 0811, whose network takes some seconds for a message."""
    prefixed = {"name": "m1", "type": "at", "port": str(rack.paths[0]), "recipient_prefixes": ["0811"]}
    site.call("settings_add", section="modems", values=prefixed)
    until(lambda: state(site, "m1") == state(site, "m0") == "ready", what="both are ready")
    return site


def waiting(site: Site) -> list[str]:
    """Send three messages by m1, one of which it is sending, while two wait for it; return the ids of the two."""
    sent = [site.call("send", receiver=f"{RECEIVER}{number}", message="Uji", wait=0.0) for number in range(3)]
    until(lambda: message(site, sent[0]["message_id"])["state"] == "sending", what="the first one is on its way")
    ids = [one["message_id"] for one in sent[1:]]
    assert [(message(site, one)["state"], message(site, one)["modem_id"]) for one in ids] == [("queued", "m1")] * 2
    return ids


def message(site: Site, message_id: str) -> Any:
    return site.call("message", message_id=message_id)


def removed(site: Site, name: str) -> str:
    """Delete a modem by its page; return what that has told before."""
    browser = site.inside(Role.ADMINISTRATOR)
    page = browser.get(f"/settings/modems/remove?_item={name}")
    seen = page.text.partition('name="_seen" value="')[2].partition('"')[0]
    answer = browser.post(f"/settings/modems/remove?_item={name}", {"_item": name, "_seen": seen})
    assert answer.status == 303, answer.words
    return page.words


def test_what_waits_goes_by_another_one(slow: Site) -> None:
    ids = waiting(slow)
    told = removed(slow, "m1")
    assert "Messages wait for it: 2. They go by another modem, or fail and say why." in told
    until(lambda: {message(slow, one)["state"] for one in ids} == {"delivered"}, what="both have arrived")
    assert {message(slow, one)["modem_id"] for one in ids} == {"m0"}


def test_what_waits_for_the_last_one_fails_and_no_simulation_calls_it_sent(slow: Site) -> None:
    slow.call("settings_remove", path="modems.m0")
    ids = waiting(slow)
    assert "No other modem is active: nothing is sent any more." in removed(slow, "m1")
    until(lambda: all(message(slow, one)["state"] not in ("queued", "sending") for one in ids), what="they have ended")
    for one in ids:
        assert message(slow, one)["state"] == "failed"
        assert message(slow, one)["cause"] == "no modem may send it since the settings changed"
