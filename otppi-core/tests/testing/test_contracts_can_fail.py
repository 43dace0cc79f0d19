"""The contract suites find what they are for: each check fails for a type that breaks its promise."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from otppi.api.internet import (
    Dialling,
    Internet,
    InternetContext,
    InternetDown,
    InternetState,
    InternetStatus,
    InternetType,
)
from otppi.api.settings import Kind, Section, Setting, boolean, integer, text
from otppi.testing import internet as internet_suite
from otppi.testing import section as section_suite
from otppi.testing.internet import INTERNET_CHECKS, InternetBench
from otppi.testing.section import SECTION_CHECKS
from otppi.testing.waiting import until

# -- sections ----------------------------------------------------------------------------------------------------------

NAME = text("name", "Name", "What it is called.", required=True)
GOOD = Section(
    key="thing",
    title="Thing",
    help="A thing.",
    settings=(
        NAME,
        text("code", "Code", "Digits.", pattern=r"[0-9]{2,4}", aliases=("number",)),
        text("password", "Password", "Nobody sees it.", secret=True),
        integer("count", "Count", "How many.", 2, minimum=0, maximum=10),
        boolean("active", "Active", "Whether.", True),
    ),
    reset_group="things",
)


def with_setting(setting: Setting) -> Section:
    return replace(GOOD, settings=(*GOOD.settings, setting))


class Leaky(Section):
    """A section that shows its secrets."""

    def redact(self, values: Any) -> dict[str, Any]:
        return dict(values)


class Misdescribed(Setting):
    """A setting whose schema takes less than it does."""

    def json_schema(self, say: Callable[[str], str] = str) -> dict[str, Any]:
        return super().json_schema(say) | {"maxLength": 1}


def leaky(section: Section) -> Section:
    fields = ("key", "title", "help", "settings", "reset_group")
    return Leaky(**{name: getattr(section, name) for name in fields})


BROKEN_SECTIONS: list[tuple[str, Callable[[], Section]]] = [
    ("says_what_it_is", lambda: replace(GOOD, help="no sentence")),
    ("says_what_it_is", lambda: with_setting(text("other", "Code", "The same title.", pattern="[0-9]*"))),
    ("is_reset_with_a_group", lambda: replace(GOOD, reset_group="")),
    ("takes_its_own_defaults", lambda: with_setting(text("odd", "Odd", "Grows.", "a", tidy=lambda value: value + "a"))),
    ("keeps_its_secrets", lambda: leaky(GOOD)),
    ("keeps_its_secrets", lambda: with_setting(text("api_password", "Another", "Everybody sees it."))),
    (
        "keeps_its_secrets",
        lambda: with_setting(text("pin", "PIN", "Is quoted.", secret=True, check=lambda pin: f"{pin}?" * bool(pin))),
    ),
    (
        "agrees_with_its_schema",
        lambda: with_setting(Misdescribed(key="odd", title="Odd", help="Odd.", default="", kind=Kind.TEXT)),
    ),
]


@pytest.mark.parametrize("check", SECTION_CHECKS, ids=lambda check: check.__name__)
def test_a_good_section_passes(check: Callable[[Section], None]) -> None:
    check(GOOD)


@pytest.mark.parametrize(("name", "make"), BROKEN_SECTIONS)
def test_a_broken_section_is_found(name: str, make: Callable[[], Section]) -> None:
    with pytest.raises(AssertionError):
        getattr(section_suite, name)(make())


# -- mobile internet ---------------------------------------------------------------------------------------------------

DIALLING = Dialling("/dev/null", 115_200, "internet", "somebody", "x", "ATD", "*99#")


class Pretended(Internet):
    """A connection without anything at its other end; subclasses break one promise each."""

    def __init__(self, context: InternetContext) -> None:
        self._context = context
        self._changed = threading.Event()
        self._stopped = False
        self.refused = False
        self._status = InternetStatus(InternetState.STOPPED, time.time())

    def run(self) -> None:
        while not self._stopped:
            attempts = self._status.attempts + 1
            try:
                dialling = self._dial()
                state = InternetStatus(InternetState.CONNECTED, time.time(), port=dialling.port, attempts=attempts)
            except InternetDown as error:
                state = InternetStatus(InternetState.WAITING, time.time(), detail=str(error), attempts=attempts)
            self._status = state
            self._changed.wait(None if state.state is InternetState.CONNECTED else 0.01)
            self._changed.clear()
        self._status = InternetStatus(InternetState.STOPPED, time.time())

    def _dial(self) -> Dialling:
        if self.refused:
            raise InternetDown("the network refused")
        return self._context.dialling()

    def stop(self) -> None:
        self._stopped = True
        self._changed.set()

    def end(self) -> None:
        self._changed.set()

    def status(self) -> InternetStatus:
        return self._status


class NeverStopped(Pretended):
    def run(self) -> None:
        super().run()
        self._status = InternetStatus(InternetState.CONNECTED, time.time())


class Careless(Pretended):
    def run(self) -> None:
        (self._context.boot_folder / "options").write_text(self._context.dialling().password)
        super().run()


class Silent(Pretended):
    def status(self) -> InternetStatus:
        return replace(self._status, detail="")


class Talkative(Pretended):
    def status(self) -> InternetStatus:
        return replace(self._status, interface=self._context.dialling().password)


class Raising(Pretended):
    def run(self) -> None:
        super().run()
        raise ZeroDivisionError("a bug")


class PretendedBench(InternetBench):
    def __init__(self, folder: Path, kind: type[Pretended]) -> None:
        super().__init__(folder)
        self._kind = kind
        self._refuses = False
        self.made: list[Pretended] = []

    @property
    def internet_type(self) -> InternetType:
        return InternetType(GOOD, self.create)

    def create(self, context: InternetContext) -> Internet:
        self.made.append(self._kind(context))
        self.made[-1].refused = self._refuses
        return self.made[-1]

    def dialling(self) -> Dialling:
        return DIALLING

    def refuse(self) -> None:
        self._refuses = True

    def hang_up(self) -> None:
        self.made[-1].end()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for what never comes for a short time only."""
    monkeypatch.setattr(internet_suite, "until", lambda condition, what="": until(condition, what, 3.0))


@pytest.mark.parametrize("check", INTERNET_CHECKS, ids=lambda check: check.__name__)
def test_a_good_connection_passes(tmp_path: Path, check: Callable[[InternetBench], None]) -> None:
    check(PretendedBench(tmp_path, Pretended))


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("connects_and_hangs_up", NeverStopped),
        ("connects_and_hangs_up", Raising),
        ("leaves_nothing_behind", Careless),
        ("says_why_it_waits", Silent),
        ("says_that_it_was_refused", Silent),
        ("keeps_its_secrets", Talkative),
    ],
)
def test_a_broken_connection_is_found(tmp_path: Path, name: str, kind: type[Pretended]) -> None:
    with pytest.raises(AssertionError):
        getattr(internet_suite, name)(PretendedBench(tmp_path, kind))
