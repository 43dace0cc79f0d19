"""Jobs: an operation goes on by itself, tells how far it is, is called off, and is remembered for a while."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from otppi.api.errors import Busy, InvalidSettings, NotDone, NotPermitted
from otppi.api.operations import Actor, Call, Operation, Role
from otppi.api.settings import text
from otppi.host.jobs.jobs import KEPT_FOR, MOST_KEPT, MOST_RUNNING, Job, Jobs, JobState
from otppi.host.jobs.operations import OPERATIONS
from otppi.host.runtime.registry import Registry
from otppi.kit.threads import PromptThread
from otppi.testing.waiting import PATIENCE, until

VIEWER, OPERATOR, ADMINISTRATOR = (Actor("ayu", "pages", role) for role in Role)


class Work:
    """A registry with an operation that goes on until it is told to."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.now = 1_000_000.0
        self.jobs = Jobs(lambda: self.now)
        how = text("how", "How", "How it ends.", choices=("", "refused", "broken", "raises"))
        work = Operation(
            name="work", title="Work", help="Work.", handler=self._work, parameters=(how,), role=Role.OPERATOR
        )
        self.registry = Registry([work, *OPERATIONS], [self.jobs])

    def _work(self, call: Call, how: str) -> dict[str, str]:
        call.progress("the first half", 0.25)
        assert self.go_on.wait(PATIENCE)
        call.progress("the second half", 7.0)
        if how == "refused":
            raise NotDone("the network refuses")
        if how == "broken":
            raise ValueError("73917391")
        if how == "raises":
            raise OSError(28, "No space left on device", "/data/x")
        return {"made": "it"}

    def begin(self, how: str = "", actor: Actor = OPERATOR) -> Job:
        return self.jobs.begin(self.registry, "work", {"how": how}, actor)

    def ended(self, how: str = "") -> Job:
        job = self.begin(how)
        assert job.over.wait(PATIENCE)
        return job

    def ask(self, name: str, actor: Actor = OPERATOR, **arguments: Any) -> Any:
        return self.registry.call(name, arguments, actor)


@pytest.fixture
def work() -> Iterator[Work]:
    one = Work()
    yield one
    one.go_on.set()
    one.jobs.stop()
    until(lambda: not [one for one in threading.enumerate() if one.name == "job work"], "all threads have ended")


def test_a_job_tells_how_far_it_is_and_what_came_of_it(work: Work) -> None:
    job = work.begin()
    until(lambda: job.share, "it has begun")
    told = work.ask("job", job=job.job_id)
    assert (told["state"], told["step"], told["share"], told["result"]) == ("running", "the first half", 0.25, None)
    assert [one["job"] for one in work.ask("jobs")] == [job.job_id]
    work.go_on.set()
    assert job.over.wait(PATIENCE)
    told = work.ask("job", job=job.job_id)
    assert (told["state"], told["result"], told["share"]) == ("done", {"made": "it"}, 1.0)
    assert told["steps"] == ["the first half", "the second half"]
    assert told["by"] == "ayu"


def test_a_job_is_called_off_at_its_next_step(work: Work) -> None:
    job = work.begin()
    until(lambda: job.share, "it has begun")
    assert work.ask("job_cancel", job=job.job_id) is True
    work.go_on.set()
    assert job.over.wait(PATIENCE)
    assert job.state is JobState.CANCELLED
    assert job.steps == ("the first half",)
    assert work.ask("job_cancel", job=job.job_id) is False, "it has ended"


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("refused", "the network refuses"),
        ("raises", "/data/x: No space left on device"),
        ("broken", "something is broken here: see the log"),
    ],
)
def test_a_job_that_fails_says_why(work: Work, how: str, said: str) -> None:
    work.go_on.set()
    job = work.ended(how)
    assert (job.state, job.trouble) == (JobState.FAILED, said)


def test_a_job_with_wrong_arguments_names_them(work: Work) -> None:
    work.go_on.set()
    job = work.ended("strange")
    assert job.state is JobState.FAILED
    assert [one[0] for one in work.ask("job", job=job.job_id)["problems"]] == ["how"]


def test_a_role_that_is_too_small_begins_nothing(work: Work) -> None:
    work.go_on.set()
    job = work.begin(actor=VIEWER)
    assert job.over.wait(PATIENCE)
    assert job.state is JobState.FAILED
    assert not job.steps


def test_a_job_is_shown_to_those_whose_role_is_great_enough(work: Work) -> None:
    work.go_on.set()
    job = work.ended()
    assert not work.ask("jobs", VIEWER)
    with pytest.raises(InvalidSettings, match="no such job"):
        work.ask("job", VIEWER, job=job.job_id)
    with pytest.raises(NotPermitted):
        work.ask("job_cancel", VIEWER, job=job.job_id)
    assert work.ask("job", ADMINISTRATOR, job=job.job_id)["state"] == "done"


def test_jobs_are_bounded(work: Work) -> None:
    for _number in range(MOST_RUNNING):
        work.begin()
    with pytest.raises(Busy, match="4 jobs"):
        work.begin()
    work.go_on.set()
    until(lambda: all(one.over.is_set() for one in work.jobs.all()), "they have ended")
    latest = [work.ended() for _number in range(MOST_KEPT + 1)][-1]
    assert len(work.jobs.all()) <= MOST_KEPT + 1
    assert work.jobs.all()[0] is latest


def test_what_ended_long_ago_is_forgotten(work: Work) -> None:
    work.go_on.set()
    job = work.ended()
    assert job.ended is not None
    work.now = job.ended + KEPT_FOR - 1
    work.jobs.tidy()
    assert work.jobs.find(job.job_id) is job
    work.now = job.ended + KEPT_FOR + 1
    work.jobs.tidy()
    assert work.jobs.find(job.job_id) is None


def test_a_stop_waits_for_the_end_and_lets_nothing_begin(work: Work) -> None:
    job = work.begin()
    until(lambda: job.share, "it has begun")
    stopping = threading.Thread(target=work.jobs.stop)
    stopping.start()
    until(lambda: work.jobs._stopped, "it stops")
    assert stopping.is_alive()
    work.go_on.set()
    stopping.join(PATIENCE)
    assert job.state is JobState.CANCELLED
    with pytest.raises(Busy):
        work.begin()


def test_where_there_is_no_thread_nothing_is_begun(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_thread: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(PromptThread, "start", fail)
    with pytest.raises(Busy, match="no thread"):
        work.begin()
    assert not work.jobs.all()
