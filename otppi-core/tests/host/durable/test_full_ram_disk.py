"""A RAM disk that is full costs what waits at a crash; never the truth of what went out (issue 9, row 27)."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from otppi.api.ingress import Origin, Sender
from otppi.api.message import State
from otppi.host.durable import spare as spare_module
from otppi.host.durable.journal import Journal
from otppi.host.records.record import Record
from otppi.testing import mounts
from otppi.testing.bench import DispatchBench
from otppi.testing.scripted import until

BROKER = Origin("ingress-broker", Sender("broker"), kept_by_source=True, redelivered=True)


@pytest.fixture
def disk(tmp_path: Path, no_leaks: None) -> Iterator[Path]:
    with ExitStack() as stack:
        try:
            yield stack.enter_context(mounts.ram_disk(tmp_path / "0", 2 * 1024 * 1024))
        except mounts.NoMounts as error:
            pytest.skip(f"nothing can be mounted here: {error}")


def killed(bench: DispatchBench) -> Callable[[], dict[str, State]]:
    """What another process would find now, since nothing is buffered in this one."""

    def states() -> dict[str, State]:
        journal = Journal(bench.folder / "boot")
        try:
            return {str(one.client_id): one.state for one in journal.replay()}
        finally:
            journal.close()

    return states


def test_what_went_out_is_known_although_nothing_more_could_be_written(
    disk: Path, make_bench: Callable[..., DispatchBench]
) -> None:
    bench = make_bench()
    modem = bench.add("m0")
    bench.end(bench.enqueue(id="before"))
    mounts.fill(disk)
    states = killed(bench)
    bench.end(*(bench.enqueue(id=f"after {number}") for number in range(200)))
    modem.gate.clear()
    flying = bench.enqueue(id="in the air")
    until(modem.sending.is_set)
    bench.dispatch.dispatched(flying, None)
    waiting = bench.enqueue(id="waiting")
    found = states()
    assert found.pop("in the air") is State.UNCONFIRMED
    assert found.pop("waiting") is State.FAILED
    assert set(found.values()) == {State.SENT}
    assert len(found) == 201
    assert not bench.spool.holds(flying), "it is not there to be sent again"
    assert any("is full" in warning for warning in bench.dispatch.warnings())
    modem.gate.set()
    bench.end(flying, waiting)


def test_the_file_is_written_anew_once_there_is_room(disk: Path, make_bench: Callable[..., DispatchBench]) -> None:
    bench = make_bench()
    bench.add("m0")
    filler = mounts.fill(disk)
    bench.end(bench.enqueue(id="while it was full"))
    filler.unlink()
    bench.dispatch._compact()
    bench.end(bench.enqueue(id="afterwards"))
    assert bench.journal.warnings() == []
    assert set(killed(bench)().items()) == {("while it was full", State.SENT), ("afterwards", State.SENT)}


def test_where_the_reserve_ran_over_nothing_is_told_as_failed(
    disk: Path, make_bench: Callable[..., DispatchBench]
) -> None:
    bench = make_bench()
    bench.add("m0")
    mounts.fill(disk)
    for round_ in range(6):
        bench.end(*(bench.enqueue(id=f"{'x' * 100} {round_} {number}") for number in range(200)))
    last = bench.enqueue(id="last")
    bench.end(last)
    found = killed(bench)()
    assert found["last"] is State.SENT
    assert State.FAILED not in found.values()


def test_a_disk_that_was_full_from_the_beginning(tmp_path: Path, disk: Path) -> None:
    mounts.fill(disk)
    journal = Journal(disk / "boot")
    one = Record.of(BROKER, "1", "6281200000001", "made up", 2_000_000_000.0)
    journal.taken(one)
    assert not journal.dispatched(one)
    assert any("not known what went out" in warning for warning in journal.warnings())
    assert journal.replay() == []
    journal.close()


@pytest.mark.parametrize("size", [1, 100, spare_module._SIZE - 1, spare_module._SIZE, spare_module._SIZE + 1])
def test_the_reserve_gives_whole_lines_the_newest_last(tmp_path: Path, size: int) -> None:
    spare = spare_module.Spare(tmp_path / "spare")
    spare.begin(7)
    lines = [f"{number} {'x' * (number % 90)}\n".encode() for number in range(max(1, size // 50))]
    for line in lines:
        spare.add(line)
    again = spare_module.Spare(tmp_path / "spare")
    left, missing = again.left_over(7)
    assert b"".join(lines).endswith(left)
    assert left.endswith(lines[-1])
    assert missing is (len(left) < sum(map(len, lines)))
    assert again.left_over(8) == (b"", False)
    for one in (spare, again):
        one.close()
