"""The first line of `otppi status`: what answers runs, whatever is the matter with its modems."""

import pytest

from otppi.cli import language, status


def modem(state: str, unusable: str = "") -> dict[str, str]:
    return {"state": state, "unusable": unusable}


@pytest.mark.parametrize(
    ("modems", "english", "indonesian"),
    [
        ([], "no modem", "tidak ada modem"),
        ([modem("stopped")], "no modem", "tidak ada modem"),
        ([modem("absent")], "0 of 1 modem can send", "0 dari 1 modem bisa mengirim"),
        ([modem("ready", "daily quota is used up")], "0 of 1 modem can send", "0 dari 1 modem bisa mengirim"),
        ([modem("ready"), modem("stopped")], "1 of 1 modem can send", "1 dari 1 modem bisa mengirim"),
        ([modem("ready"), modem("blocked")], "1 of 2 modems can send", "1 dari 2 modem bisa mengirim"),
    ],
)
def test_how_many_modems_can_send(modems: list[dict[str, str]], english: str, indonesian: str) -> None:
    try:
        for code, told in (("en", english), ("id", indonesian)):
            language.use(code)
            assert status._able(modems) == told
    finally:
        language.use("en")
