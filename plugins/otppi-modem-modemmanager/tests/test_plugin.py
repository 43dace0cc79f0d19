"""The modem type `modemmanager`, as the host gets it."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from otppi.api.errors import ModemBlocked
from otppi.api.modem import ModemContext
from otppi.host.modems.settings import MODEMS
from otppi.host.runtime.plugins import Plugins
from otppi.testing.waiting import PATIENCE
from otppi_modem_modemmanager.plugin import otppi_modem_types


def test_the_settings_make_a_modem_that_sends(manager: Any, modem: str, make_driver: Any, tmp_path: Path) -> None:
    (modem_type,) = otppi_modem_types()
    settings, problems = MODEMS.extended(modem_type).validate({"name": "m0", "type": "modemmanager"})
    assert not problems
    made = modem_type.create(ModemContext(settings, tmp_path))
    made.open()
    try:
        message = make_driver().message()
        made.send(message)
    finally:
        made.close()
        made.close()
    assert message.progress.references
    assert made.phone() == ()


def test_it_is_found_by_its_entry_point() -> None:
    assert "modemmanager" in Plugins().modem_types


def test_without_dbus_the_modem_is_blocked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "otppi_modem_modemmanager.modem", None)
    made = otppi_modem_types()[0].create(ModemContext({"name": "m0"}, tmp_path))
    with pytest.raises(ModemBlocked, match="python3-dbus is missing"):
        made.open()
    made.wake()
    made.close()
    assert made.identity().imei == ""


def test_dbus_is_imported_for_a_modem_only() -> None:
    code = "import sys, otppi_modem_modemmanager.plugin as p; p.otppi_modem_types(); print('dbus' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=PATIENCE)
    assert done.stdout == "False\n"
