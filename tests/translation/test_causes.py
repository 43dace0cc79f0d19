"""States and causes that a person is shown are texts, in the gateway, its kit and our plugins."""

import ast
from pathlib import Path

import pytest

from tests.translation.catalogues import ROOT, packages
from tests.translation.causes import errors, phases, plain

CORE = ROOT / "otppi-core/src/otppi"
UNSEEN = (
    CORE / "testing",  # for developers
    CORE / "simulator",  # what it tells a person is in its table of faults
    CORE / "wire",  # a PDU that cannot be read is told by who reads it
    ROOT / "plugins/otppi-ingress-rest/src/otppi_ingress_rest/openapi.py",  # examples of the API's answers
)
Trees = dict[Path, ast.Module]


@pytest.fixture(scope="module")
def trees() -> Trees:
    """Parse the source that tells people something."""
    return {
        path: ast.parse(path.read_text(encoding="utf-8"))
        for package in packages()
        for path in package.sources()
        if not any(path.is_relative_to(one) for one in UNSEEN)
    }


@pytest.fixture(scope="module")
def told(trees: Trees) -> frozenset[str]:
    """Return the names of the errors that a person is shown."""
    return errors([*trees.values(), ast.parse((CORE / "wire/errors.py").read_text(encoding="utf-8"))])


def places(path: Path, lines: list[int]) -> list[str]:
    return [f"{path.relative_to(ROOT)}:{line}" for line in lines]


def test_errors_are_found_with_all_that_is_derived_of_them(told: frozenset[str]) -> None:
    assert {"ModemBlocked", "LinkLost", "AtTimeout", "InternetDown", "PoisonedError", "TpduError"} <= told
    assert "ValueError" not in told


def test_no_cause_and_no_state_is_a_plain_string(trees: Trees, told: frozenset[str]) -> None:
    assert len(trees) > 300
    assert not [place for path, tree in trees.items() for place in places(path, list(plain(tree, told)))]


def test_no_phase_of_an_ingress_or_a_modem_is_a_plain_sentence(trees: Trees) -> None:
    shown = [CORE / "kit", *(one for one in (ROOT / "plugins").iterdir())]
    own = {path: tree for path, tree in trees.items() if any(path.is_relative_to(one) for one in shown)}
    assert len(own) > 100
    assert not [place for path, tree in own.items() for place in places(path, list(phases(tree)))]


@pytest.mark.parametrize(
    "line",
    [
        'raise ModemLost("the modem does not answer", Trouble.SILENT)',
        'raise ModemLost(f"{path}: the modem does not answer")',
        'raise Blocked("a " + what)',
        'raise Blocked("%s is wrong" % what)',
        'raise errors.ModemBlocked(_("no port") if port else "no SIM")',
        'raise LinkLost(known or "it broke")',
        "raise LinkLost(str(error)) from error",
        'raise LinkLost(", ".join(causes))',
        'raise LinkLost("{what} broke".format(what=what))',
        'self.link.say("takes nothing")',
        'self._fail(f"queue {queue} is gone")',
        'self._tell(InternetState.WAITING, "no carrier")',
        'FieldError("port", "must be free")',
        'EgressStatus(detail="waits")',
        'InternetStatus(state, since, detail=f"waits for {port}")',
    ],
)
def test_a_plain_one_is_found(line: str, told: frozenset[str]) -> None:
    assert list(plain(ast.parse(line), told)) == [1]


@pytest.mark.parametrize(
    "line",
    [
        'raise ModemLost(_("the modem does not answer"), Trouble.SILENT)',
        'raise ModemLost(_("{path}: no answer", path=f"{folder}/{name}"))',
        "raise LinkLost(words(error)) from error",
        'raise LinkLost(endpoint.why(error) or _("it broke"))',
        'raise ValueError("a program is wrong")',
        'raise AuthenticationFailed("credentials are required")',
        'self._tell(InternetState.STOPPED, "")',
        'FieldError("port", _("must be free"))',
        'logger.warning("%s: takes nothing", name)',
    ],
)
def test_a_text_is_none(line: str, told: frozenset[str]) -> None:
    assert not list(plain(ast.parse(line), told))


def test_a_plain_phase_is_found() -> None:
    found = phases(ast.parse('class Phase(Enum):\n    OPEN = _("is open")\n    SHUT = "is shut"\n    LEFT = "left"'))
    assert list(found) == [3]
