"""Whether a stick is obeyed: its code, the minutes after the start, the number of tries, and once only."""

from collections.abc import Callable
from pathlib import Path

import pytest

from otppi.api.media import CODE_FILE, KEYS_FILE, Medium
from otppi.host.core import load_plugins
from otppi.host.reset.groups import Groups
from otppi.host.reset.settings import ResetValues
from otppi.host.reset.stick_judge import TRIES, WINDOW, Judged, StickJudge, StickVerdict, Tries, digest_of
from reset.test_request import CODE, PUBLIC

VALUES: ResetValues = {"stick": True, "public_word": False}
WRONG = CODE.replace("A", "C")


class Surrounded:
    """A judge, and what it is told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.uptime = 60.0
        self.seen: set[str] = set()
        self.looked: list[str] = []
        self.values = dict(VALUES)
        self.judge = self.again()

    def again(self) -> StickJudge:
        """Return the judge of the next start of the gateway."""

        def is_code(shown: str) -> bool:
            self.looked.append(shown)
            return shown == CODE

        self.judge = StickJudge(
            is_code, Groups(load_plugins([]).sections), self.seen.__contains__, Tries(self.folder / "tries"),
            lambda: self.uptime,
        )  # fmt: skip
        return self.judge

    def __call__(self, files: dict[str, bytes], identity: str = "1234-ABCD") -> Judged:
        return self.judge.judge(Medium("sda1", identity, files), ResetValues(**self.values))  # type: ignore[typeddict-item]


@pytest.fixture
def judged(tmp_path: Path) -> Surrounded:
    return Surrounded(tmp_path)


def test_the_right_code(judged: Surrounded) -> None:
    found = judged({CODE_FILE: CODE.encode()})
    assert found.verdict is StickVerdict.DONE
    assert found.plan.groups == ("administrator", "dhcp", "wlan", "ethernet")
    assert {"administrators", "administration", "alarms"} <= set(found.plan.sections)
    assert found.plan.steps.index("section:administrators") < found.plan.steps.index("files:claimed")
    assert found.plan.network
    assert not found.plan.wipe


def test_the_keys(judged: Surrounded) -> None:
    content = f"VERIFY={CODE}\nRESET_SMS=true\nRESET_FIREWALL=true\nRESET_BLOCKING=true\n".encode()
    found = judged({KEYS_FILE: content})
    assert found.verdict is StickVerdict.DONE
    assert found.plan.groups == ("sms", "blocking")  # of a firewall there is nothing here
    assert found.plan.files == ("blocking-list",)
    assert not found.plan.network


def test_both_files_are_both_obeyed(judged: Surrounded) -> None:
    keys = f"VERIFY={CODE}\nRESET_SMS=true\nWIPE_SECRETS=true".encode()
    found = judged({CODE_FILE: CODE.encode(), KEYS_FILE: keys})
    assert set(found.plan.groups) == {"administrator", "dhcp", "wlan", "ethernet", "sms"}
    assert found.plan.wipe
    assert found.plan.steps == ("wipe", "network")


def test_a_file_without_the_code_adds_nothing_to_one_with_it(judged: Surrounded) -> None:
    found = judged({CODE_FILE: CODE.encode(), KEYS_FILE: f"VERIFY={WRONG}\nWIPE_SECRETS=true".encode()})
    assert found.verdict is StickVerdict.DONE
    assert not found.plan.wipe


@pytest.mark.parametrize(
    "files",
    [
        {CODE_FILE: WRONG.encode()},
        {KEYS_FILE: f"VERIFY={WRONG}\nRESET_SMS=true".encode()},
        {KEYS_FILE: b"RESET_SMS=true"},
        {KEYS_FILE: f"VERIFY={PUBLIC}\nRESET_SMS=true".encode()},
        {CODE_FILE: b"????????????????"},
    ],
)
def test_without_the_code(judged: Surrounded, files: dict[str, bytes]) -> None:
    assert judged(files).verdict is StickVerdict.WRONG
    assert judged(files).verdict is StickVerdict.SEEN


def test_the_word_that_everybody_knows_where_the_owner_allows_it(judged: Surrounded) -> None:
    judged.values["public_word"] = True
    found = judged({KEYS_FILE: f"VERIFY={PUBLIC}\nRESET_SMS=true".encode()})
    assert (found.verdict, found.plan.groups) == (StickVerdict.DONE, ("sms",))
    assert judged({KEYS_FILE: b"VERIFY=e30=\nRESET_SMS=true"}).verdict is StickVerdict.WRONG


def test_five_tries_of_one_start_of_the_computer(judged: Surrounded) -> None:
    for number in range(TRIES):
        assert judged({CODE_FILE: f"{number}{WRONG[1:]}".encode()}).verdict is StickVerdict.WRONG
        judged.again()  # the gateway's start forgets none
    looked = len(judged.looked)
    assert judged({CODE_FILE: CODE.encode()}).verdict is StickVerdict.TOO_MANY
    assert len(judged.looked) == looked, "it is not even looked at"
    (judged.folder / "tries").unlink()  # as the RAM disk is empty after the next start
    judged.again()
    assert judged({CODE_FILE: CODE.encode()}).verdict is StickVerdict.DONE


def test_one_that_comes_and_goes_is_one_try(judged: Surrounded) -> None:
    for _ in range(3 * TRIES):
        judged({CODE_FILE: WRONG.encode()})
    assert len(judged.looked) == 1


def test_a_right_code_forgives(judged: Surrounded) -> None:
    for number in range(TRIES - 1):
        judged({CODE_FILE: f"{number}{WRONG[1:]}".encode()})
    assert judged({CODE_FILE: CODE.encode()}).verdict is StickVerdict.DONE
    assert not (judged.folder / "tries").exists()


@pytest.mark.parametrize("content", [b"", b"x", b"\xff" * 100])
def test_tries_that_cannot_be_read_are_too_many(judged: Surrounded, content: bytes) -> None:
    (judged.folder / "tries").write_bytes(content)
    assert judged({CODE_FILE: CODE.encode()}).verdict is StickVerdict.TOO_MANY


def test_where_nothing_can_be_counted_nothing_is_looked_at(judged: Surrounded, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("otppi.host.reset.stick_judge.replace_whole", full)
    assert judged({CODE_FILE: CODE.encode()}).verdict is StickVerdict.TOO_MANY
    assert judged.looked == []


def test_ten_minutes(judged: Surrounded) -> None:
    judged.uptime = WINDOW - 1
    assert judged.judge.seconds_left == 1
    assert judged({CODE_FILE: CODE.encode()}).verdict is StickVerdict.DONE
    judged.uptime = WINDOW
    assert judged.judge.seconds_left == 0
    assert judged({CODE_FILE: CODE.encode()}, "other").verdict is StickVerdict.LATE


def test_once_for_a_content_of_a_file_system(judged: Surrounded) -> None:
    files = {CODE_FILE: CODE.encode()}
    judged.seen.add(digest_of(Medium("sdb", "1234-ABCD", files)))
    assert judged(files).verdict is StickVerdict.SEEN
    assert judged(files, "another stick").verdict is StickVerdict.DONE
    assert judged({CODE_FILE: f"{CODE}\n".encode()}).verdict is StickVerdict.DONE


def test_contents_cannot_be_shifted_between_files() -> None:
    one = digest_of(Medium("sda", "x", {CODE_FILE: b"ab", KEYS_FILE: b"c"}))
    assert one != digest_of(Medium("sda", "x", {CODE_FILE: b"a", KEYS_FILE: b"bc"}))
    assert one != digest_of(Medium("sda", "x", {CODE_FILE: b"ab"}))


def test_switched_off(judged: Surrounded) -> None:
    judged.values["stick"] = False
    assert judged({CODE_FILE: CODE.encode()}).verdict is StickVerdict.OFF
    assert judged.looked == []


def test_parts_that_there_are_not(judged: Surrounded) -> None:
    assert judged({KEYS_FILE: f"VERIFY={CODE}\nRESET_NONSENSE=true".encode()}).verdict is StickVerdict.USELESS


@pytest.mark.parametrize("make", [lambda: Medium("sda", "", {}), lambda: Medium("sda", "", {CODE_FILE: b""})])
def test_what_asks_for_nothing(judged: Surrounded, make: Callable[[], Medium]) -> None:
    assert judged.judge.judge(make(), VALUES).verdict is StickVerdict.NOTHING


def test_what_could_not_be_read(judged: Surrounded) -> None:
    assert judged.judge.judge(Medium("sda", "", problem="slow"), VALUES).verdict is StickVerdict.UNREADABLE
