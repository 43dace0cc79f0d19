"""Where other settings are kept than are in use: told, put in use on trial, or given up."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from otppi.api.errors import Busy, InvalidSettings
from otppi.api.trials import CannotWrite
from otppi.testing.waiting import until

from .test_trials import Network

RESTORED = {"address": "192.168.1.50", "prefix": 24, "key": "restored secret"}


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    one = Network(tmp_path)
    yield one
    one.stop()


def restore(network: Network, **values: Any) -> None:
    """Have other settings kept than are in use, as a backup of another device does."""
    network.config.update({"network-wire": RESTORED | values})


def differing(network: Network) -> dict[str, list[str]]:
    return {key: one["differs"] for key, one in network.ask("network_show").items() if one["differs"]}


def test_a_device_whose_network_nobody_has_set_is_as_it_should_be(network: Network) -> None:
    """Its settings have their defaults, and it has what the brochure says."""
    assert network.wire.used["key"] != ""
    assert differing(network) == {}


def test_what_differs_is_told_with_what_to_do(network: Network) -> None:
    restore(network)
    assert differing(network) == {"network-wire": ["address", "key"]}
    network.start()
    until(network.trials.problems)
    (told,) = map(str, network.trials.problems())
    assert told.startswith("Wire: what is kept is not what is in use (Address, Key)")
    assert "otppi network apply network-wire" in told
    assert network.ask("network_status")["differs"] == {"network-wire": ["address", "key"]}
    assert "restored secret" not in f"{network.ask('network_show')}{network.ask('network_status')}{told}"


def test_settings_that_were_kept_meanwhile_are_compared(network: Network) -> None:
    network.start()
    restore(network)
    network.trials.configure(["network-wire"])
    until(network.trials.problems)


def test_a_secret_that_is_not_kept_is_that_in_use(network: Network) -> None:
    restore(network, key="", address="192.168.1.2")
    assert differing(network) == {}


def test_it_is_looked_again_until_it_can_be_told(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("otppi.host.trials.trials._LOOK_AGAIN", 0.05)
    monkeypatch.setattr("otppi.host.trials.trials._COMPARE_AGAIN", 0.05)
    restore(network)
    network.wire.broken = True
    assert differing(network) == {}
    network.start()
    network.wire.broken = False
    until(lambda: "what is kept is not" in str(network.trials.problems()))
    network.wire.used = network.wire.kept = dict(RESTORED)
    until(lambda: not network.trials.problems())


def test_what_is_kept_is_used_on_trial(network: Network) -> None:
    restore(network)
    network.start()
    until(network.trials.problems)
    begun = network.ask("network_apply", section="network-wire")
    assert network.wire.used == RESTORED
    assert begun["changed"]["address"] == ["192.168.1.2", "192.168.1.50"]
    assert "restored secret" not in str(begun)
    assert network.trials.problems() == []
    assert differing(network) == {}, "while it is on trial nobody asks"
    network.ask("network_revert")
    until(network.trials.problems)
    network.ask("network_apply", section="network-wire")
    network.ask("network_confirm")
    until(lambda: not network.trials.problems())
    assert network.wire.kept == RESTORED


def test_what_is_in_use_is_kept(network: Network) -> None:
    restore(network)
    network.start()
    until(network.trials.problems)
    assert network.ask("network_adopt", section="network-wire") == {"section": "network-wire"}
    until(lambda: not network.trials.problems())
    assert network.config.one("network-wire") == network.wire.used
    assert network.wire.trials == []


def test_what_cannot_be_used_or_kept(network: Network) -> None:
    with pytest.raises(CannotWrite, match="in use already"):
        network.ask("network_apply", section="network-wire")
    with pytest.raises(InvalidSettings, match="must be one of"):
        network.ask("network_adopt", section="sms")
    restore(network)
    network.change(prefix=25)
    with pytest.raises(Busy):
        network.ask("network_apply", section="network-wire")
    with pytest.raises(Busy):
        network.ask("network_adopt", section="network-wire")


def test_a_writer_says_what_follows_from_what_is_kept(network: Network) -> None:
    types: Any = network.trials.types
    kind = types["network-wire"]
    restore(network, key="73917391")
    types["network-wire"] = replace(
        kind, expected=lambda values, others: {**values, "address": others["network-other"]["address"]}
    )
    network.wire.used["address"] = "10.0.0.1"
    assert differing(network) == {}
    types["network-wire"] = replace(kind, expected=lambda _values, _others: None)
    network.wire.used["address"] = "10.0.0.7"
    assert differing(network) == {}
