"""The page of a job: found again by whoever looks, called off, and told where it has ended."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from otppi.api.errors import NotDone
from otppi.api.operations import Actor, Call, Operation, Role
from otppi.host.jobs.jobs import Job
from otppi.host.runtime.registry import Registry
from otppi.testing.site import Site
from otppi.testing.waiting import PATIENCE, until


class Work:
    """An operation of a site that goes on until it is told to."""

    def __init__(self, folder: Path) -> None:
        self.go_on = threading.Event()
        self.refuses = False
        self.site = Site(folder, claimed=True)
        self._registry = Registry(
            [Operation(name="work", title="Work", help="Work.", handler=self._work, role=Role.OPERATOR)]
        )

    def _work(self, call: Call) -> str:
        call.progress("The first half", 0.5)
        assert self.go_on.wait(PATIENCE)
        call.progress("The second half", 0.75)
        if self.refuses:
            raise NotDone("The network refuses.")
        return "done"

    def begin(self, role: Role = Role.OPERATOR) -> Job:
        job = self.site.host.jobs.begin(self._registry, "work", {}, Actor("oki", "pages", role))
        until(lambda: job.share, "it has begun")
        return job


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Work]:
    one = Work(tmp_path)
    yield one
    one.go_on.set()
    one.site.close()


def test_a_job_is_found_again_by_its_page_and_in_the_list(work: Work) -> None:
    job = work.begin()
    for browser in (work.site.inside(Role.OPERATOR), work.site.inside(Role.ADMINISTRATOR)):
        shown = browser.get(f"/jobs/show?job={job.job_id}")
        assert "The first half" in shown.words
        assert 'value="50"' in shown.text
        assert 'data-poll="1000"' in shown.text
        assert f"/jobs/show?job={job.job_id}" in browser.get("/jobs").text
    work.go_on.set()
    assert job.over.wait(PATIENCE)
    shown = browser.get(f"/jobs/show?job={job.job_id}")
    assert "The second half" in shown.words
    assert "data-poll" not in shown.text


def test_a_job_is_called_off_from_its_page(work: Work) -> None:
    job = work.begin()
    browser = work.site.inside(Role.OPERATOR)
    answer = browser.post("/jobs/cancel", {"job": job.job_id})
    assert answer.location == f"/jobs/show?job={job.job_id}"
    work.go_on.set()
    assert job.over.wait(PATIENCE)
    assert "called off" in browser.get(answer.location).words


def test_a_job_that_failed_says_why(work: Work) -> None:
    work.refuses = True
    job = work.begin()
    work.go_on.set()
    assert job.over.wait(PATIENCE)
    shown = work.site.inside(Role.OPERATOR).get(f"/jobs/show?job={job.job_id}")
    assert "The network refuses." in shown.words


def test_a_job_of_a_greater_role_is_not_shown(work: Work) -> None:
    job = work.begin(Role.ADMINISTRATOR)
    browser = work.site.inside(Role.OPERATOR)
    assert browser.get(f"/jobs/show?job={job.job_id}").location == "/jobs"
    assert "Work" not in browser.get("/jobs").words
    browser.post("/jobs/cancel", {"job": job.job_id})
    work.go_on.set()
    assert job.over.wait(PATIENCE)
    assert job.result == "done"


def test_a_forgotten_job_says_so(work: Work) -> None:
    browser = work.site.inside(Role.VIEWER)
    assert browser.get("/jobs/show?job=nothing").location == "/jobs"
    assert "That job is forgotten" in browser.get("/jobs").words
