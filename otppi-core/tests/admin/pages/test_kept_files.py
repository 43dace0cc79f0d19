"""Files that were uploaded are kept for their session, for a while, and not more than a few."""

from typing import Any

from otppi.admin.pages.kept_files import LIFE, KeptFiles
from otppi.admin.security.sessions import Sessions


def test_what_was_tried_is_kept_for_a_while_and_not_for_many() -> None:
    now = [0.0]
    sessions = Sessions()

    def session() -> Any:
        return sessions.find(sessions.create("oki", "", secure=False, address=""), secure=False)

    files, one, two = KeptFiles[bytes](lambda: now[0]), session(), session()
    names = [files.add(one, b"%d" % number) for number in range(3)]
    assert [files.find(one, name) is not None for name in names] == [False, True, True]
    assert files.find(two, names[1]) is None
    now[0] = LIFE + 1
    assert files.find(one, names[1]) is None
    last = files.add(two, b"4")
    sessions.end(two)
    assert files.find(two, last) is None, "it went with its session"
