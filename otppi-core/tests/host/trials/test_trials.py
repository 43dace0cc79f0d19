"""Trials: a change of the network is kept when it is confirmed, and else comes to its end by itself."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from otppi.api.errors import Busy, InvalidSettings, NotSupported
from otppi.api.operations import Actor, Role
from otppi.api.settings import Section, integer, text
from otppi.api.trials import CannotWrite, Trial, TrialOver, Values, Writer, WriterContext, WriterType
from otppi.host.runtime.registry import Registry
from otppi.host.settings.changes import SettingsChanges
from otppi.host.settings.config import Config
from otppi.host.settings.document import Declarations
from otppi.host.storage.store import NothingKept, Store
from otppi.host.trials.operations import OPERATIONS
from otppi.host.trials.trials import Trials
from otppi.kit.threads import PromptThread
from otppi.testing.waiting import PATIENCE, until
from otppi.wire.errors import FieldError

AYU = Actor("ayu", "pages", Role.ADMINISTRATOR)
LONG = 600.0

ETHERNET = Section(
    key="network-wire",
    title="Wire",
    help="The wire.",
    settings=(
        text("address", "Address", "Its address.", "192.168.1.2"),
        integer("prefix", "Prefix", "How long.", 24, minimum=1, maximum=30),
        text("key", "Key", "Its key.", "", secret=True),
    ),
    reset_group="ethernet",
    own_operations=True,
)


class WireTrial(Trial):
    def __init__(self, wire: "Wire", before: dict[str, Any]) -> None:
        self.wire, self.before = wire, before
        self.over = False

    def confirm(self) -> None:
        if self.over:
            raise TrialOver("the network manager was restarted")
        if self.wire.broken:
            raise CannotWrite("the card is full")
        self.wire.kept = dict(self.wire.used)
        self.over = True

    def roll_back(self) -> None:
        if self.wire.broken or self.wire.stuck:
            self.wire.asked.set()
            raise CannotWrite("the network manager is away")
        self.wire.used = dict(self.before)
        self.over = True


class Wire(Writer):
    """What is in use, and what comes after the power; `broken` lets nothing be done, `stuck` nothing be undone."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {"address": "192.168.1.2", "prefix": 24, "key": "73917391"}
        self.used = dict(self.kept)
        self.broken = self.stuck = False
        self.closed = False
        self.asked = threading.Event()
        self.trials: list[WireTrial] = []

    def values(self) -> Values:
        if self.broken:
            raise CannotWrite("the network manager is away")
        return self.used

    def change(self, values: Values, seconds: float) -> Trial:
        if self.broken:
            raise CannotWrite("the network manager is away")
        assert seconds > 0
        self.trials.append(WireTrial(self, self.used))
        self.used = dict(values)
        return self.trials[-1]

    def abandon(self) -> bool:
        if self.broken:
            raise CannotWrite("the network manager is away")
        left = self.used != self.kept
        self.used = dict(self.kept)
        return left

    def close(self) -> None:
        self.closed = True


def not_the_others(values: Values, others: Mapping[str, Values]) -> Iterable[FieldError]:
    if any(one["address"] == values["address"] for one in others.values()):
        yield FieldError("address", "is another one's")


class Network:
    """Two wires, the operations on them, and the thread of the service."""

    def __init__(self, folder: Path, seconds: float = LONG) -> None:
        self.contexts: list[WriterContext] = []
        self.wire, self.other = Wire(), Wire()
        self.other.kept = self.other.used = {"address": "10.0.0.1", "prefix": 8, "key": ""}
        other = replace(ETHERNET, key="network-other")
        types = [
            WriterType(ETHERNET, self._make(self.wire), seconds, not_the_others, lambda values: str(values["address"])),
            WriterType(other, self._make(self.other), seconds),
        ]
        self.config = Config(Store(folder / "settings.json"), Declarations((ETHERNET, other)))
        self.trials = Trials({one.section.key: one for one in types}, self.config, folder / "boot", folder / "card")
        self.registry = Registry(OPERATIONS, [self.trials, self.config, SettingsChanges(self.config)])
        self._thread: PromptThread | None = None

    def _make(self, wire: Wire) -> Callable[[WriterContext], Writer]:
        def create(context: WriterContext) -> Writer:
            self.contexts.append(context)
            return wire

        return create

    def start(self) -> None:
        self.trials.start()
        self._thread = PromptThread(self.trials.run, "trials")
        self._thread.start()

    def stop(self) -> None:
        self.trials.stop()
        if self._thread is not None:
            assert self._thread.end(PATIENCE)
        self.trials.close()

    def ask(self, name: str, **arguments: Any) -> Any:
        return self.registry.call(name, arguments, AYU)

    def change(self, **values: Any) -> Any:
        return self.ask("network_change", section="network-wire", values=values)


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    one = Network(tmp_path)
    yield one
    one.stop()


@pytest.fixture
def quick(tmp_path: Path) -> Iterator[Network]:
    one = Network(tmp_path, 0.05)
    yield one
    one.stop()


def test_a_change_is_in_use_and_kept_when_it_is_confirmed(network: Network) -> None:
    begun = network.change(address="192.168.1.50")
    assert begun["changed"] == {"address": ["192.168.1.2", "192.168.1.50"]}
    assert begun["address"] == "192.168.1.50"
    assert network.wire.used == {"address": "192.168.1.50", "prefix": 24, "key": "73917391"}
    assert network.config.one("network-wire")["address"] == "192.168.1.2"
    assert network.ask("network_confirm", token=begun["token"]) == {"section": "network-wire"}
    assert network.wire.kept["address"] == network.config.one("network-wire")["address"] == "192.168.1.50"
    last = {"section": "network-wire", "end": "confirmed"}
    assert network.ask("network_status") == {"trial": None, "last": last, "differs": {}}


def test_what_nobody_confirms_comes_to_its_end_by_itself(quick: Network) -> None:
    quick.start()
    token = quick.change(address="192.168.1.50")["token"]
    until(lambda: quick.trials.last is not None)
    assert quick.ask("network_status")["last"] == {"section": "network-wire", "end": "expired"}
    assert quick.wire.used["address"] == "192.168.1.2"
    with pytest.raises(TrialOver):
        quick.ask("network_confirm", token=token)
    assert quick.config.one("network-wire")["address"] == "192.168.1.2"


def test_a_person_has_what_was_before(network: Network) -> None:
    token = network.change(address="192.168.1.50")["token"]
    network.ask("network_revert", token=token)
    assert network.wire.used["address"] == "192.168.1.2"
    assert network.ask("network_status")["last"]["end"] == "reverted"


def test_who_may_change_the_network_need_not_know_the_token(network: Network) -> None:
    network.change(address="192.168.1.50")
    network.ask("network_confirm")
    assert network.wire.kept["address"] == "192.168.1.50"
    with pytest.raises(TrialOver, match="no change"):
        network.ask("network_revert")


@pytest.mark.parametrize("token", ["x", "é", "x" * 10_000])
def test_a_token_of_another_change_does_nothing(network: Network, token: str) -> None:
    network.change(address="192.168.1.50")
    for name in ("network_confirm", "network_revert"):
        with pytest.raises(TrialOver):
            network.ask(name, token=token)
    assert network.trials.current is not None
    assert network.wire.used["address"] == "192.168.1.50"


def test_one_at_a_time(network: Network) -> None:
    network.change(address="192.168.1.50")
    with pytest.raises(Busy, match="waits to be confirmed"):
        network.ask("network_change", section="network-other", values={"address": "10.0.0.2"})
    assert network.other.used["address"] == "10.0.0.1"


def test_what_cannot_work_is_refused_with_the_field(network: Network) -> None:
    with pytest.raises(InvalidSettings) as caught:
        network.change(prefix=99)
    assert [one.field for one in caught.value.problems] == ["network-wire.prefix"]
    with pytest.raises(InvalidSettings) as caught:
        network.change(address="10.0.0.1")
    assert [(one.field, one.reason) for one in caught.value.problems] == [("network-wire.address", "is another one's")]
    with pytest.raises(InvalidSettings, match="must be one of network-wire, network-other"):
        network.ask("network_change", section="sms", values={})
    assert network.wire.trials == []
    assert network.trials.current is None


def test_what_the_device_refuses_is_no_trial(network: Network) -> None:
    network.wire.broken = True
    with pytest.raises(CannotWrite):
        network.change(address="192.168.1.50")
    assert network.trials.current is None
    network.wire.broken = False
    assert network.change(address="192.168.1.51")["section"] == "network-wire"


def test_what_cannot_be_kept_is_not_kept(network: Network) -> None:
    network.start()
    network.change(address="192.168.1.50")
    network.wire.broken = True
    with pytest.raises(CannotWrite, match="full"):
        network.ask("network_confirm")
    assert network.config.one("network-wire")["address"] == "192.168.1.2"
    assert network.trials.problems()
    network.wire.broken = False
    until(lambda: network.wire.used["address"] == "192.168.1.2")


def test_a_trial_that_was_over_is_not_kept(network: Network) -> None:
    network.change(address="192.168.1.50")
    network.wire.trials[0].roll_back()
    with pytest.raises(TrialOver, match="restarted"):
        network.ask("network_confirm")
    assert network.ask("network_status")["last"]["end"] == "lost"
    assert network.config.one("network-wire")["address"] == "192.168.1.2"


def test_bringing_back_is_tried_until_it_is_done(quick: Network) -> None:
    quick.start()
    quick.wire.stuck = True
    quick.change(address="192.168.1.50")
    assert quick.wire.asked.wait(PATIENCE)
    until(quick.trials.problems)
    quick.wire.stuck = False
    until(lambda: quick.wire.used["address"] == "192.168.1.2")
    until(lambda: not quick.trials.problems())


def test_what_a_gateway_left_behind_that_died_is_brought_back(network: Network) -> None:
    network.wire.used = {"address": "192.168.1.50", "prefix": 24, "key": ""}
    network.start()
    until(lambda: network.wire.used["address"] == "192.168.1.2")


def test_a_writer_that_cannot_tell_keeps_no_other_from_working(network: Network) -> None:
    network.wire.broken = True
    network.other.used = {"address": "10.0.0.9", "prefix": 8, "key": ""}
    network.start()
    until(lambda: network.other.used["address"] == "10.0.0.1")
    until(network.trials.problems)
    shown = network.ask("network_show")
    assert shown["network-wire"]["problem"] == "the network manager is away"
    assert shown["network-other"]["in_use"]["address"] == "10.0.0.1"


def test_what_was_left_behind_is_looked_at_until_it_can_be_told(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("otppi.host.trials.trials._LOOK_AGAIN", 0.05)
    network.wire.used = {"address": "192.168.1.50", "prefix": 24, "key": ""}
    network.wire.broken = True
    network.start()
    until(network.trials.problems)
    network.other.used = {"address": "10.0.0.9", "prefix": 8, "key": ""}
    network.wire.broken = False
    until(lambda: network.wire.used["address"] == "192.168.1.2")
    until(lambda: not network.trials.problems())
    assert network.change(address="192.168.1.51")["section"] == "network-wire"
    assert network.other.used["address"] == "10.0.0.9", "one that could be told is left alone"


def test_nothing_is_tried_on_top_of_what_was_left_behind(network: Network) -> None:
    network.wire.broken = True
    network.start()
    until(network.trials.problems)
    network.wire.broken = False
    with pytest.raises(CannotWrite, match="is away"):
        network.change(address="192.168.1.50")
    assert network.wire.trials == []
    network.ask("network_change", section="network-other", values={"address": "10.0.0.2"})


def test_no_secret_is_told(network: Network) -> None:
    begun = network.change(key="10293847")
    told = str([begun, network.ask("network_show"), network.ask("network_status"), network.trials.current])
    assert "10293847" not in told
    assert "73917391" not in told
    assert begun["token"] not in str([network.ask("network_status"), network.trials.describe(), network.trials.current])


def test_folders_are_its_own_alone(network: Network) -> None:
    network.ask("network_show")
    assert len(network.contexts) == 2
    for context in network.contexts:
        for folder in (context.boot_folder, context.boot_folder.parent, context.folder, context.folder.parent):
            assert folder.stat().st_mode & 0o077 == 0


def test_where_no_plugin_changes_the_network(tmp_path: Path) -> None:
    config = Config(NothingKept(), Declarations(()))
    trials = Trials({}, config, tmp_path, tmp_path)
    assert not trials.has_thread
    with pytest.raises(NotSupported):
        trials.begin("network-wire", {}, AYU)


def test_a_change_is_looked_at_before_it_is_made(network: Network) -> None:
    found = network.ask("network_check", section="network-wire", values={"address": "192.168.1.50", "key": "4711"})
    assert found["changed"] == {"address": ["192.168.1.2", "192.168.1.50"], "key": ["********", "********"]}
    assert (found["address_before"], found["address"]) == ("192.168.1.2", "192.168.1.50")
    assert network.wire.trials == []
    with pytest.raises(InvalidSettings):
        network.ask("network_check", section="network-wire", values={"prefix": 99})


def test_whoever_asks_may_know_the_token_before(network: Network) -> None:
    token = "a-token-that-a-page-has-shown"
    told = network.ask("network_change", section="network-wire", values={"address": "192.168.1.50"}, token=token)
    assert told["token"] == token
    network.ask("network_confirm", token=token)
    for short in ("x", "x" * 23, "é" * 24):
        with pytest.raises(InvalidSettings):
            network.ask("network_change", section="network-wire", values={"address": "192.168.1.51"}, token=short)
