"""A port that may not be opened: by its permissions (EACCES), or by the rules for devices of the service (EPERM)."""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from otppi.api.errors import ModemBlocked
from otppi.kit.at.examine import examine
from otppi.kit.at.port import Port, refusal_of
from otppi.kit.net.wake import Wake
from otppi.text.languages import translated

REFUSED = {
    errno.EACCES: "{path} may not be opened by this user (add it to the group dialout)",
    errno.EPERM: (
        "the sandbox of the service refuses {path}: its driver was not loaded when the service started, or is not"
        " allowed there (DeviceAllow)"
    ),
}
INDONESIAN = {errno.EACCES: "grup dialout", errno.EPERM: "DeviceAllow"}


@pytest.fixture
def refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], str]:
    """A device that the kernel refuses to open, as it does by cgroups(7) or by its mode; no test may set either up."""
    path = tmp_path / "ttyUSB0"
    path.touch()

    def refuse(number: int) -> str:
        opened = os.open

        def open_other(one: Any, *arguments: Any, **named: Any) -> int:
            if os.fspath(one) == str(path):
                raise OSError(number, os.strerror(number), str(path))
            return opened(one, *arguments, **named)

        monkeypatch.setattr(os, "open", open_other)
        monkeypatch.setattr(os, "access", lambda *_: False)
        return str(path)

    return refuse


@pytest.mark.parametrize("number", REFUSED)
def test_why_a_port_may_not_be_opened_is_told_in_both_languages(refused: Callable[[int], str], number: int) -> None:
    path = refused(number)
    with pytest.raises(ModemBlocked) as caught:
        Port(path, {"baud_rate": 115_200, "parity_bit": "none", "stop_bits": 1}, Wake())
    cause = caught.value.cause
    assert cause == REFUSED[number].format(path=path)
    assert path in translated(cause, "id")
    assert INDONESIAN[number] in translated(cause, "id")
    assert translated(cause, "id") != str(cause)
    assert refusal_of(path) == number


@pytest.mark.parametrize("number", REFUSED)
def test_a_device_whose_only_port_is_refused_says_so(refused: Callable[[int], str], number: int) -> None:
    path = refused(number)
    assert examine([path]).problem == REFUSED[number].format(path=path)


def test_one_that_may_be_opened_is_not_refused(tmp_path: Path) -> None:
    (tmp_path / "port").touch(mode=0o600)
    assert refusal_of(str(tmp_path / "port")) == 0
