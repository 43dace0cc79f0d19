"""The report's sums as an operation: the days that are asked for, and those that nobody can ask for."""

from pathlib import Path
from typing import Any

import pytest

from otppi.api.errors import InvalidSettings
from otppi.api.operations import Actor, Role
from otppi.host.durable.report_folder import ReportFolder
from otppi.host.messages.report_operations import OPERATIONS
from otppi.host.runtime.registry import Registry

VIEWER = Actor("siti", "test", Role.VIEWER)


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(OPERATIONS, (ReportFolder(tmp_path),))


@pytest.mark.parametrize("year", ["1970", "2100", "9999"])
@pytest.mark.parametrize(
    ("operation", "field"), [("report_sums", "since"), ("report_sums", "until"), ("report", "day")]
)
def test_a_day_far_from_ours_is_refused(registry: Registry, operation: str, field: str, year: str) -> None:
    with pytest.raises(InvalidSettings) as refused:
        registry.call(operation, {field: f"{year}-12-31"}, VIEWER)
    assert [(one.field, one.reason) for one in refused.value.problems] == [(field, "must be a day, such as 2026-11-30")]


def test_the_last_day_that_can_be_asked_for(registry: Registry) -> None:
    told: dict[str, Any] = registry.call("report_sums", {"since": "2099-12-31"}, VIEWER)
    assert (told["since"], told["until"], len(told["rows"])) == ("2099-12-31", "2099-12-31", 1)
