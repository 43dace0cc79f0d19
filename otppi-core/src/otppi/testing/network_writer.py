"""What every writer of the device's network has to do: a plugin's tests call it with a real network of their own.

Each check takes a `WriterBench`. A test calls them all: `for check in WRITER_CHECKS: check(bench)`, or one by one with
`pytest.mark.parametrize`; each wants a bench of its own.
"""
# ruff: noqa: S101 - these are tests

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from otppi.api.trials import CannotWrite, TrialOver, Values, Writer, WriterContext, WriterType
from otppi.testing.leaks import leaves_nothing
from otppi.testing.waiting import until

_LONG, _SHORT = 300.0, 6.0


class WriterBench(ABC):
    """One writer with the network that it changes. Subclass it in a plugin's tests.

    Args:
        folder: Where the writer's folders are.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    @abstractmethod
    def writer_type(self) -> WriterType:
        """What the plugin registers."""

    @property
    @abstractmethod
    def other(self) -> dict[str, Any]:
        """Values that can be used, and are not those in use."""

    @abstractmethod
    def is_used(self, values: Values) -> bool:
        """Whether the network itself, not what the writer says of it, is as values say."""

    @abstractmethod
    def restart_service(self) -> None:
        """Restart what carries out the changes."""

    @abstractmethod
    def lose_power(self) -> None:
        """Let all be as after a power cut and the next start; `boot_folder` is emptied by the check."""

    @abstractmethod
    def end_service(self) -> None:
        """End what carries out the changes."""

    @property
    def context(self) -> WriterContext:
        """What a writer gets."""
        return WriterContext(self.folder / "boot", self.folder / "card")

    def writer(self) -> Writer:
        """Make a writer, as a gateway that starts does."""
        return self.writer_type.create(self.context)


def _same(writer: Writer, values: Values) -> bool:
    return dict(writer.values()) == dict(values)


def says_what_is_in_use(bench: WriterBench) -> None:
    """Expect values that its section takes, and that are those of the network."""
    values = bench.writer().values()
    section = bench.writer_type.section
    kept, problems = section.validate(dict(values))
    assert not problems
    assert kept == dict(values)
    assert bench.is_used(values)
    assert section.validate(bench.other)[1] == []
    assert bench.other != dict(values)


def change_is_used_until_it_is_rolled_back(bench: WriterBench) -> None:
    """Expect the new values in use at once, and the old ones after a roll-back; a second one does nothing."""
    writer = bench.writer()
    before = dict(writer.values())
    with leaves_nothing():
        trial = writer.change(bench.other, _LONG)
        assert bench.is_used(bench.other)
        assert _same(writer, bench.other)
        trial.roll_back()
        assert bench.is_used(before)
        assert _same(writer, before)
        trial.roll_back()
        with pytest.raises(TrialOver):
            trial.confirm()
    assert not writer.abandon()


def confirmed_change_outlives_the_power(bench: WriterBench) -> None:
    """Expect what was confirmed after a power cut, too, and nothing to abandon."""
    writer = bench.writer()
    with leaves_nothing():
        trial = writer.change(bench.other, _LONG)
        trial.confirm()
    assert not writer.abandon()
    _cut(bench)
    until(lambda: bench.is_used(bench.other), "what was confirmed is used")
    assert not bench.writer().abandon()
    assert _same(bench.writer(), bench.other)


def change_on_trial_is_gone_with_the_power(bench: WriterBench) -> None:
    """Expect what was before after a power cut."""
    before = dict(bench.writer().values())
    _begin_and_die(bench, _LONG)
    _cut(bench)
    until(lambda: bench.is_used(before), "what was before is used")
    assert not bench.writer().abandon()
    assert _same(bench.writer(), before)


def change_ends_without_the_gateway(bench: WriterBench) -> None:
    """Expect what was before when the time is over, although nobody rolls back; the next gateway finds the trial."""
    before = dict(bench.writer().values())
    _begin_and_die(bench, _SHORT)
    until(lambda: bench.is_used(before), "what was before is used")
    writer = bench.writer()
    assert writer.abandon()
    assert not writer.abandon()
    assert bench.is_used(before)
    _cut(bench)
    until(lambda: bench.is_used(before), "what was before is used")


def change_is_ended_by_the_next_gateway(bench: WriterBench) -> None:
    """Expect a gateway that starts to bring back what was before a trial that it finds."""
    before = dict(bench.writer().values())
    _begin_and_die(bench, _LONG)
    assert bench.is_used(bench.other)
    writer = bench.writer()
    assert writer.abandon()
    assert bench.is_used(before)
    assert _same(writer, before)
    assert not writer.abandon()


def change_is_over_or_goes_on_after_a_restart_of_the_service(bench: WriterBench) -> None:
    """Expect that what carries out the changes may be restarted, and that the trial still ends as its maker says."""
    writer = bench.writer()
    before = dict(writer.values())
    trial = writer.change(bench.other, _LONG)
    bench.restart_service()
    trial.roll_back()
    until(lambda: bench.is_used(before), "what was before is used")
    _cut(bench)
    until(lambda: bench.is_used(before), "what was before is used")
    assert not bench.writer().abandon()


def two_changes_follow_each_other(bench: WriterBench) -> None:
    """Expect that a confirmed change can be changed back, and a second trial refused while there is one."""
    writer = bench.writer()
    before = dict(writer.values())
    trial = writer.change(bench.other, _LONG)
    with pytest.raises(CannotWrite):
        writer.change(before, _LONG)
    assert bench.is_used(bench.other)
    trial.confirm()
    writer.change(before, _LONG).confirm()
    assert bench.is_used(before)
    _cut(bench)
    until(lambda: bench.is_used(before), "what was confirmed is used")


def says_that_there_is_no_service(bench: WriterBench) -> None:
    """Expect a sentence where what carries out the changes is not there, and nothing left behind."""
    writer = bench.writer()
    bench.end_service()
    with leaves_nothing():
        with pytest.raises(CannotWrite) as refused:
            writer.change(bench.other, _LONG)
        assert len(str(refused.value)) > 10
        writer.close()


def _begin_and_die(bench: WriterBench, seconds: float) -> None:
    """Begin a change as a gateway does that is killed then: nobody ends the trial, or looks at it."""
    writer = bench.writer()
    with leaves_nothing():
        writer.change(bench.other, seconds)
        writer.close()


def _cut(bench: WriterBench) -> None:
    for path in sorted(bench.context.boot_folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    bench.lose_power()


WRITER_CHECKS: tuple[Callable[[WriterBench], None], ...] = (
    says_what_is_in_use,
    change_is_used_until_it_is_rolled_back,
    confirmed_change_outlives_the_power,
    change_on_trial_is_gone_with_the_power,
    change_ends_without_the_gateway,
    change_is_ended_by_the_next_gateway,
    change_is_over_or_goes_on_after_a_restart_of_the_service,
    two_changes_follow_each_other,
    says_that_there_is_no_service,
)
