"""`otppi report` on a data folder where no gateway runs."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from otppi.testing.reports import make_report

Cli = Callable[..., Any]
OCTOBER = time.mktime((2026, 10, 1, 0, 0, 0, 0, 0, -1))
SPAN = ("--since", "2026-10-01", "--until", "2026-10-31")


def test_messages_and_sums_without_a_gateway(otppi: Cli, data: Path) -> None:
    assert otppi("settings", "set", "sms.country_code", "62").code == 0
    assert "nothing was found" in otppi("report", "list").err
    make_report(data / "report", "2026-10", 120, OCTOBER, OCTOBER + 20 * 86_400, modems=2, users=2)

    listed = otppi("report", "list", "--limit", "3")
    assert listed.code == 0
    assert "62827*****17" in listed.out
    assert len(listed.out.splitlines()) == 4
    place = listed.err.split("--place ")[1].strip()
    further = otppi("report", "list", "--limit", "3", "--place", place, "--json").json
    assert [one["client_id"] for one in further["messages"]] == ["116", "115", "114"]
    failed = otppi("report", "list", "--state", "failed", "--user", "shop0", "--receiver", "99", "--json").json
    assert failed["messages"] == []
    found = otppi("report", "list", "--message-id", "6", "--json").json["messages"]
    assert [(one["state"], one["code"], one["egress"]) for one in found] == [("failed", "1205", None)]

    lacking = otppi("report", "sums", *SPAN)
    assert "2026-10" in lacking.err
    assert otppi("report", "make-sums").code == 0
    sums = otppi("report", "sums", *SPAN, "--by", "modem")
    assert sums.err == ""
    assert [line.split()[:2] for line in sums.out.splitlines()] == [
        ["MODEM", "MESSAGES"], ["m0", "48"], ["m1", "48"], ["-", "24"], ["total", "120"],
    ]  # fmt: skip
    wrong = otppi("report", "sums", "--since", "2026-31-10")
    assert (wrong.code, "since: must be a day" in wrong.err) == (2, True)
